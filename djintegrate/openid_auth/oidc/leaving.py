"""The end of a session: at the person's wish, here and at the provider; or at the provider's (back-channel logout)."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from openid.fetchers import HTTPFetchingError

from ..fields import digest_of
from ..people import sessions
from ..site.egress import make_fetcher
from ..site.redirects import page_of
from ..site.submitted import in_body_or_address
from ..site.throttle import has_used_up, seconds_to_wait
from ..store import use_once
from . import clients
from .clients import Client
from .discovery import provider_of
from .tokens import logout_claims
from .transport import Unusable

logger = logging.getLogger("djintegrate.openid_auth")

REFUSED = "logout"
"""What is counted of a client: logout tokens that did not hold. A provider may send any number of those that do."""


@login_not_required
@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out here; who came by OpenID Connect is sent on to sign out at the provider too."""
    client = _client_of(request)
    _leave(request)
    return _sent_on(request, client, _end_address(client))


@login_not_required
@never_cache
@require_POST
async def asign_out(request: HttpRequest) -> HttpResponse:
    """As `sign_out`."""
    client = await sync_to_async(_client_of)(request)
    await sync_to_async(_leave)(request)
    address = await sync_to_async(_end_address, thread_sensitive=False)(client)
    return await sync_to_async(_sent_on)(request, client, address)


@login_not_required
@never_cache
@csrf_exempt
@require_POST
def backchannel_logout(request: HttpRequest, key: str) -> HttpResponse:
    """Take a provider's word that a session, or all of a person's, is over."""
    client, token = _received(request, key)
    return _ended(request, client, _read(client, token))


@login_not_required
@never_cache
@csrf_exempt
@require_POST
async def abackchannel_logout(request: HttpRequest, key: str) -> HttpResponse:
    """As `backchannel_logout`."""
    client, token = await sync_to_async(_received)(request, key)
    claims = await sync_to_async(_read, thread_sensitive=False)(client, token)
    return await sync_to_async(_ended)(request, client, claims)


# The person's wish


def _client_of(request: HttpRequest) -> Client | None:
    """Of the issuer that has opened the session, if it was one."""
    return clients.of_issuer(str(request.session.get(sessions.ISSUER, "")))


def _leave(request: HttpRequest) -> None:
    logout(request)


def _end_address(client: Client | None) -> str:
    if client is None:
        return ""
    try:
        return provider_of(client, make_fetcher()).address("end_session_endpoint")
    except Exception as error:
        # Whatever a provider describes itself by, it is no reason not to sign out here.
        logger.warning("Nobody is signed out at %.200r: %s", client.issuer, error)
        return ""


def _sent_on(request: HttpRequest, client: Client | None, address: str) -> HttpResponse:
    here = page_of("LOGOUT_REDIRECT_URL") if settings.LOGOUT_REDIRECT_URL else "/"
    if client is None or not address:
        return HttpResponseRedirect(here)
    back = {"client_id": client.client_id, "post_logout_redirect_uri": request.build_absolute_uri(here)}
    return HttpResponseRedirect(f"{address}{'&' if '?' in address else '?'}{urlencode(back)}")


# The provider's word


def _received(request: HttpRequest, key: str) -> tuple[Client | None, str]:
    """The client, and the token for it. No client for who has sent too many tokens that did not hold.

    To read one may be to ask the provider for its keys.
    """
    if has_used_up(request, REFUSED):
        return None, ""
    return clients.of_key(key), in_body_or_address(request).get("logout_token", "")


def _read(client: Client | None, token: str) -> dict[str, Any] | None:
    """The claims of the token; None if it does not hold."""
    if client is None:
        return None
    try:
        fetcher = make_fetcher()
        return logout_claims(token, client, provider_of(client, fetcher), fetcher)
    except (HTTPFetchingError, Unusable, ValueError) as error:
        logger.warning("A logout token for %.200r is not used: %s", client.issuer, error)
    except Exception as error:
        # What the libraries raise over a hostile token has no common class.
        logger.warning("A logout token for %.200r cannot be read: %r", client.issuer, error)
    return None


def _ended(request: HttpRequest, client: Client | None, claims: dict[str, Any] | None) -> HttpResponse:
    if client is None or claims is None:
        seconds_to_wait(request, REFUSED)
        return _refused("invalid_request")
    if not sessions.is_watched():
        logger.warning("%.200r ends a session, and without OpenIDSessionMiddleware none can be ended", client.issuer)
        return _refused("invalid_request")
    if not use_once(client.issuer, int(claims["iat"]), digest_of("logout", claims["jti"])):
        logger.warning("A logout token of %.200r came for the second time", client.issuer)
        return _refused("invalid_request")
    ended = sessions.end_by_provider(client.issuer, claims.get("sub", ""), claims.get("sid", ""))
    logger.info("The provider %.200r ended %s sessions", client.issuer, ended)
    return HttpResponse()


def _refused(error: str) -> HttpResponse:
    return JsonResponse({"error": error}, status=400)
