"""Ends the requests of sessions that were ended, and has old ones checked by their provider again.

After AuthenticationMiddleware in MIDDLEWARE; works with sync and async views.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

from .people import recheck, sessions
from .views import ask_again


class OpenIDSessionMiddleware(MiddlewareMixin):
    def process_request(self, request: HttpRequest) -> None:
        token = request.session.get(sessions.TOKEN)
        if token is not None and not sessions.is_open(token):
            logout(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        # A view that asks for no sign-in is not interrupted: the views of the sign-in itself are among them.
        if not getattr(view, "login_required", True) or not recheck.is_due(request):
            return None
        if recheck.may_be_interrupted(request):
            return ask_again(request)
        if recheck.is_due(request, times=2):
            # Who never visits a page is not to escape the check.
            logout(request)
        return None
