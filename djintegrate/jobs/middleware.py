"""Makes a job belong to whoever is signed in when it is enqueued.

Its place in MIDDLEWARE does not matter for views: who is signed in is asked when a job is enqueued, not before. What is
enqueued by middleware that stands before it, or by what that does after the view, has no owner.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase

from . import owners


class JobsMiddleware:
    """A job belongs to whoever is signed in when it is enqueued, as AuthenticationMiddleware knows."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._call_async(request)
        token = owners.request.set(request)
        try:
            response: HttpResponseBase = self.get_response(request)
        finally:
            owners.request.reset(token)
        return response

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        token = owners.request.set(request)
        try:
            response: HttpResponseBase = await self.get_response(request)
        finally:
            owners.request.reset(token)
        return response
