"""The views of a sign-in: one begins it and sends the browser to the provider, one takes the provider's answer.

`alogin_begin` and `alogin_complete`, in `async_views`, are the same for ASGI.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from openid.consumer.consumer import AuthRequest, Response
from openid.consumer.discover import DiscoveryFailure

from . import connect
from .conf import config
from .exceptions import NotAnAnswer
from .forms import OpenIDLoginForm
from .people import details, membership, recheck
from .people.arrival import conclude, is_held_back, pass_on, refuse_one_too_many, user_key
from .people.identity import issuer_of
from .protocol.consumer import OpenIDConsumer
from .protocol.state import PARAMETER
from .site import begun
from .site.failures import default_render_failure, fail, refuse_too_many
from .site.issuers import Issuer
from .site.pages import POSTED_AGAIN, chosen, issuers, lacks_cookies, logo, providers, send_again, send_by_form
from .site.redirects import MAX_IN_RETURN_TO, is_valid_next_url, sanitise_redirect_url, to_be_kept
from .site.submitted import in_body_or_address, submitted
from .store import DjangoOpenIDStore

__all__ = [
    "default_render_failure",
    "get_request_data",
    "is_valid_next_url",
    "login_begin",
    "login_complete",
    "logo",
    "make_consumer",
    "parse_openid_response",
    "render_openid_request",
    "sanitise_redirect_url",
]

logger = logging.getLogger("djintegrate.openid_auth")

MAX_REDIRECT = 2047


@login_not_required
@never_cache
def login_begin(
    request: HttpRequest,
    template_name: str = "openid/login.html",
    login_complete_view: str = "openid-complete",
    form_class: type[forms.Form] = OpenIDLoginForm,
    render_failure: Any = None,
    redirect_field_name: str = REDIRECT_FIELD_NAME,
) -> HttpResponse:
    """Ask for an OpenID, or send the browser to the provider."""
    asked = ask_for_identifier(request, template_name, form_class, redirect_field_name)
    if isinstance(asked, HttpResponse):
        return asked
    return begin_request(request, asked, None, "login", login_complete_view, render_failure, redirect_field_name)


@login_not_required
@never_cache
@csrf_exempt
@require_http_methods(["GET", "POST"])
def login_complete(
    request: HttpRequest, redirect_field_name: str = REDIRECT_FIELD_NAME, render_failure: Any = None
) -> HttpResponse:
    """Take the provider's answer and sign the person in, or say why not."""
    if lacks_cookies(request):
        return send_again(request)
    data = openid_data(request)
    if refusal := refuse_unread(request, data, render_failure, redirect_field_name):
        return refusal
    consumer = make_consumer(request)
    response = consumer.complete(data, request.build_absolute_uri())
    return conclude(request, response, consumer.answered, following(request, redirect_field_name), render_failure)


def begin_request(
    request: HttpRequest,
    openid_url: str,
    redirect_to: str | None = None,
    purpose: str = "login",
    login_complete_view: str = "openid-complete",
    render_failure: Any = None,
    redirect_field_name: str = REDIRECT_FIELD_NAME,
) -> HttpResponse:
    """Send the browser to the provider of `openid_url`. The purpose "add" gives the identity to the user."""
    if refusal := refuse_too_many(request, render_failure):
        return refusal
    if isinstance(openid_url, Issuer):
        after = asked_next(request, redirect_to, redirect_field_name)
        return found(connect.begin(request, openid_url, purpose, after, render_failure))
    try:
        user = user_key(request) if purpose == "add" else ""
        openid_request = make_consumer(request).begin(openid_url, purpose=purpose, user=user)
    except DiscoveryFailure as error:
        return fail(request, str(error), render_failure, status=400, exception=error)
    return send(request, openid_request, redirect_to, login_complete_view, redirect_field_name)


def ask_again(request: HttpRequest) -> HttpResponse | None:
    """Send a session through its provider, which is to ask the person nothing. None if the provider is not there."""
    if is_held_back(request):
        return None
    if refusal := refuse_too_many(request, None, "recheck"):
        return refusal
    asked = vouching(request)
    if isinstance(asked, Issuer):
        if refusal := refuse_forgotten(request, asked):
            return refusal
        return connected(request, connect.begin(request, asked, "recheck", request.get_full_path()), asked)
    try:
        openid_request = make_consumer(request).begin(asked, purpose="recheck", user=user_key(request))
    except DiscoveryFailure as error:
        recheck.postpone(request, error)
        return None
    return send_to_be_checked(request, openid_request)


def make_consumer(request: HttpRequest) -> OpenIDConsumer:
    """The OpenID consumer of this request. What it has begun, the browser remembers once a response is written."""
    return OpenIDConsumer(begun.of(request), DjangoOpenIDStore())


def render_openid_request(
    request: HttpRequest,
    openid_request: AuthRequest,
    return_to: str,
    trust_root: str | None = None,
    immediate: bool = False,
) -> HttpResponse:
    """Send the browser to the provider: by a redirect, or by a form if the request is long."""
    realm = trust_root or config.trust_root or request.build_absolute_uri("/")
    message = openid_request.getMessage(realm, return_to, immediate)
    address = message.toURL(openid_request.endpoint.server_url)
    if len(address) <= MAX_REDIRECT:
        response: HttpResponse = HttpResponseRedirect(address)
    else:
        response = send_by_form(request, openid_request.endpoint.server_url, message.toPostArgs().items())
    begun.of(request).write(response)
    return response


def parse_openid_response(request: HttpRequest) -> Response | None:
    """The provider's answer, verified; None if the request is not one."""
    data = openid_data(request)
    return make_consumer(request).complete(data, request.build_absolute_uri()) if data else None


def get_request_data(request: HttpRequest) -> QueryDict:
    """What the request says in its address and in its body together."""
    return submitted(request)


# The steps of the views


def vouching(request: HttpRequest) -> str:
    """The identifier whose provider vouches for the session, or the issuer."""
    only = config.sso_server_url
    issuer = only if only in issuers() else issuer_of(recheck.identity(request))
    return Issuer(issuer) if issuer else only or recheck.identity(request)


def refuse_forgotten(request: HttpRequest, issuer: str) -> HttpResponse | None:
    """Sign out whose issuer the settings do not name any more: nobody can vouch for them."""
    if issuer in issuers():
        return None
    logger.info("Signed out: %s, whose issuer %r is not one of OPENID_PROVIDERS", request.user, issuer[:200])
    logout(request)
    return redirect_to_login(request.get_full_path())


def connected(request: HttpRequest, response: HttpResponse | None, issuer: str) -> HttpResponse | None:
    if response is None:
        recheck.postpone(request, f"{issuer[:200]!r} cannot be asked")
    return response


def send_to_be_checked(request: HttpRequest, openid_request: AuthRequest) -> HttpResponse:
    here = request.get_full_path()
    return send(request, openid_request, here, "openid-complete", REDIRECT_FIELD_NAME, immediate=True)


def ask_for_identifier(
    request: HttpRequest, template_name: str, form_class: type[forms.Form], redirect_field_name: str
) -> HttpResponse | str:
    """The identifier or the issuer to begin with, or the page that asks for it."""
    if (asked := chosen(request)) is not None:
        return asked
    form = form_class(data=in_body_or_address(request)) if request.method == "POST" else form_class()
    if form.is_bound and form.is_valid():
        identifier: str = form.cleaned_data["openid_identifier"]
        return identifier
    context = {
        "form": form if config.sso_server_url is None else None,
        "providers": providers(),
        redirect_field_name: get_request_data(request).get(redirect_field_name, ""),
    }
    return render(request, template_name, context)


def refuse_unread(
    request: HttpRequest, data: dict[str, str], render_failure: Any, redirect_field_name: str = REDIRECT_FIELD_NAME
) -> HttpResponse | None:
    """The page for a request that is not an answer, or one too many; None for an answer that is to be read."""
    if not data:
        return fail(request, NotAnAnswer.default, render_failure, exception=NotAnAnswer())
    after = following(request, redirect_field_name)
    if not config.allow_unsolicited and (elsewhere := pass_on(request, data.get(PARAMETER), after)):
        return elsewhere
    return refuse_one_too_many(request, data.get(PARAMETER), after, render_failure)


def send(
    request: HttpRequest,
    openid_request: AuthRequest,
    redirect_to: str | None,
    login_complete_view: str,
    redirect_field_name: str,
    immediate: bool = False,
) -> HttpResponse:
    """Ask what the settings want to know, and go. `immediate`: the provider is not to ask the person anything."""
    details.ask(openid_request)
    if teams := membership.teams_request():
        openid_request.addExtension(teams)
    return_to = request.build_absolute_uri(reverse(login_complete_view))
    after = to_be_kept(asked_next(request, redirect_to, redirect_field_name), MAX_IN_RETURN_TO)
    if after:
        return_to += ("&" if "?" in return_to else "?") + urlencode({redirect_field_name: after})
    return render_openid_request(request, openid_request, return_to, immediate=immediate)


def asked_next(request: HttpRequest, redirect_to: str | None, redirect_field_name: str) -> str:
    """Where to go after the sign-in: as the view says, or as the request asks."""
    return redirect_to if redirect_to is not None else following(request, redirect_field_name) or ""


def found(response: HttpResponse | None) -> HttpResponse:
    assert response is not None, "Only a session that is checked again may go without an answer."
    return response


def openid_data(request: HttpRequest) -> dict[str, str]:
    """The answer's values; none if the request is not an answer."""
    data = {name: value for name, value in get_request_data(request).items() if name != POSTED_AGAIN}
    return data if "openid.mode" in data else {}


def following(request: HttpRequest, redirect_field_name: str) -> str | None:
    """Where the browser is to go after a sign-in."""
    found: str | None = get_request_data(request).get(redirect_field_name)
    return found
