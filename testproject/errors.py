"""The pages that say why something did not work, and lead on. They never change anything.

Pages for 403, 404, 405 and for a form that cannot be read come with DEBUG as well. An exception that nobody expected
keeps Django's own page then, for whoever reads the code; without DEBUG it is 500.html.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseNotFound,
    UnreadablePostError,
)
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin

UNKNOWN = "Nothing has this address. It may be mistyped, or what was here is gone."


def missing(request: HttpRequest, reason: str, *, back: str = "", back_to: str = "") -> Http404:
    """To be raised. The page of the answer gives the reason, with DEBUG too, and leads back there."""
    request.missing = {"reason": reason, **({"back": back, "back_to": back_to} if back else {})}
    return Http404(reason)


class ErrorPagesMiddleware(MiddlewareMixin):
    """The page of an answer that has none, or Django's technical one."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        # Whoever reads a form first would find it too large: that it is read here makes this the one place.
        try:
            _ = request.POST
        except RequestDataTooBig:
            most = filesizeformat(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
            return _page(request, 413, f"What was sent is larger than the {most} that this site takes.")
        except (BadRequest, MultiPartParserError, SuspiciousOperation, UnreadablePostError):
            return _page(request, 400, "")
        return None

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if isinstance(response, HttpResponseNotFound):
            # Where nothing is, only the front page is sure to be a way on.
            front = {"back": reverse("index"), "back_to": "the front page"}
            return _page(request, 404, **{"reason": UNKNOWN, **front, **getattr(request, "missing", {})})
        if isinstance(response, HttpResponseNotAllowed):
            page = _page(request, 405, f"This address answers the press of a button, not a visit ({request.method}).")
            page.headers["Allow"] = response.headers["Allow"]
            return page
        return response


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403. The exception may have the team whose members may."""
    team = {"team": getattr(exception, "team", ""), "provider": settings.OPENID_SSO_SERVER_URL}
    return _page(request, 403, str(exception) or "Your account may not do this.", **team)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW."""
    return _page(request, 403, reason, template="403_csrf.html")


def _page(request: HttpRequest, status: int, reason: str, template: str = "", **context: Any) -> HttpResponse:
    context = {"reason": reason, **_way_on(request), **context}
    return render(request, template or f"{status}.html", context, status=status)


def _way_on(request: HttpRequest) -> dict[str, str]:
    """The page of the session, or of the sprint, that the address is about; else the front page."""
    match = request.resolver_match
    about = match.kwargs if match else {}
    if {"slug", "key"} <= set(about):
        return {"back": reverse("session", args=[about["slug"], about["key"]]), "back_to": "the session"}
    if "slug" in about:
        return {"back": reverse("sprint", args=[about["slug"]]), "back_to": "the sprint"}
    return {"back": reverse("index"), "back_to": "the front page"}
