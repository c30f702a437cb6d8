"""The relying party's half of OpenID 2.0, on python3-openid's, with its state in the session as plain JSON.

A sign-in's fetches and its database statements come apart here: `discover`, `negotiate` and `verify` never touch the
database, the others never the network. So an async view can run each where it belongs.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from openid.association import Association, SessionNegotiator
from openid.consumer.consumer import (
    SUCCESS,
    AuthRequest,
    Consumer,
    FailureResponse,
    GenericConsumer,
    ProtocolError,
    Response,
    ServerError,
    _httpResponseToMessage,
)
from openid.consumer.discover import OpenIDServiceEndpoint
from openid.fetchers import HTTPFetchingError
from openid.message import OPENID_NS, Message
from openid.store.interface import OpenIDStore
from openid.store.nonce import mkNonce

from ..conf import config
from ..store import DjangoOpenIDStore
from .discovery import discover
from .fetcher import MAX_URL, Fetcher
from .state import PARAMETER, Begun, BegunRequests

logger = logging.getLogger("djintegrate.openid_auth")

# Without encryption a provider's secret would travel in the open; such a provider is asked about each answer instead.
ASSOCIATIONS = SessionNegotiator([("HMAC-SHA256", "DH-SHA256"), ("HMAC-SHA1", "DH-SHA1")])


class OpenIDConsumer(Consumer):
    """python3-openid's Consumer for one request. `session` is Django's."""

    def __init__(
        self,
        session: MutableMapping[str, Any],
        store: DjangoOpenIDStore,
        consumer_class: Any = None,
        fetcher: Any = None,
    ) -> None:
        self.session = session
        self.store = store
        self.fetcher = fetcher or Fetcher()
        self.begun = BegunRequests(session)
        self.consumer = (consumer_class or _Protocol)(store)
        self.consumer.fetcher = self.fetcher

    def begin(self, user_url: str, anonymous: bool = False, purpose: str = "login", user: str = "") -> AuthRequest:
        """A request to the provider of `user_url`, remembered in the session; DiscoveryFailure if there is none."""
        endpoint = self.discover(user_url)
        association = self.association(endpoint)
        if association is None:
            association = self.remember(endpoint, self.negotiate(endpoint))
        return self.request(Begun(endpoint, user_url, purpose, user), association, anonymous)

    def beginWithoutDiscovery(self, service: OpenIDServiceEndpoint, anonymous: bool = False) -> AuthRequest:
        association = self.association(service) or self.remember(service, self.negotiate(service))
        return self.request(Begun(service, service.server_url), association, anonymous)

    # The steps of begin()

    def discover(self, identifier: str) -> OpenIDServiceEndpoint:
        return discover(identifier, self.fetcher)[1][0]

    def association(self, endpoint: OpenIDServiceEndpoint) -> Association | None:
        return self.store.getAssociation(endpoint.server_url)

    def negotiate(self, endpoint: OpenIDServiceEndpoint) -> Association | None:
        """A new association. None if there can be none: then the provider is asked about its answer."""
        try:
            return self.consumer._negotiateAssociation(endpoint)
        except Exception as error:
            # What the library raises over a hostile answer has no common class.
            logger.warning("No association with %.200r: %r", endpoint.server_url, error)
            return None

    def remember(self, endpoint: OpenIDServiceEndpoint, association: Association | None) -> Association | None:
        if association is not None:
            self.store.storeAssociation(endpoint.server_url, association)
        return association

    def request(self, begun: Begun, association: Association | None, anonymous: bool = False) -> AuthRequest:
        endpoint = begun.endpoint
        request = AuthRequest(endpoint, association)
        if endpoint.compatibilityMode():
            request.return_to_args[GenericConsumer.openid1_nonce_query_arg_name] = mkNonce()
            request.return_to_args[GenericConsumer.openid1_return_to_identifier_name] = endpoint.claimed_id
        try:
            request.setAnonymous(anonymous)
        except ValueError as error:
            raise ProtocolError(str(error)) from error
        request.return_to_args[PARAMETER] = self.begun.add(begun)
        return request

    # The steps of complete()

    def complete(self, query: Mapping[str, Any], current_url: str) -> Response:
        """What the provider's answer amounts to. `begun` of the response is the sign-in that it answers."""
        answer = self.receive(query, current_url)
        return self.settle(self.verify(answer, self.known_association(answer)))

    def receive(self, query: Mapping[str, Any], current_url: str) -> Answer:
        """The answer as it came, with the sign-in that it says it answers, which is now used up."""
        values = {key: query[key] for key in query}
        return Answer(values, current_url, self.begun.take(values.get(PARAMETER)))

    def known_association(self, answer: Answer) -> Association | None:
        """The association that the answer says it is signed with, of the provider that it says it is from."""
        server_url, handle = answer.server_url, answer.values.get("openid.assoc_handle")
        if answer.values.get("openid.mode") != "id_res" or not server_url or not handle or answer.has_nul:
            return None
        return self.store.recall(server_url, handle)

    def verify(self, answer: Answer, association: Association | None) -> Response:
        """Everything that can be said about the answer but whether its nonce was used."""
        verdict = _Notes(answer.server_url, association)
        try:
            response = self._verify(answer, verdict)
        except Refusal as refusal:
            response = FailureResponse(answer.endpoint, refusal.message)
        except Exception as error:
            # As above. Whatever it is, it is no proof of anybody's identity.
            logger.warning("An answer that cannot be read: %r", error)
            response = FailureResponse(answer.endpoint, _("The provider's answer cannot be read."))
        response.begun = answer.begun
        response.notes = verdict
        return response

    def settle(self, response: Response) -> Response:
        """The response, once the database has been told what came of it; a failure if its nonce was used before."""
        for server_url, handle in response.notes.invalidated:
            self.store.removeAssociation(server_url, handle)
        if response.status != SUCCESS:
            return response
        notes: _Notes = response.notes
        if len(notes.nonces) == 1 and self.store.useNonce(*notes.nonces[0], signed_by=notes.association):
            return response
        reason = _("This answer has been used before, or it is too old.")
        if notes.association and self.store.getAssociation(*notes.association) is None:
            reason = _("What this site and your provider had agreed on has expired meanwhile. Please begin anew.")
        failure = FailureResponse(response.endpoint, reason)
        failure.begun = response.begun
        return failure

    def _verify(self, answer: Answer, notes: _Notes) -> Response:
        if answer.has_nul:
            raise Refusal(_("The provider's answer cannot be read."))
        message = Message.fromPostArgs(answer.values)
        self._check_expected(answer, message)
        protocol = type(self.consumer)(notes)
        protocol.fetcher = self.fetcher
        response = protocol.complete(message, answer.endpoint, answer.current_url)
        if response.status == SUCCESS:
            self._check_identity(answer, response)
        return response

    def _check_expected(self, answer: Answer, message: Message) -> None:
        """Whether the answer is one to a sign-in that was begun here, from where that was sent."""
        begun = answer.begun
        if begun is None:
            if not config.allow_unsolicited:
                # Whatever it says: a page that anybody can send people to must not show what is in its address.
                raise Refusal(_("This sign-in was not begun in this browser, or too long ago. Please begin anew."))
            if not message.isOpenID2():
                raise Refusal(_("An answer that nobody asked for must be one of OpenID 2.0."))
            return
        if message.getArg(OPENID_NS, "mode") != "id_res":
            return
        if message.isOpenID1() != begun.endpoint.compatibilityMode():
            raise Refusal(_("The answer is of another version of OpenID than the request."))
        if message.isOpenID2() and message.getArg(OPENID_NS, "op_endpoint") != begun.endpoint.server_url:
            raise Refusal(_("The answer is from another provider than the one that was asked."))

    def _check_identity(self, answer: Answer, response: Response) -> None:
        identity, endpoint = response.identity_url, response.endpoint
        if not identity:
            raise Refusal(_("The provider did not say who you are."))
        if len(identity) > MAX_URL:
            raise Refusal(_("Your identifier is longer than %(limit)s characters.") % {"limit": MAX_URL})
        response.from_sso = False
        if config.sso_server_url is None:
            return
        if answer.begun is not None:
            from_sso = answer.begun.asked == config.sso_server_url
            from_sso = from_sso and endpoint.server_url == answer.begun.endpoint.server_url
        else:
            _identifier, endpoints = discover(config.sso_server_url, self.fetcher)
            from_sso = any(each.server_url == endpoint.server_url for each in endpoints)
        if not from_sso:
            raise Refusal(_("This site accepts identities of its own provider only."))
        response.from_sso = True


class Refusal(Exception):
    """The answer breaks one of our rules. The message may be shown."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Answer:
    """What came back to the completion address."""

    values: dict[str, str]
    current_url: str
    begun: Begun | None

    @property
    def endpoint(self) -> OpenIDServiceEndpoint | None:
        return self.begun.endpoint if self.begun else None

    @property
    def server_url(self) -> str | None:
        """The provider that it says it is from, which nothing has verified yet."""
        if "openid.ns" not in self.values and self.begun:
            return self.begun.endpoint.server_url
        return self.values.get("openid.op_endpoint")

    @property
    def has_nul(self) -> bool:
        """Databases refuse to store it, and no identifier holds it."""
        return any("\0" in text for pair in self.values.items() for text in pair)


class _Notes(OpenIDStore):
    """A store for the time of a verification: it knows one association, and notes what the database is to be told."""

    def __init__(self, server_url: str | None, association: Association | None) -> None:
        self._known = association
        self.association = (server_url, association.handle) if server_url and association else None
        self.nonces: list[tuple[str, int, str]] = []
        self.invalidated: list[tuple[str, str]] = []

    def getAssociation(self, server_url: str, handle: str | None = None) -> Association | None:
        return self._known if self.association == (server_url, handle) else None

    def useNonce(self, server_url: str, timestamp: int, salt: str) -> bool:
        self.nonces.append((server_url, timestamp, salt))
        return True

    def removeAssociation(self, server_url: str, handle: str) -> bool:
        self.invalidated.append((server_url, handle))
        return True


class _Protocol(GenericConsumer):
    """python3-openid's protocol, with our fetcher and our discovery."""

    fetcher: Fetcher

    def __init__(self, store: OpenIDStore) -> None:
        super().__init__(store)
        self.negotiator = ASSOCIATIONS.copy()

    def _discover(self, identifier: str) -> Any:
        return discover(identifier, self.fetcher)

    def _makeKVPost(self, message: Message, server_url: str) -> Message:
        response = self.fetcher.fetch(server_url, body=message.toURLEncoded())
        try:
            return _httpResponseToMessage(response, server_url)
        except (HTTPFetchingError, ServerError):
            raise
        except Exception as error:
            raise HTTPFetchingError(error) from error
