"""What a view is given instead of the words in its address: a sprint or a session. Times are the sprint's then."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from djintegrate.storm_backend import get_store

from .storm_models import Session, Sprint

View = Callable[..., HttpResponse]


def of_sprint(view: View) -> View:
    """The view is called with a Sprint, and what it shows is in that sprint's time zone."""

    @wraps(view)
    def found(request: HttpRequest, slug: str, **others: Any) -> HttpResponse:
        sprint = get_store("main").find(Sprint, slug=slug).one()
        if sprint is None:
            raise Http404(f"There is no sprint {slug!r}.")
        with timezone.override(sprint.zone):
            return view(request, sprint, **others)

    return found


def of_session(view: View) -> View:
    """The view is called with a Session of the sprint that the address names."""

    @of_sprint
    @wraps(view)
    def found(request: HttpRequest, sprint: Sprint, key: int, **others: Any) -> HttpResponse:
        session = sprint.sessions.find(Session.id == key).one()
        if session is None:
            raise Http404(f"{sprint} has no session {key}.")
        return view(request, session, **others)

    return found
