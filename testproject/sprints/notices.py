"""Mail to those who attend a session. EMAIL_BACKEND sends it if, and only if, the transaction commits."""

from __future__ import annotations

from typing import Any

from django.core.mail import send_mail

from .storm_models import Session
from .templatetags.people import name


def place_and_time(session: Session) -> str:
    """Where and when, by the clocks of the place."""
    when = session.starts.astimezone(session.sprint.zone)
    return f"in {session.room.name}, on {when:%-d %B} at {when:%H:%M}"


def scheduled(session: Session, by: Any) -> None:
    where = place_and_time(session)
    _tell(session, by, "is on the schedule", f"is on the schedule now: {where}.\n{name(by)} has put it there.")


def moved(session: Session, by: Any) -> None:
    _tell(session, by, "has moved", f"is now {place_and_time(session)}.\n{name(by)} has moved it.")


def unscheduled(session: Session, by: Any) -> None:
    waits = "is off the schedule, and waits for another room and time"
    _tell(session, by, "is off the schedule", f"{waits}.\n{name(by)} has taken it off.")


def _tell(session: Session, by: Any, subject: str, news: str) -> None:
    """One mail to each who attends, but for the one who did it."""
    for person in session.people():
        if person.email and person != by:
            send_mail(
                f"“{session.title}” {subject}",
                f"Hello {name(person)},\n\n“{session.title}” at {session.sprint.name} {news}\n",
                None,
                [person.email],
            )
