"""python3-openid's half of the protocol, as this site wants it. Every private name of that library stands here.

`PRIVATE` lists them for a test, which says so when a release of the library changes one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openid import fetchers
from openid.association import Association, SessionNegotiator
from openid.consumer import consumer as library
from openid.consumer.consumer import (
    GenericConsumer,
    ProtocolError,
    Response,
    ServerError,
    SuccessResponse,
)
from openid.consumer.discover import OpenIDServiceEndpoint
from openid.fetchers import (
    CurlHTTPFetcher,
    ExceptionWrappingFetcher,
    HTTPFetcher,
    HTTPFetchingError,
    HTTPResponse,
    Urllib2Fetcher,
)
from openid.message import OPENID2_NS, OPENID_NS, Message
from openid.store.interface import OpenIDStore

from ..site.fetcher import FetchRefused, Unresolved
from .discovery import Unreachable

PRIVATE = {
    "openid.fetchers": ("_default_fetcher",),
    "openid.consumer.consumer": ("_httpResponseToMessage",),
    "openid.consumer.consumer.GenericConsumer": (
        "_checkAuth",
        "_checkReturnTo",
        "_discover",
        "_doIdRes",
        "_extractAssociation",
        "_idResCheckForFields",
        "_idResCheckNonce",
        "_idResCheckSignature",
        "_makeKVPost",
        "_negotiateAssociation",
        "_verifyDiscoveryResults",
    ),
}

# Without encryption a provider's secret would travel in the open; such a provider is asked about each answer instead.
ASSOCIATIONS = SessionNegotiator([("HMAC-SHA256", "DH-SHA256"), ("HMAC-SHA1", "DH-SHA1")])

MAX_FIELDS = 200
"""The library's messages cost the square of their fields, so the fields are counted first."""
MAX_BYTES = 64 * 1024

Discover = Callable[[str, HTTPFetcher], Any]


class Protocol(GenericConsumer):
    """The library's protocol with a fetcher and a discovery that are handed in."""

    def __init__(self, store: OpenIDStore, fetcher: HTTPFetcher, discover: Discover, may_ask: str | None) -> None:
        """`may_ask` is the one endpoint that may be asked directly whether it signed an answer."""
        super().__init__(store)
        self.negotiator = ASSOCIATIONS.copy()
        self.fetcher = fetcher
        self.discovery = discover
        self.may_ask = may_ask
        self.is_away = False
        """Whether the endpoint that was asked directly did not answer, of which the library makes a refusal."""

    def negotiate(self, endpoint: OpenIDServiceEndpoint) -> Association | None:
        """A new association with the endpoint, or None."""
        association: Association | None = self._negotiateAssociation(endpoint)
        return association

    def _doIdRes(self, message: Message, endpoint: OpenIDServiceEndpoint | None, return_to: str) -> Response:
        """As the library's, in another order: an answer's signature is checked before anything it names is fetched."""
        self._idResCheckForFields(message)
        if not self._checkReturnTo(message, return_to):
            raise ProtocolError("The answer is not for this address.")
        if message.isOpenID2():
            signer = message.getArg(OPENID2_NS, "op_endpoint")
        elif endpoint is not None:
            signer = endpoint.server_url
        else:
            raise ProtocolError("An answer of OpenID 1 must be to a request.")
        self._idResCheckSignature(message, signer)
        verified = self._verifyDiscoveryResults(message, endpoint)
        self._idResCheckNonce(message, verified)
        signed = message.getArg(OPENID_NS, "signed")
        return SuccessResponse(verified, message, [f"openid.{name}" for name in signed.split(",")])

    def _checkAuth(self, message: Message, server_url: str) -> bool:
        if server_url != self.may_ask:
            return False
        answer: bool = super()._checkAuth(message, server_url)
        if not answer and self.is_away:
            raise Unreachable(server_url, is_away=True)
        return answer

    def _extractAssociation(self, assoc_response: Message, assoc_session: Any) -> Association:
        """As the library's, which takes a secret in the open from an answer of OpenID 1, or from one without `ns`."""
        kind = assoc_response.getArg(OPENID_NS, "session_type")
        if kind != assoc_session.session_type:
            raise ProtocolError(f"The secret was to come by {assoc_session.session_type}, not by {kind!r}.")
        return super()._extractAssociation(assoc_response, assoc_session)

    def _discover(self, identifier: str) -> Any:
        return self.discovery(identifier, self.fetcher)

    def _makeKVPost(self, message: Message, server_url: str) -> Message:
        response = self._asked(server_url, message.toURLEncoded())
        if response.body.count(b"\n") > MAX_FIELDS or len(response.body) > MAX_BYTES:
            raise HTTPFetchingError(f"The endpoint answers with more than {MAX_FIELDS} fields or {MAX_BYTES} bytes.")
        try:
            return library._httpResponseToMessage(response, server_url)
        except (HTTPFetchingError, ServerError):
            raise
        except Exception as error:
            # What the library raises over a hostile answer has no common class.
            raise HTTPFetchingError(error) from error

    def _asked(self, server_url: str, body: str) -> HTTPResponse:
        try:
            response = self.fetcher.fetch(server_url, body=body)
        except HTTPFetchingError as error:
            self.is_away = not isinstance(error, FetchRefused) or isinstance(error, Unresolved)
            raise
        self.is_away = response.status >= 500
        return response


def default_fetcher() -> HTTPFetcher | None:
    """What somebody has given to python3-openid's setDefaultFetcher(). Asking the library itself would make one."""
    given = fetchers._default_fetcher
    inner = given.fetcher if isinstance(given, ExceptionWrappingFetcher) else given
    # The library makes one of these for itself as soon as anything else in the process fetches with it. Nobody chose
    # that fetcher, and it goes to any address.
    return None if type(inner) in (Urllib2Fetcher, CurlHTTPFetcher) else given
