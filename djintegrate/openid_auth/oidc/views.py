"""The views of OpenID Connect: a sign-in goes to the provider and comes back, and ends here or there.

Each is in steps, those that wait for the provider apart from those that ask the database or the session. So the views
for ASGI put each into the thread where it belongs.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from openid.consumer.consumer import CancelResponse, FailureResponse

from ..exceptions import DjangoOpenIDException, NotAnAnswer, ProviderAway, ProviderUnusable, UsedBefore
from ..people.arrival import conclude, pass_on, refuse_one_too_many, user_key
from ..site import begun as entries
from ..site.egress import make_fetcher
from ..site.failures import fail
from ..site.pages import lacks_cookies, send_again
from ..site.redirects import MAX_IN_COOKIE, to_be_kept
from ..site.submitted import submitted
from ..site.unanswered import Unanswered
from . import clients, exchange
from .clients import Client
from .discovery import Provider, provider_of
from .leaving import backchannel_logout, sign_out
from .state import Begun, find, remember, use
from .transport import Away, Refused, Unusable

__all__ = ["abegin", "acomplete", "backchannel_logout", "begin", "complete", "sign_out"]

logger = logging.getLogger("djintegrate.openid_auth")

COMPLETE = "openid-connect-complete"
DENIED = "access_denied"
INVALID_GRANT = "invalid_grant"
LATER = frozenset({"server_error", "temporarily_unavailable"})
NEEDS_MORE = frozenset({"account_selection_required", "consent_required", "interaction_required", "login_required"})


@dataclass(frozen=True)
class Answer:
    """What the browser brought, to a sign-in that it had begun."""

    client: Client
    begun: Begun
    return_to: str
    code: str
    names_issuer: bool
    """Whether it says who sent it (RFC 9207), which then is the right one."""


def begin(
    request: HttpRequest, issuer: str, purpose: str = "login", following: str = "", render_failure: Any = None
) -> HttpResponse | None:
    """Send the browser to the issuer. None if a session that is to be checked again cannot be, for now."""
    client = _client(issuer)
    return _sent(request, client, _described(client), purpose, following, render_failure)


async def abegin(
    request: HttpRequest, issuer: str, purpose: str = "login", following: str = "", render_failure: Any = None
) -> HttpResponse | None:
    """As `begin`."""
    client = _client(issuer)
    provider = await sync_to_async(_described, thread_sensitive=False)(client)
    return await sync_to_async(_sent)(request, client, provider, purpose, following, render_failure)


@login_not_required
@never_cache
@require_GET
def complete(request: HttpRequest, key: str, render_failure: Any = None) -> HttpResponse:
    """Take the provider's answer and sign the person in, or say why not."""
    answer = _receive(request, key, render_failure)
    if isinstance(answer, HttpResponse):
        return answer
    return _finish(request, answer, _verify(answer), render_failure)


@login_not_required
@never_cache
@require_GET
async def acomplete(request: HttpRequest, key: str, render_failure: Any = None) -> HttpResponse:
    """As `complete`."""
    answer = await sync_to_async(_receive)(request, key, render_failure)
    if isinstance(answer, HttpResponse):
        return answer
    response = await sync_to_async(_verify, thread_sensitive=False)(answer)
    return await sync_to_async(_finish)(request, answer, response, render_failure)


def _client(issuer: str) -> Client:
    client = clients.of_issuer(issuer)
    if client is None:
        raise LookupError(f"OPENID_PROVIDERS has no issuer {issuer!r}.")
    return client


def _described(client: Client) -> Provider | DjangoOpenIDException:
    """The provider, or why it cannot be asked."""
    try:
        return provider_of(client, make_fetcher())
    except Away as error:
        logger.warning("The provider %.200r does not answer: %s", client.issuer, error)
        return ProviderAway(_away(client))
    except Unusable as error:
        logger.warning("The provider %.200r cannot be used: %s", client.issuer, error)
    except Exception as error:
        # What the libraries raise over a hostile document has no common class.
        logger.warning("The provider %.200r cannot be read: %r", client.issuer, error)
    return ProviderUnusable(ProviderUnusable.named % {"name": client.name})


def _sent(
    request: HttpRequest,
    client: Client,
    provider: Provider | DjangoOpenIDException,
    purpose: str,
    following: str,
    render_failure: Any = None,
) -> HttpResponse | None:
    if isinstance(provider, DjangoOpenIDException):
        if purpose == "recheck":
            return None
        return fail(request, provider.message, render_failure, status=400, exception=provider)
    sign_in = exchange.begun(
        client,
        purpose,
        "" if purpose == "login" else user_key(request),
        to_be_kept(following, MAX_IN_COOKIE),
    )
    prompt = "none" if purpose == "recheck" else ""
    state = remember(request, sign_in)
    address = exchange.address_of(client, provider, sign_in, state, _return_to(request, client), prompt)
    response = HttpResponseRedirect(address)
    entries.of(request).write(response)
    return response


def _receive(request: HttpRequest, key: str, render_failure: Any) -> Answer | HttpResponse:
    """The answer, to be verified; or the response, if there is nothing to verify."""
    if lacks_cookies(request):
        return send_again(request)
    data = submitted(request)
    client = clients.of_key(key)
    if client is None or not ("state" in data or "code" in data or "error" in data):
        return fail(request, NotAnAnswer.default, render_failure, exception=NotAnAnswer())
    state = data.get("state", "")
    if elsewhere := pass_on(request, state):
        return elsewhere
    if refusal := refuse_one_too_many(request, state, None, render_failure):
        return refusal
    sign_in = find(request, state, client.issuer)
    if sign_in is None:
        # The answer is not quoted: a page that anybody can send people to must not show what is in its address.
        message = _("This sign-in was not begun in this browser, or too long ago. Please begin anew.")
        return conclude(request, FailureResponse(None, message), None, None, render_failure)
    if not use(request, state, sign_in):
        used = UsedBefore()
        return fail(request, used.message, render_failure, exception=used)
    if data.get("iss", client.issuer) != client.issuer:
        message = _("The answer is from another provider than the one that was asked.")
        return conclude(request, FailureResponse(None, message), sign_in, sign_in.following, render_failure)
    if "error" in data:
        refusal = _refused(client, data["error"], data.get("error_description", ""))
        return conclude(request, refusal, sign_in, sign_in.following, render_failure)
    return Answer(client, sign_in, _return_to(request, client), data.get("code", ""), "iss" in data)


def _verify(answer: Answer) -> Any:
    """Who the provider vouches for, or a response that says why nobody."""
    try:
        fetcher = make_fetcher()
        provider = provider_of(answer.client, fetcher)
        if provider.names_itself and not answer.names_issuer:
            raise Unusable("it does not name its issuer, as the provider says that it does")
        return exchange.person(answer.client, provider, answer.begun, answer.code, answer.return_to, fetcher)
    except Away as error:
        logger.warning("The provider %.200r did not answer: %s", answer.client.issuer, error)
        return Unanswered(None, _away(answer.client))
    except Refused as error:
        logger.warning("The provider %.200r refuses: %s", answer.client.issuer, error)
        return FailureResponse(None, UsedBefore.default if error.error == INVALID_GRANT else _unwilling())
    except Unusable as error:
        logger.warning("An answer of %.200r is not used: %s", answer.client.issuer, error)
    except Exception as error:
        # What the libraries raise over a hostile answer has no common class; that answer proves nobody's identity.
        logger.warning("An answer of %.200r cannot be read: %r", answer.client.issuer, error)
    return FailureResponse(None, _("The provider's answer cannot be read."))


def _finish(request: HttpRequest, answer: Answer, response: Any, render_failure: Any) -> HttpResponse:
    return conclude(request, response, answer.begun, answer.begun.following, render_failure)


def _refused(client: Client, error: str, description: str) -> Any:
    """What an answer without a code amounts to. Its words are for the log: anybody may have written them."""
    if error == DENIED:
        return CancelResponse(None)
    logger.warning("The provider %.200r refuses: %.100r, %.300r", client.issuer, error, description)
    if error in LATER:
        return Unanswered(None, _away(client), by_browser=True)
    return FailureResponse(None, _("the provider needs more from you") if error in NEEDS_MORE else _unwilling())


def _unwilling() -> str:
    return _("the provider does not accept what this site asks of it")


def _away(client: Client) -> str:
    return _("%(identifier)s does not answer at the moment.") % {"identifier": client.name}


def _return_to(request: HttpRequest, client: Client) -> str:
    return request.build_absolute_uri(reverse(COMPLETE, args=[client.key]))
