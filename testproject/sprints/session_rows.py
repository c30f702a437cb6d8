"""A sprint's sessions for the grid that pages through them, over the result set that Storm gives."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.dateformat import format as date_format
from django.utils.functional import cached_property

from djintegrate.dojo.grid import Column, Grid
from djintegrate.dojo.rest import StoreView
from djintegrate.storm_backend import get_store

from .storm_models import Session, Sprint
from .templatetags.people import name


class SessionRows(StoreView):
    fields = ["title", "track_name", "proposer", "seats", "starts", "room", "url"]
    search = {"title": Session.title}
    sort = {"title": Session.title, "track_name": Session.track, "seats": Session.seats, "starts": Session.starts}
    public = {"view"}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        request.GET = request.GET.copy()
        if patterns := request.GET.getlist("title"):
            # Of several patterns each has to be found.
            request.GET.setlist("title", [each for pattern in patterns for each in _words(pattern)])
        return super().dispatch(request, *args, **kwargs)

    def get_rows(self) -> Any:
        sprint = get_store("main").find(Sprint, slug=self.kwargs["slug"]).one()
        if sprint is None:
            raise Http404
        return sprint.sessions.find()

    @cached_property
    def names(self) -> dict[int, str]:
        """All at once, rather than one query for each row."""
        proposers = set(self.get_rows().values(Session.proposer_id))
        return {person.pk: name(person) for person in get_user_model().objects.filter(pk__in=proposers)}

    def proposer(self, session: Session) -> str:
        return self.names[session.proposer_id]

    def starts(self, session: Session) -> str:
        """By the clocks there, whoever asks from wherever."""
        if session.starts is None:
            return "Not yet"
        return date_format(session.starts.astimezone(session.sprint.zone), "D j M, H:i")

    def room(self, session: Session) -> str:
        return session.room.name if session.room else ""

    def url(self, session: Session) -> str:
        return session.get_absolute_url()


def _words(pattern: str) -> list[str]:
    """A pattern for each word of one that may be anywhere: in any order, however many spaces are between them."""
    is_anywhere = pattern.startswith("*") and pattern.endswith("*")
    return [f"*{word}*" for word in pattern[1:-1].split()] if is_anywhere else [pattern]


# A narrow screen shows the first three: style.css.
COLUMNS = [
    Column("title", "Session", link="url"),
    Column("starts", "When"),
    Column("room", "Room"),
    Column("proposer", "Proposer"),
    Column("track_name", "Track"),
    Column("seats", "Seats", format="number"),
]


def grid(sprint: Sprint) -> Grid:
    rows = reverse("session-rows", args=[sprint.slug])
    return Grid(rows, COLUMNS, caption="All sessions", search="title", query_expr="*${0}*", sort="title", page_size=25)
