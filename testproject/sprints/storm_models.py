"""Storm's half: sprints, their rooms and sessions, and who attends what. `schema` makes the tables.

A session is a proposal until it has a room and a time. What may be changed when is not decided here, but in actions.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models
from django.urls import reverse
from django.utils import timezone
from storm.locals import Date, Int, Reference, ReferenceSet, Storm, Unicode

from djintegrate.files.storm import StoredFile
from djintegrate.storm_backend.references import DjangoReference, DjangoReferenceSet

from .columns import Moment

TRACKS = {
    "engine": "Engine",
    "sign-in": "Sign-in",
    "pages": "Pages",
    "words": "Documentation",
    "people": "Community",
}


class Values(Storm):
    """Storm: so that the classes can name each other by strings."""

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)


class Sprint(Values):
    __storm_table__ = "sprints_sprint"
    __storm_order__ = "first_day"

    id = Int(primary=True)
    slug = Unicode()
    name = Unicode()
    place = Unicode()
    time_zone = Unicode()
    first_day = Date()
    last_day = Date()
    summary = Unicode()
    rooms = ReferenceSet("Sprint.id", "Room.sprint_id")
    sessions = ReferenceSet("Sprint.id", "Session.sprint_id")

    def __str__(self) -> str:
        return f"{self.name}, {self.first_day:%B %Y}"

    @property
    def zone(self) -> ZoneInfo:
        """Where the sprint is, and so how its clocks go."""
        return ZoneInfo(self.time_zone)

    @property
    def days(self) -> list[date]:
        return [self.first_day + timedelta(days=number) for number in range((self.last_day - self.first_day).days + 1)]

    @property
    def is_over(self) -> bool:
        return bool(self.last_day < timezone.localdate(timezone=self.zone))

    def get_absolute_url(self) -> str:
        return reverse("sprint", args=[self.slug])


class Room(Values):
    __storm_table__ = "sprints_room"
    __storm_order__ = ("sprint_id", "name")

    id = Int(primary=True)
    sprint_id = Int()
    sprint = Reference(sprint_id, Sprint.id)
    name = Unicode()
    seats = Int()

    def __str__(self) -> str:
        return f"{self.name} ({self.seats} seats)"


class Session(Values):
    __storm_table__ = "sprints_session"
    __storm_order__ = "title"

    id = Int(primary=True)
    sprint_id = Int()
    sprint = Reference(sprint_id, Sprint.id)
    title = Unicode()
    track = Unicode()
    description = Unicode()  # HTML, sanitised by the form
    minutes = Int()
    seats = Int()
    proposer_id = Int()
    proposer = DjangoReference(proposer_id, "auth.User", on_delete=models.PROTECT)
    room_id = Int()
    room = Reference(room_id, Room.id)
    starts = Moment()
    ends = Moment()
    slides = StoredFile(upload_to="slides", max_length=200)
    attendances = ReferenceSet("Session.id", "Attendance.session_id")
    activities = DjangoReferenceSet("id", "sprints.Activity", "session")

    def __str__(self) -> str:
        return self.title

    @property
    def is_scheduled(self) -> bool:
        return self.starts is not None

    @property
    def track_name(self) -> str:
        return TRACKS.get(self.track, self.track)

    def put(self, room: Room | None, starts: Any) -> None:
        """Into this room at this time, or back among the proposals."""
        self.room, self.starts = room, starts
        self.ends = starts and starts + timedelta(minutes=self.minutes)

    def people(self) -> Iterator[Any]:
        """Those who attend, in the order of their names. They are Django's."""
        from django.contrib.auth import get_user_model

        keys = list(self.attendances.values(Attendance.person_id))
        return iter(get_user_model().objects.filter(pk__in=keys).order_by("first_name", "username"))

    def get_absolute_url(self) -> str:
        return reverse("session", args=[self.sprint.slug, self.id])


class Attendance(Storm):
    __storm_table__ = "sprints_attendance"
    __storm_primary__ = ("session_id", "person_id")

    session_id = Int()
    session = Reference(session_id, Session.id)
    person_id = Int()
    person = DjangoReference(person_id, "auth.User", on_delete=models.CASCADE)
    since = Moment(default_factory=timezone.now)

    def __init__(self, session: Session, person: Any) -> None:
        self.session, self.person = session, person
