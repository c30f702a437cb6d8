"""A sprint's programme as a file: CSV for a spreadsheet, iCalendar (RFC 5545) for a calendar."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, NamedTuple

from django.utils import timezone as django_timezone

from .plain import plain
from .storm_models import Session, Sprint

COLUMNS = ["Title", "Track", "Room", "Starts", "Ends", "Proposer", "Attending", "Seats"]
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""
BYTE_ORDER_MARK = "\ufeff"
"""Without it some spreadsheets take UTF-8 for something else."""
LINE_BYTES = 75
"""An iCalendar's line is no longer; what is longer goes on in the next, after a space."""


class Entry(NamedTuple):
    key: int
    title: str
    track: str
    room: str
    starts: datetime
    ends: datetime
    proposer: str
    attending: int
    seats: int
    description: str


@dataclass(frozen=True)
class Kind:
    name: str
    content_type: str
    write: Callable[[Sprint, Iterable[Entry]], str]


def entry(session: Session) -> Entry:
    proposer: Any = session.proposer
    return Entry(
        session.id,
        session.title,
        session.track_name,
        session.room.name if session.room else "",
        session.starts,
        session.ends,
        proposer.get_full_name() or proposer.get_username(),
        session.attendances.count(),
        session.seats,
        plain(session.description),
    )


def as_csv(sprint: Sprint, entries: Iterable[Entry]) -> str:
    file = io.StringIO()
    file.write(BYTE_ORDER_MARK)
    rows = csv.writer(file)
    rows.writerow(COLUMNS)
    for each in entries:
        times = [f"{moment.astimezone(sprint.zone):%Y-%m-%d %H:%M}" for moment in (each.starts, each.ends)]
        texts = [*map(_harmless, (each.title, each.track, each.room)), *times, _harmless(each.proposer)]
        rows.writerow([*texts, each.attending, each.seats])
    return file.getvalue()


def as_icalendar(sprint: Sprint, entries: Iterable[Entry]) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//djintegrate//Sprint scheduler//EN"]
    for each in entries:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{sprint.slug}-{each.key}@sprints.djintegrate",
            f"DTSTAMP:{_moment(django_timezone.now())}",
            f"DTSTART:{_moment(each.starts)}",
            f"DTEND:{_moment(each.ends)}",
            f"SUMMARY:{_text(each.title)}",
            f"LOCATION:{_text(f'{each.room}, {sprint.place}')}",
            f"DESCRIPTION:{_text(each.description)}",
            f"CATEGORIES:{_text(each.track)}",
            "END:VEVENT",
        ]
    return "".join(f"{_folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


KINDS = {
    "csv": Kind("CSV", "text/csv", as_csv),
    "ics": Kind("iCalendar", "text/calendar", as_icalendar),
}


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULAS) else text


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(timezone.utc):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    for old, new in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\r", "\\n"), ("\n", "\\n")):
        text = text.replace(old, new)
    return text


def _folded(line: str) -> str:
    """In bytes, and never within a character."""
    folded, length = "", 0
    for character in line:
        size = len(character.encode())
        if length + size > LINE_BYTES:
            folded, length = f"{folded}\r\n ", 1
        folded, length = folded + character, length + size
    return folded
