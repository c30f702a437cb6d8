"""The views of a sign-in: one begins it and sends the browser to the provider, one takes the provider's answer.

`alogin_begin` and `alogin_complete`, in `async_views`, are the same for ASGI.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, authenticate, logout
from django.contrib.auth import login as auth_login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from openid.consumer.consumer import CANCEL, SUCCESS, AuthRequest, Response
from openid.consumer.discover import DiscoveryFailure

from .auth import OpenIDBackend
from .conf import config
from .exceptions import DjangoOpenIDException, IdentityAlreadyClaimed, NotAnAnswer
from .forms import OpenIDLoginForm
from .models import UserOpenID
from .people import details, membership, recheck, sessions
from .protocol.consumer import OpenIDConsumer
from .protocol.state import Begun
from .signals import openid_login_complete, openid_login_failed
from .site import failures
from .site.failures import default_render_failure
from .site.pages import POSTED_AGAIN, lacks_cookies, logo, providers, send_again, send_by_form
from .site.redirects import is_valid_next_url, sanitise_redirect_url
from .site.submitted import in_body_or_address, submitted
from .site.throttle import seconds_to_wait
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
MAX_REASON = 300


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
def login_complete(
    request: HttpRequest, redirect_field_name: str = REDIRECT_FIELD_NAME, render_failure: Any = None
) -> HttpResponse:
    """Take the provider's answer and sign the person in, or say why not."""
    if lacks_cookies(request):
        return send_again(request)
    data = openid_data(request)
    if refusal := refuse_unread(request, data, render_failure):
        return refusal
    consumer = make_consumer(request)
    response = consumer.complete(data, request.build_absolute_uri())
    return conclude(request, response, consumer.answered, redirect_field_name, render_failure)


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
    try:
        user = user_key(request) if purpose == "add" else ""
        openid_request = make_consumer(request).begin(openid_url, purpose=purpose, user=user)
    except DiscoveryFailure as error:
        return fail(request, str(error), render_failure, status=400, exception=error)
    return send(request, openid_request, redirect_to, login_complete_view, redirect_field_name)


def ask_again(request: HttpRequest) -> HttpResponse | None:
    """Send a session through its provider, which is to ask the person nothing. None if the provider is not there."""
    if refusal := refuse_too_many(request, None):
        return refusal
    try:
        openid_request = make_consumer(request).begin(vouching(request), purpose="recheck", user=user_key(request))
    except DiscoveryFailure as error:
        postpone(request, error)
        return None
    return send_to_be_checked(request, openid_request)


def make_consumer(request: HttpRequest) -> OpenIDConsumer:
    """The OpenID consumer of this request. Its state is in the session."""
    return OpenIDConsumer(request.session, DjangoOpenIDStore())


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
        return HttpResponseRedirect(address)
    return send_by_form(request, openid_request.endpoint.server_url, message.toPostArgs().items())


def parse_openid_response(request: HttpRequest) -> Response | None:
    """The provider's answer, verified; None if the request is not one."""
    data = openid_data(request)
    return make_consumer(request).complete(data, request.build_absolute_uri()) if data else None


def get_request_data(request: HttpRequest) -> QueryDict:
    """What the request says in its address and in its body together."""
    return submitted(request)


# The steps of the views


def vouching(request: HttpRequest) -> str:
    """The identifier whose provider vouches for the session."""
    return config.sso_server_url or recheck.identity(request)


def postpone(request: HttpRequest, error: DiscoveryFailure) -> None:
    logger.warning("User %s was not checked again: %s", request.user.pk, error)
    recheck.postpone(request)


def send_to_be_checked(request: HttpRequest, openid_request: AuthRequest) -> HttpResponse:
    following = request.get_full_path()
    return send(request, openid_request, following, "openid-complete", REDIRECT_FIELD_NAME, immediate=True)


def ask_for_identifier(
    request: HttpRequest, template_name: str, form_class: type[forms.Form], redirect_field_name: str
) -> HttpResponse | str:
    """The identifier to begin with, or the page that asks for it."""
    if config.sso_server_url is not None:
        return config.sso_server_url
    form = form_class(data=in_body_or_address(request)) if request.method == "POST" else form_class()
    if form.is_bound and form.is_valid():
        identifier: str = form.cleaned_data["openid_identifier"]
        return identifier
    context = {
        "form": form,
        "providers": providers(),
        redirect_field_name: get_request_data(request).get(redirect_field_name, ""),
    }
    return render(request, template_name, context)


def refuse_unread(request: HttpRequest, data: dict[str, str], render_failure: Any) -> HttpResponse | None:
    """The page for a request that is not an answer, or one too many; None for an answer that is to be read."""
    if not data:
        return fail(request, NotAnAnswer.default, render_failure, exception=NotAnAnswer())
    return refuse_too_many(request, render_failure, "complete")


def refuse_too_many(request: HttpRequest, render_failure: Any, what: str = "begin") -> HttpResponse | None:
    wait = seconds_to_wait(request, what)
    if not wait:
        return None
    message = _("There were too many sign-ins from your address. Please try again in a minute.")
    response = fail(request, message, render_failure, status=429)
    response["Retry-After"] = str(wait)
    return response


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
    if redirect_to is None:
        redirect_to = get_request_data(request).get(redirect_field_name, "")
    if redirect_to and is_valid_next_url(redirect_to):
        return_to += ("&" if "?" in return_to else "?") + urlencode({redirect_field_name: redirect_to})
    return render_openid_request(request, openid_request, return_to, immediate=immediate)


def openid_data(request: HttpRequest) -> dict[str, str]:
    """The answer's values; none if the request is not an answer."""
    data = {name: value for name, value in get_request_data(request).items() if name != POSTED_AGAIN}
    return data if "openid.mode" in data else {}


def conclude(
    request: HttpRequest, response: Response, begun: Begun | None, redirect_field_name: str, render_failure: Any
) -> HttpResponse:
    """Sign the person in whom a verified answer names, or say why not."""
    following = get_request_data(request).get(redirect_field_name)
    if begun is not None and begun.purpose == "recheck" and response.status != SUCCESS:
        # The provider cannot answer without a question to the person, so it is asked with one.
        logger.info("Signed out: %s, for whom %r does not vouch without a question", request.user, begun.asked[:200])
        logout(request)
        return redirect_to_login(sanitise_redirect_url(following))
    if response.status == CANCEL:
        return fail(request, _("Authentication cancelled"), render_failure, response)
    if response.status != SUCCESS:
        reason = str(getattr(response, "message", None) or _("the provider needs more from you"))[:MAX_REASON]
        message = _("OpenID authentication failed: %(reason)s") % {"reason": reason}
        return fail(request, message, render_failure, response)
    try:
        if begun is not None and begun.purpose == "add":
            _add_identity(request, response, begun)
        elif begun is not None and begun.purpose == "recheck":
            _confirm(request, response, begun)
        elif refusal := _sign_in(request, response):
            return fail(request, refusal, render_failure, response)
    except DjangoOpenIDException as error:
        return fail(request, error.message, render_failure, response, exception=error)
    return HttpResponseRedirect(sanitise_redirect_url(following))


def fail(
    request: HttpRequest,
    message: Any,
    render_failure: Any = None,
    response: Response | None = None,
    status: int = 403,
    exception: Exception | None = None,
) -> HttpResponse:
    """The failure page, once those who listen have been told."""
    identity = getattr(response, "identity_url", None)
    reason = " ".join(str(message).split())
    logger.warning("A sign-in failed%s: %s", f" for {identity[:200]!r}" if identity else "", reason)
    openid_login_failed.send(
        sender=UserOpenID, request=request, message=message, openid_response=response, exception=exception
    )
    return failures.render_failure(request, message, render_failure, status=status, exception=exception)


def _sign_in(request: HttpRequest, response: Response) -> str | None:
    """Why it did not work, or None if it did."""
    user = authenticate(request, openid_response=response)
    if user is None:
        return _("Unknown user")
    if not user.is_active:
        return _("Disabled account")
    auth_login(request, user)
    sessions.record(request, response.identity_url)
    recheck.note(request, response.identity_url)
    logger.info("Signed in: %s, as %r", user, response.identity_url[:200])
    openid_login_complete.send(sender=UserOpenID, request=request, openid_response=response)
    return None


def _confirm(request: HttpRequest, response: Response, begun: Begun) -> None:
    """The provider vouches for the session's person again, perhaps with other teams; or the session ends."""
    if response.identity_url == recheck.identity(request):
        user = authenticate(request, openid_response=response)
        if user is not None and user.is_active and str(user.pk) == user_key(request) == begun.user:
            recheck.note(request, response.identity_url)
            return
    logger.info("Signed out: %s, who may not be here any more", request.user)
    logout(request)
    raise DjangoOpenIDException(_("You have been signed out: your provider says that you may not be here any more."))


def _add_identity(request: HttpRequest, response: Response, begun: Begun) -> None:
    key = user_key(request)
    if not key or key != begun.user:
        raise DjangoOpenIDException(_("You are no longer signed in as the person who began to add this identity."))
    try:
        with transaction.atomic():
            OpenIDBackend().associate_openid(request.user, response)
    except IntegrityError as error:
        raise IdentityAlreadyClaimed() from error
    messages.success(request, _("%s now signs you in.") % response.identity_url, fail_silently=True)


def user_key(request: HttpRequest) -> str:
    user = getattr(request, "user", None)
    return str(user.pk) if user is not None and user.is_authenticated else ""
