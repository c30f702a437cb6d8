"""What people do to sessions. Each action writes Storm's session and Django's log, and neither commits nor rolls back.
One that changes nothing, such as a form that is sent twice, writes nothing.

The request does that, or whoever began the transaction: both rows stay, or neither. Nothing here asks who may act.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from djintegrate.storm_backend import get_store

from . import conflicts, notices
from .models import Activity, SprintRow
from .storm_models import Attendance, Room, Session, Sprint


class Refused(Exception):
    """The action was not done, for these reasons."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


def propose(sprint: Sprint, by: Any, **values: Any) -> Session:
    values.setdefault("proposer", by)
    session: Session = get_store("main").add(Session(sprint=sprint, **values))
    _log(session, by, "proposed")
    return session


def edit(session: Session, by: Any, **values: Any) -> None:
    lock(session.sprint)
    if all(getattr(session, name) == value for name, value in values.items()):
        return
    for name, value in values.items():
        setattr(session, name, value)
    if session.is_scheduled:
        _put(session, session.room, session.starts)
    _log(session, by, "changed")


def schedule(session: Session, by: Any, room: Room, starts: datetime) -> None:
    lock(session.sprint)
    if (session.room, session.starts) == (room, starts):
        return
    tell = notices.moved if session.is_scheduled else notices.scheduled
    _put(session, room, starts)
    tell(session, by)
    _log(session, by, "scheduled", notices.place_and_time(session))


def unschedule(session: Session, by: Any) -> None:
    if not session.is_scheduled:
        return
    session.put(None, None)
    notices.unscheduled(session, by)
    _log(session, by, "unscheduled")


def put_slides(session: Session, by: Any, upload: Any) -> None:
    """The file is part of the transaction, as the two rows are; so is the removal of the one before."""
    session.slides = upload
    _log(session, by, "uploaded slides for")


def remove_slides(session: Session, by: Any) -> None:
    if session.slides:
        session.slides = None
        _log(session, by, "removed slides of")


def withdraw(session: Session, by: Any) -> None:
    _log(session, by, "withdrew")
    get_store("main").remove(session)


def attend(session: Session, person: Any) -> None:
    lock(session.sprint)
    if is_attending(session, person):
        return
    if session.attendances.count() >= session.seats:
        raise Refused(f"All {session.seats} seats are taken.")
    if session.is_scheduled and (reasons := [*conflicts.of_person(session, person)]):
        raise Refused(*reasons)
    get_store("main").add(Attendance(session, person))
    _log(session, person, "will attend")


def leave(session: Session, person: Any) -> None:
    if get_store("main").find(Attendance, session=session, person_id=person.pk).remove():
        _log(session, person, "will not attend")


def is_attending(session: Session, person: Any) -> bool:
    return not get_store("main").find(Attendance, session=session, person_id=person.pk).is_empty()


def lock(sprint: Sprint) -> None:
    """One at a time: from here to the end of the transaction nobody else changes who is where when in this sprint.

    Django asks for the lock, and Storm has it too, for the transaction is the same. SQLite has no such lock: there the
    second writer's request is run again, see STORM_RETRY_ATTEMPTS.
    """
    SprintRow.objects.select_for_update().get(pk=sprint.id)
    # What Storm read before the lock may have changed while this waited for it.
    get_store("main").flush()
    get_store("main").invalidate()


def _put(session: Session, room: Room, starts: datetime) -> None:
    reasons = [*conflicts.of_time(session, starts), *conflicts.of_room(session, room, starts)]
    reasons += conflicts.of_people(session, starts)
    if reasons:
        raise Refused(*reasons)
    session.put(room, starts)


def _log(session: Session, person: Any, what: str, detail: str = "") -> None:
    Activity.objects.create(session=session, person=person, what=what, title=session.title, detail=detail)
