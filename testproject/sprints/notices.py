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


def moved(session: Session, by: Any, where: str) -> None:
    """One mail to each who attends, but for the one who moved it. `where` is empty if it is off the schedule."""
    now = f"is now {where}" if where else "is off the schedule, and waits for another room and time"
    for person in session.people():
        if person.email and person != by:
            send_mail(
                f"“{session.title}” has moved" if where else f"“{session.title}” is off the schedule",
                f"Hello {name(person)},\n\n“{session.title}” at {session.sprint.name} {now}.\n"
                f"{name(by)} has moved it.\n",
                None,
                [person.email],
            )
