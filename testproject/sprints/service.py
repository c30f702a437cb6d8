"""The scheduler for other programs, by JSON-RPC. Who may is said here; what changes anything is in actions.py.

urls.py imports this module, and so the methods are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, TypedDict

from django.core.validators import (
    MaxValueValidator,
    MinLengthValidator,
    MinValueValidator,
    ProhibitNullCharactersValidator,
)
from django.http import HttpRequest
from django.utils.html import linebreaks
from storm.expr import Lower

from djintegrate.jsonrpc import JSONRPCError, jsonrpc_method
from djintegrate.storm_backend import get_store

from . import actions, conflicts, roles, timetable
from .plain import in_order, plain
from .storm_models import TRACKS, Room, Session, Sprint
from .templatetags.people import name

# Made from what the pages have, which mypy cannot follow.
Track = Enum("Track", {key.upper().replace("-", "_"): key for key in TRACKS})  # type: ignore[misc]
MOST = 200

# PostgreSQL keeps no text with a NUL in it, and may not even be asked for one.
Text = Annotated[str, ProhibitNullCharactersValidator()]
Slug = Annotated[Text, "its slug, such as lisbon"]
StoredSession = Annotated[Session, "main"]
StoredRoom = Annotated[Room, "main"]


class NotDone(JSONRPCError):
    """The scheduler has refused; the data are its reasons."""

    code = 1
    message = "That cannot be done"


@dataclass
class Proposal:
    title: Annotated[Text, MinLengthValidator(1), in_order]
    track: Track
    description: Text = ""
    minutes: Annotated[int, MinValueValidator(15), MaxValueValidator(240)] = 60
    seats: Annotated[int, MinValueValidator(1), MaxValueValidator(500)] = 20


class SprintDict(TypedDict):
    slug: str
    name: str
    place: str
    time_zone: str
    first_day: str
    last_day: str


class SessionDict(TypedDict):
    id: int
    title: str
    track: str
    description: str
    minutes: int
    seats: int
    proposer: str
    room: str | None
    starts: datetime | None
    url: str


@jsonrpc_method("sprints.list", safe=True)
def list_sprints(request: HttpRequest, coming: bool = False) -> list[dict[str, Any]]:
    """All sprints, the earliest first; those that are not over yet, if you want the coming ones alone."""
    found = get_store("main").find(Sprint).order_by(Sprint.first_day)
    names = SprintDict.__annotations__
    return [{key: getattr(each, key) for key in names} for each in found if not (coming and each.is_over)]


@jsonrpc_method("sprints.programme", safe=True)
def programme(request: HttpRequest, sprint: Slug, track: Track | None = None) -> list[SessionDict]:
    """What happens at a sprint, in the order of time.

    Sessions that wait for a room and a time are not in it: ask for sessions.proposals.
    """
    found = _sprint(sprint).sessions.find(Session.starts != None)  # noqa: E711 (Storm's way to say it)
    return [_said(each) for each in found.order_by(Session.starts) if track in (None, Track(each.track))]


@jsonrpc_method("sessions.proposals", safe=True)
def proposals(request: HttpRequest, sprint: Slug) -> list[SessionDict]:
    """The sessions that wait for a room and a time."""
    return [_said(each) for each in timetable.proposals(_sprint(sprint))]


@jsonrpc_method("sessions.find", safe=True)
def find_sessions(
    request: HttpRequest,
    words: Text = "",
    track: Track | None = None,
    most: Annotated[int, MinValueValidator(1), MaxValueValidator(MOST)] = 20,
) -> list[SessionDict]:
    """Sessions of all sprints whose title has each of the words."""
    conditions = [Lower(Session.title).contains_string(word.lower()) for word in words.split()[:10]]
    if track is not None:
        conditions.append(Session.track == track.value)
    return [_said(each) for each in get_store("main").find(Session, *conditions).order_by(Session.title)[:most]]


@jsonrpc_method("sessions.propose", permission=roles.PROPOSE)
def propose(request: HttpRequest, sprint: Slug, proposal: Proposal) -> SessionDict:
    """Proposes a session. A scheduler will give it a room and a time."""
    about = _sprint(sprint)
    _want_open(about)
    if reasons := [*conflicts.of_proposal(about, request.user, proposal.title)]:
        raise NotDone(data=reasons)
    values = {**vars(proposal), "track": proposal.track.value}
    session = actions.propose(about, request.user, **{**values, "description": linebreaks(proposal.description, True)})
    get_store("main").flush()  # which gives it its key
    return _said(session)


@jsonrpc_method("sessions.schedule", permission=roles.SCHEDULE, permissions={"session": None, "room": None})
def schedule(request: HttpRequest, session: StoredSession, room: StoredRoom, starts: datetime) -> SessionDict:
    """Gives a session a room and a time, unless that is in somebody's way: then the reasons are the error's data."""
    _want_open(session.sprint)
    if room.sprint_id != session.sprint_id:
        raise NotDone(data=[f"{room.name} is at another sprint."])
    _do(actions.schedule, session, request.user, room, starts)
    return _said(session)


@jsonrpc_method("sessions.attend", authenticated=True, permissions={"session": None})
def attend(request: HttpRequest, session: StoredSession) -> int:
    """Attends a session, if a seat is left. The result is how many are taken."""
    _want_open(session.sprint)
    _do(actions.attend, session, request.user)
    return int(session.attendances.count())


@jsonrpc_method("sessions.leave", authenticated=True, permissions={"session": None})
def leave(request: HttpRequest, session: StoredSession) -> int:
    """Attends it no longer, and gives the seat back. The result is how many are taken."""
    _want_open(session.sprint)
    actions.leave(session, request.user)
    return int(session.attendances.count())


@jsonrpc_method("people.me", safe=True, authenticated=True)
def me(request: HttpRequest) -> dict[str, Any]:
    """Who you are, and what you may do."""
    user: Any = request.user
    return {
        "name": name(user),
        "may_propose": user.has_perm(roles.PROPOSE),
        "may_schedule": user.has_perm(roles.SCHEDULE),
    }


def _sprint(slug: str) -> Sprint:
    found: Sprint | None = get_store("main").find(Sprint, slug=slug).one()
    if found is None:
        raise NotDone(data=[f"There is no sprint called “{slug[:40]}”."])
    return found


def _want_open(sprint: Sprint) -> None:
    if sprint.is_over:
        raise NotDone(data=[f"{sprint.name} is over."])


def _do(action: Any, *values: Any) -> None:
    try:
        action(*values)
    except actions.Refused as refused:
        raise NotDone(data=list(refused.reasons)) from None


def _said(session: Session) -> SessionDict:
    return {
        "id": session.id,
        "title": session.title,
        "track": session.track,
        "description": plain(session.description),
        "minutes": session.minutes,
        "seats": session.seats,
        "proposer": name(session.proposer),
        "room": session.room.name if session.room else None,
        "starts": session.starts,
        "url": session.get_absolute_url(),
    }
