"""The page that says why a sign-in failed: the site's own function for it, or ours."""

from __future__ import annotations

import inspect
import logging
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from ..conf import config
from ..models import UserOpenID
from ..signals import openid_login_failed
from .pages import failure_context
from .throttle import seconds_to_wait

logger = logging.getLogger("djintegrate.openid_auth")


def default_render_failure(
    request: HttpRequest,
    message: Any,
    status: int = 403,
    template_name: str = "openid/failure.html",
    exception: Exception | None = None,
) -> HttpResponse:
    """The page that says why a sign-in failed."""
    context = failure_context(request, message, exception)
    return HttpResponse(render_to_string(template_name, context, request), status=status)


def render_failure(request: HttpRequest, message: Any, by: Any = None, **options: Any) -> HttpResponse:
    """The page, by the view's own function, the setting's, or ours. Functions need not take every option."""
    function = by or config.render_failure or default_render_failure
    page: HttpResponse = function(request, message, **_taken(function, options))
    return page


def fail(
    request: HttpRequest,
    message: Any,
    by: Any = None,
    response: Any = None,
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
    return render_failure(request, message, by, status=status, exception=exception)


def refuse_too_many(request: HttpRequest, by: Any, what: str = "begin") -> HttpResponse | None:
    """The page for a client that does `what` too often."""
    wait = seconds_to_wait(request, what)
    if not wait:
        return None
    message = _("There were too many sign-ins from your address. Please try again in a minute.")
    response = fail(request, message, by, status=429)
    response["Retry-After"] = str(wait)
    return response


def _taken(function: Any, options: dict[str, Any]) -> dict[str, Any]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return options
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return options
    names = {parameter.name for parameter in parameters}
    return {name: value for name, value in options.items() if name in names}
