"""Puts `request.dojo` on each request, for WSGI and ASGI. It does nothing else, and reads no setting until asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponseBase

from .page.page import Dojo

MIDDLEWARE = "djintegrate.dojo.middleware.DojoMiddleware"


def dojo_of(request: HttpRequest) -> Dojo:
    """`request.dojo`. Raises ImproperlyConfigured where this request has not been through the middleware."""
    dojo = getattr(request, "dojo", None)
    if isinstance(dojo, Dojo):
        return dojo
    if MIDDLEWARE not in settings.MIDDLEWARE:
        raise ImproperlyConfigured(f"The request has no `dojo`. Add {MIDDLEWARE!r} to MIDDLEWARE.")
    raise ImproperlyConfigured(
        "The request has no `dojo`, since it has not been through DojoMiddleware. In a test, use Django's test client; "
        "or call DojoMiddleware(view)(request) for the request of a RequestFactory."
    )


class DojoMiddleware:
    """Anywhere in MIDDLEWARE: it puts `dojo` on each request."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        request.dojo = Dojo(request)
        response: HttpResponseBase | Awaitable[HttpResponseBase] = self.get_response(request)
        return response
