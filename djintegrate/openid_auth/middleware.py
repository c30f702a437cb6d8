"""Ends the requests of sessions that were ended, and has old ones checked by their provider again.

After AuthenticationMiddleware in MIDDLEWARE; works with sync and async views.
"""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import logout
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

from .async_views import aask_again
from .people import recheck, sessions
from .views import ask_again


class OpenIDSessionMiddleware(MiddlewareMixin):
    """Put it after AuthenticationMiddleware: sessions can be ended, and OPENID_RECHECK_SECONDS is kept."""

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        if self.async_mode:
            # A provider is not waited for in the thread that all of an ASGI server's requests share.
            self.process_view = self.aprocess_view  # type: ignore[method-assign]

    def process_request(self, request: HttpRequest) -> None:
        if not (hasattr(request, "session") and hasattr(request, "user")):
            raise ImproperlyConfigured(sessions.TOO_EARLY)
        token = request.session.get(sessions.TOKEN)
        if token is not None and not sessions.is_open(token):
            logout(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        return ask_again(request) if _is_to_be_checked(request, view) else None

    async def aprocess_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        due = await sync_to_async(_is_to_be_checked)(request, view)
        return await aask_again(request) if due else None


def _is_to_be_checked(request: HttpRequest, view: Any) -> bool:
    # A view that asks for no sign-in is not interrupted: the views of the sign-in itself are among them.
    if not getattr(view, "login_required", True) or not recheck.is_due(request):
        return False
    if recheck.may_be_interrupted(request):
        return not recheck.is_under_way(request)
    if recheck.is_due(request, times=2):
        # Who never visits a page is not to escape the check.
        logout(request)
    return False
