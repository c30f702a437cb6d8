"""What a view is given instead of the words in its address: a sprint or a session. Times are the sprint's then.

A sprint that is over is for reading alone: views that change something are called for the others.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from djintegrate.storm_backend import get_store
from testproject.errors import missing

from .storm_models import Session, Sprint

View = Callable[..., HttpResponse]

LARGEST_KEY = 2**63 - 1
"""Of each of the databases. SQLite's driver refuses even to ask for a larger one."""


def of_sprint(view: View) -> View:
    """The view is called with a Sprint, and what it shows is in that sprint's time zone."""

    @wraps(view)
    def found(request: HttpRequest, slug: str, **others: Any) -> HttpResponse:
        sprint = _sprint(slug) or _sprint(slug.lower())
        if sprint is None:
            raise missing(request, f"There is no sprint called “{slug}”.")
        if sprint.slug != slug:
            return redirect(request.get_full_path().replace(f"/{slug}/", f"/{sprint.slug}/", 1))
        with timezone.override(sprint.zone):
            return view(request, sprint, **others)

    return found


def of_session(view: View) -> View:
    """The view is called with a Session of the sprint that the address names."""

    @of_sprint
    @wraps(view)
    def found(request: HttpRequest, sprint: Sprint, key: int, **others: Any) -> HttpResponse:
        session = sprint.sessions.find(Session.id == key).one() if key <= LARGEST_KEY else None
        if session is None:
            reason = f"{sprint}, has no session {key}. It may have been withdrawn."
            raise missing(request, reason, back=sprint.get_absolute_url(), back_to="the sprint")
        return view(request, session, **others)

    return found


def _sprint(slug: str) -> Sprint | None:
    found: Sprint | None = get_store("main").find(Sprint, slug=slug).one()
    return found


def while_open(view: View) -> View:
    """Comes after of_sprint or of_session. When the sprint is over, people are told so, and the view is not called."""

    @wraps(view)
    def found(request: HttpRequest, about: Sprint | Session, **others: Any) -> HttpResponse:
        sprint = about if isinstance(about, Sprint) else about.sprint
        if sprint.is_over:
            return render(request, "sprints/over.html", {"sprint": sprint, "about": about}, status=403)
        return view(request, about, **others)

    return found
