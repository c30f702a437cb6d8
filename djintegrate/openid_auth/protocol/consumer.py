"""The relying party's half of OpenID 2.0, on python3-openid's, with its state in the browser as plain JSON, signed.

A sign-in's fetches and its database statements come apart here: `discover`, `negotiate` and `verify` never touch the
database, the others never the network. So an async view can run each where it belongs.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _
from openid.association import Association
from openid.consumer.consumer import (
    SUCCESS,
    AuthRequest,
    Consumer,
    FailureResponse,
    GenericConsumer,
    ProtocolError,
    Response,
)
from openid.consumer.discover import OpenIDServiceEndpoint
from openid.fetchers import HTTPFetcher
from openid.message import OPENID_NS, Message
from openid.store.interface import OpenIDStore
from openid.store.nonce import mkNonce

from ..conf import config
from ..site.begun import Begun as Entries
from ..site.egress import make_fetcher
from ..site.fetcher import MAX_URL
from ..site.unanswered import Unanswered
from ..store import DjangoOpenIDStore
from .answer import Answer, VerifiedResponse
from .discovery import NotFound, discover
from .library import Protocol
from .state import PARAMETER, Begun, BegunRequests

logger = logging.getLogger("djintegrate.openid_auth")


class OpenIDConsumer(Consumer):
    """python3-openid's Consumer for one request. Its session is what the browser remembers."""

    def __init__(
        self,
        session: Entries,
        store: DjangoOpenIDStore,
        consumer_class: type[Protocol] | None = None,
        fetcher: HTTPFetcher | None = None,
    ) -> None:
        self.session = session
        self.store = store
        self.fetcher = fetcher or make_fetcher()
        self.begun = BegunRequests(session)
        self.protocol = consumer_class or Protocol
        self.consumer = self.protocol(store, self.fetcher, discover, None)
        self.answered: Begun | None = None
        """The sign-in that the last answer was to."""

    def begin(self, user_url: str, anonymous: bool = False, purpose: str = "login", user: str = "") -> AuthRequest:
        """A request to `user_url`'s provider, which the browser is to remember; DiscoveryFailure if there is none."""
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
            return self.consumer.negotiate(endpoint)
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
        """What the provider's answer amounts to."""
        return self.settle(*self.verify(self.receive(query, current_url)))

    def receive(self, query: Mapping[str, Any], current_url: str) -> Answer:
        """The answer as it came, with the sign-in that it says it answers, which is now used up."""
        values = {key: query[key] for key in query}
        self.answered = self.begun.take(values.get(PARAMETER))
        answer = Answer(values, current_url, self.answered)
        server_url, handle = answer.server_url, answer.handle
        if values.get("openid.mode") != "id_res" or not server_url or not handle or not answer.is_readable:
            return answer
        association = self.store.getAssociation(server_url, handle)
        if answer.endpoint is not None:
            may_ask = answer.endpoint.server_url
        else:
            # An answer that nobody asked for names its provider itself: only a provider that is known here is asked.
            known = config.allow_unsolicited and self.store.getAssociation(server_url) is not None
            may_ask = server_url if known else None
        return replace(answer, association=association, may_ask=may_ask)

    def verify(self, answer: Answer) -> tuple[Response, Notes]:
        """Everything that can be said about the answer but whether its nonce was used."""
        notes = Notes(answer)
        try:
            return self._verify(answer, notes), notes
        except Refusal as refusal:
            return FailureResponse(answer.endpoint, refusal.message), notes
        except Exception as error:
            # Whatever the library raises over a hostile answer, that answer proves nobody's identity.
            logger.warning("An answer that cannot be read: %r", error)
            return FailureResponse(answer.endpoint, unreadable()), notes

    def settle(self, response: Response, notes: Notes) -> Response:
        """The response, once the database has been told what came of it; a failure if its nonce was used before."""
        for server_url, handle in notes.invalidated:
            self.store.removeAssociation(server_url, handle)
        if response.status != SUCCESS:
            return response
        if len(notes.nonces) == 1 and self.store.useNonce(*notes.nonces[0]):
            return response
        return FailureResponse(response.endpoint, _("This answer has been used before, or it is too old."))

    def _verify(self, answer: Answer, notes: Notes) -> Response:
        if not answer.is_readable:
            raise Refusal(unreadable())
        message = Message.fromPostArgs(answer.values)
        self._check_expected(answer, message)
        protocol = self.protocol(notes, self.fetcher, discover, answer.may_ask)
        response = protocol.complete(message, answer.endpoint, answer.current_url)
        reason = getattr(response, "message", None)
        if isinstance(reason, NotFound) and reason.is_away:
            return Unanswered(answer.endpoint, str(reason))
        if response.status != SUCCESS:
            return response
        if not response.identity_url:
            raise Refusal(_("The provider did not say who you are."))
        if " " in response.identity_url:
            # The text of an identity with a space is one of OpenID Connect.
            raise Refusal(unreadable())
        if len(response.identity_url) > MAX_URL:
            raise Refusal(_("Your identifier is longer than %(limit)s characters.") % {"limit": MAX_URL})
        from_sso = self._is_from_sso(answer, response.endpoint)
        return VerifiedResponse(response.endpoint, response.message, response.signed_fields, from_sso)

    def _check_expected(self, answer: Answer, message: Message) -> None:
        """Whether the answer is one to a sign-in that was begun here, from where that was sent."""
        begun = answer.begun
        if begun is None:
            if not config.allow_unsolicited:
                # The answer is not quoted: a page that anybody can send people to must not show what is in its address.
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
        if config.sso_server_url is not None and begun.asked != config.sso_server_url:
            raise Refusal(foreign())

    def _is_from_sso(self, answer: Answer, endpoint: OpenIDServiceEndpoint) -> bool:
        """Whether OPENID_SSO_SERVER_URL is set; Refusal if it is, and the answer is not from there."""
        if config.sso_server_url is None:
            return False
        if answer.begun is not None:
            from_sso = endpoint.server_url == answer.begun.endpoint.server_url
        else:
            _identifier, endpoints = discover(config.sso_server_url, self.fetcher)
            from_sso = any(each.server_url == endpoint.server_url for each in endpoints)
        if not from_sso:
            raise Refusal(foreign())
        return True


def unreadable() -> str:
    return _("The provider's answer cannot be read.")


def foreign() -> str:
    return _("This site accepts identities of its own provider only.")


class Refusal(Exception):
    """The answer breaks one of our rules. The message may be shown."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Notes(OpenIDStore):
    """A store for the time of a verification: it knows one association, and notes what the database is to be told."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.nonces: list[tuple[str, int, str]] = []
        self.invalidated: list[tuple[str, str]] = []

    def getAssociation(self, server_url: str, handle: str | None = None) -> Association | None:
        same = (server_url, handle) == (self._answer.server_url, self._answer.handle)
        return self._answer.association if same else None

    def useNonce(self, server_url: str, timestamp: int, salt: str) -> bool:
        self.nonces.append((server_url, timestamp, salt))
        return True

    def removeAssociation(self, server_url: str, handle: str) -> bool:
        self.invalidated.append((server_url, handle))
        return True
