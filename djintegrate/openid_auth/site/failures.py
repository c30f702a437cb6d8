"""The page that says why a sign-in failed: the site's own function for it, or ours."""

from __future__ import annotations

import inspect
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from ..conf import config
from .pages import failure_context


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


def _taken(function: Any, options: dict[str, Any]) -> dict[str, Any]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return options
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return options
    names = {parameter.name for parameter in parameters}
    return {name: value for name, value in options.items() if name in names}
