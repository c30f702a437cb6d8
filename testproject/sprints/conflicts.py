"""What stands against a proposal, and against a room and a time for a session: the room, its size, the sprint's days,
where people are; and which rooms and times nothing stands against.

It only asks. Who acts on the answer locks the sprint first, or two of them could get the same one: see actions.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime, time, timedelta
from datetime import timezone as zones
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone
from storm.expr import And

from djintegrate.storm_backend import get_store

from .storm_models import Attendance, Room, Session, Sprint
from .templatetags.people import name

OPENS, CLOSES = time(8), time(20)
"""The hours of a sprint's day, by its own clocks."""
STEP = timedelta(minutes=30)
NAMED = 3


def of_proposal(sprint: Sprint, proposer: Any, title: str) -> Iterator[str]:
    """Whether the same person has proposed the same already, as when a form is sent twice."""
    if not sprint.sessions.find(Session.title == title, Session.proposer_id == proposer.pk).is_empty():
        yield f"{name(proposer)} has already proposed “{title}” for {sprint.name}. Another session needs another title."


def of_time(session: Session, starts: datetime) -> Iterator[str]:
    """Whether this is a time of the sprint at all."""
    sprint = session.sprint
    first, last = (timezone.localtime(moment, sprint.zone) for moment in (starts, _end(session, starts)))
    if not sprint.first_day <= first.date() <= sprint.last_day:
        yield f"{sprint.name} is from {sprint.first_day:%-d %B} to {sprint.last_day:%-d %B %Y}."
    if first.time() < OPENS or last.time() > CLOSES or last.date() != first.date():
        yield (
            f"Sessions are held between {OPENS:%H:%M} and {CLOSES:%H:%M}. "
            f"This one would begin at {first:%H:%M} and end at {last:%H:%M}."
        )
    if (first.hour * 60 + first.minute) % (STEP.seconds // 60) or first.second:
        yield f"Sessions begin on the hour or at half past, not at {first:%H:%M}."


def of_room(session: Session, room: Room, starts: datetime) -> Iterator[str]:
    """Whether the room is free, and large enough."""
    if room.seats < session.seats:
        yield f"{room.name} has {room.seats} seats, and the session is for {session.seats}."
    for other in get_store("main").find(Session, _meanwhile(session, starts), Session.room_id == room.id):
        yield f"{room.name} is taken by “{other.title}”, {_times(other)}."


def of_people(session: Session, starts: datetime) -> Iterator[str]:
    """Whether its proposer and those who attend are free."""
    attending = set(session.attendances.values(Attendance.person_id))
    for other, keys in _elsewhere({session.proposer_id, *attending}, session, starts):
        if session.proposer_id in keys:
            yield f"{_names([session.proposer_id])} proposed it, and is at “{other.title}” from {_times(other)}."
        if attending & keys:
            who = attending & keys
            want = "wants to attend this session, and is" if len(who) == 1 else "want to attend this session, and are"
            yield f"{_names(who)} {want} at “{other.title}” from {_times(other)}."


def of_person(session: Session, person: Any) -> Iterator[str]:
    """Whether this person can be at a session that has its time."""
    for other, _ in _elsewhere({person.pk}, session, session.starts):
        yield f"You are at “{other.title}” then, {_times(other)}."


def free_slots(session: Session, day: date) -> set[tuple[int, datetime]]:
    """The rooms, by their keys, and the times of that day that nothing stands against. It costs a few queries."""
    sprint, store = session.sprint, get_store("main")
    if day not in sprint.days:
        return set()
    opens, closes = (datetime.combine(day, hour, sprint.zone).astimezone(zones.utc) for hour in (OPENS, CLOSES))
    length = timedelta(minutes=session.minutes)
    others = list(store.find(Session, _within(session, opens, closes)))
    people = {session.proposer_id, *session.attendances.values(Attendance.person_id)}
    engaged = {other.id for other, _ in _of_these(others, people)}
    return {
        (room.id, starts)
        for room in sprint.rooms
        if room.seats >= session.seats
        for starts in _steps(opens, closes - length)
        if not any(
            (other.room_id == room.id or other.id in engaged) and other.starts < starts + length and other.ends > starts
            for other in others
        )
    }


def _steps(first: datetime, last: datetime) -> Iterator[datetime]:
    while first <= last:
        yield first
        first += STEP


def _elsewhere(people: Collection[int], session: Session, starts: datetime) -> Iterator[tuple[Session, set[int]]]:
    """The other sessions at that time that some of these people propose or attend, and who does."""
    others = get_store("main").find(Session, _meanwhile(session, starts)).order_by(Session.starts)
    return _of_these(list(others), people)


def _of_these(others: list[Session], people: Collection[int]) -> Iterator[tuple[Session, set[int]]]:
    """Those of the sessions that some of these people propose or attend, and who does."""
    taken = get_store("main").find(
        (Attendance.session_id, Attendance.person_id),
        Attendance.session_id.is_in([other.id for other in others]), Attendance.person_id.is_in(people),
    )  # fmt: skip
    found = {other.id: {other.proposer_id} & set(people) for other in others}
    for key, person in taken:
        found[key].add(person)
    return ((other, found[other.id]) for other in others if found[other.id])


def _meanwhile(session: Session, starts: datetime) -> Any:
    return _within(session, starts, _end(session, starts))


def _within(session: Session, begin: datetime, end: datetime) -> Any:
    """The sprint's other sessions that are held, in part at least, between these moments."""
    return And(
        Session.sprint_id == session.sprint_id, Session.id != session.id, Session.starts < end, Session.ends > begin
    )


def _end(session: Session, starts: datetime) -> datetime:
    return starts + timedelta(minutes=session.minutes)


def _times(session: Session) -> str:
    first, last = (timezone.localtime(moment, session.sprint.zone) for moment in (session.starts, session.ends))
    return f"{first:%H:%M} to {last:%H:%M}"


def _names(keys: Collection[int]) -> str:
    people = get_user_model().objects.filter(pk__in=keys).order_by("first_name", "username")
    names = [name(person) for person in people]
    if len(names) > NAMED:
        names[NAMED:] = [f"{len(names) - NAMED} more"]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
