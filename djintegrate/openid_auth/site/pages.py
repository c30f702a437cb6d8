"""What the pages show beside the forms: the providers to choose from, what to do after a failure, forms that send on.

Decides nothing about who may sign in.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import NoReverseMatch, get_script_prefix, reverse
from django.utils.translation import gettext as _
from openid.consumer.discover import DiscoveryFailure

from djintegrate.common import csp

from ..conf import config
from ..exceptions import NotAnAnswer
from ..protocol.discovery import NotFound, Unreachable
from . import begun
from .issuers import Issuer
from .submitted import in_body_or_address, submitted

POSTED_AGAIN = "posted_again"


IDENTIFIER = "openid_identifier"
ISSUER = "openid_issuer"


@dataclass(frozen=True)
class Provider:
    """One button of the chooser. `icon` is the URL of an image, or empty; `field` is what the button sends `url` as."""

    name: str
    url: str
    icon: str = ""
    field: str = IDENTIFIER


def providers() -> list[Provider]:
    """OPENID_PROVIDERS, with an icon that is not a URL looked up among the static files.

    With single sign-on, of those of OpenID 2.0 only the one that is signed on at; or only one, if that is an issuer.
    """
    listed = [
        Provider(
            entry["name"],
            entry.get("issuer") or entry["url"],
            _icon(entry.get("icon") or "openid/openid.svg"),
            ISSUER if "issuer" in entry else IDENTIFIER,
        )
        for entry in config.providers
    ]
    only = config.sso_server_url
    if only is None:
        return listed
    if only in issuers():
        return [each for each in listed if (each.field, each.url) == (ISSUER, only)]
    left = [each for each in listed if each.field == ISSUER or each.url == only]
    if only in (each.url for each in left):
        return left
    return [Provider(urlsplit(only).netloc, only, _icon("openid/openid.svg")), *left]


def issuers() -> list[str]:
    """The providers of OpenID Connect."""
    return [entry["issuer"] for entry in config.providers if "issuer" in entry]


def chosen(request: HttpRequest) -> str | None:
    """Whom to ask, where there is no choice or one was made by a button; None if that is still to be said."""
    offered, only = issuers(), config.sso_server_url
    if only in offered:
        return Issuer(only)
    if only is not None and not offered:
        return only
    if request.method != "POST":
        return None
    data = in_body_or_address(request)
    if data.get(ISSUER) in offered:
        return Issuer(data[ISSUER])
    return only


@login_not_required
def logo(request: HttpRequest) -> HttpResponse:
    """The picture that templates made for django-openid-auth ask for."""
    return redirect(static("openid/openid.svg"))


def failure_context(request: HttpRequest, message: Any, exception: Exception | None = None) -> dict[str, Any]:
    """What openid/failure.html shows."""
    context = {"message": message, "exception": exception, "try_again": _way_back(request)}
    context["front_page"] = get_script_prefix()
    context["begin"] = isinstance(exception, NotAnAnswer)
    return {**context, "advice": _advice(exception)}


def send_by_form(request: HttpRequest, action: str, fields: Iterable[tuple[str, str]], method: str = "post") -> Any:
    """A page whose form is sent by itself; without JavaScript, by its button. For what is too long for a redirect."""
    context = {
        "action": action,
        "fields": list(fields),
        "method": method,
        "destination": urlsplit(action).netloc or request.get_host(),
        "nonce": csp.nonce(request),
    }
    return render(request, "openid/redirect.html", context)


def lacks_cookies(request: HttpRequest) -> bool:
    """Whether the browser held cookies back because another site sent it here.

    A provider sends long answers by a form, and with that no SameSite=Lax cookie comes. With what a page of ours sends
    it does. A sign-in's cookie is always one of those, the session's if the settings say so.
    """
    policy = settings.SESSION_COOKIE_SAMESITE
    has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
    if policy == "Strict":
        came = has_session
    else:
        came = request.method != "POST" or (policy == "Lax" and has_session) or begun.has_any(request.COOKIES)
    return not came and POSTED_AGAIN not in in_body_or_address(request)


def send_again(request: HttpRequest) -> HttpResponse:
    """A page of this site that sends the same answer once more, now with the cookie."""
    data = in_body_or_address(request)
    fields = [(name, value) for name, values in data.lists() for value in values]
    action = request.get_full_path() if request.method == "POST" else request.path
    method = str(request.method).lower()
    return send_by_form(request, action, [*fields, (POSTED_AGAIN, "1")], method)


def _advice(exception: Exception | None) -> Any:
    if isinstance(exception, Unreachable) or (isinstance(exception, NotFound) and _is_ours(exception.identifier)):
        return _("That is not your fault. Please try again in a few minutes.")
    if isinstance(exception, DiscoveryFailure):
        return _("Look whether the address is right: it is that of your OpenID or of your provider.")
    if advice := getattr(exception, "advice", ""):
        return advice
    if config.sso_server_url is not None:
        return _("You can try again. If it keeps failing, tell the people of this site what it says above.")
    return _(
        "You can try again, or choose another provider. If it keeps failing, tell the people of this site what it says "
        "above."
    )


def _is_ours(identifier: str) -> bool:
    """Whether the identifier is one that the site itself offers, and not one that somebody typed."""
    return identifier == config.sso_server_url or any(entry.get("url") == identifier for entry in config.providers)


def _icon(icon: str) -> str:
    return icon if icon.startswith(("/", "http://", "https://", "data:")) else static(icon)


def _way_back(request: HttpRequest) -> str:
    """Where to try again: the login page, with where to go from there."""
    if hasattr(request, "user") and request.user.is_authenticated:
        # A site that lists the addresses of the sign-in itself may leave the page of identities out.
        with suppress(NoReverseMatch):
            return reverse("openid-identities")
    url = reverse("openid-login")
    following = submitted(request).get(REDIRECT_FIELD_NAME) or begun.of(request).answered.get(begun.SPARE)
    return f"{url}?{urlencode({REDIRECT_FIELD_NAME: following})}" if following else url
