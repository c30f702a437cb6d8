"""Puts `request.dojo` on each request, for WSGI and ASGI. It does nothing else, and reads no setting until asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase

from .page.page import Dojo


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
