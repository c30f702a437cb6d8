"""A day of a sprint as a list and as a grid of rooms by times, and sessions with what a page says beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

from storm.expr import Count

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.references import prefetch

from .conflicts import STEP
from .storm_models import Attendance, Room, Session, Sprint

USUAL = time(9), time(18)
"""The hours that a grid shows at least."""


@dataclass
class Shown:
    """A session, how many attend it, and whether the one who looks does."""

    session: Session
    attending: int
    mine: bool

    @property
    def is_full(self) -> bool:
        return self.attending >= self.session.seats


@dataclass
class Cell:
    """`rows` is how far down it reaches; `is_free` whether what the grid is for may begin here."""

    room: Room
    shown: Shown | None = None
    rows: int = 1
    is_free: bool = False


@dataclass
class Row:
    starts: datetime
    cells: list[Cell] = field(default_factory=list)

    @property
    def is_full_hour(self) -> bool:
        return self.starts.minute == 0


@dataclass
class Grid:
    rooms: Sequence[Room]
    rows: Sequence[Row]


def shown(sessions: Iterable[Session], user: Any) -> list[Shown]:
    """Three queries, however many sessions there are."""
    found = prefetch(sessions, Session.proposer)
    store = get_store("main")
    here = Attendance.session_id.is_in([session.id for session in found])
    counted = store.find((Attendance.session_id, Count(Attendance.person_id)), here).group_by(Attendance.session_id)
    numbers = dict(counted)
    mine = set(store.find(Attendance, here, person_id=user.pk).values(Attendance.session_id)) if user.pk else set()
    return [Shown(session, numbers.get(session.id, 0), session.id in mine) for session in found]


def of_day(sprint: Sprint, day: date) -> Any:
    """Its sessions of that day there, the earliest first."""
    begins = datetime.combine(day, time.min, sprint.zone)
    ends = datetime.combine(day + timedelta(days=1), time.min, sprint.zone)
    found = sprint.sessions.find(Session.starts >= begins, Session.starts < ends)
    return found.order_by(Session.starts, Session.room_id)


def proposals(sprint: Sprint) -> Any:
    """Its sessions that have no room and no time yet."""
    return sprint.sessions.find(Session.starts == None).order_by(Session.title)  # noqa: E711


def grid(
    sprint: Sprint,
    day: date,
    sessions: Sequence[Shown],
    hours: tuple[time, time] = USUAL,
    free: Collection[tuple[int, datetime]] = (),
) -> Grid:
    """A row for each half hour. A cell that an earlier one reaches into is left out, as HTML's rowspan wants it."""
    rooms = list(sprint.rooms.order_by(Room.name))
    begin, end = _hours(sprint, day, [each.session for each in sessions], hours)
    rows = [Row(starts) for starts in _steps(begin, end)]
    for room in rooms:
        free_from = 0
        for number, row in enumerate(rows):
            if number < free_from:
                continue
            cell = Cell(room, next((each for each in sessions if _begins_in(each.session, room, row)), None))
            cell.is_free = cell.shown is None and (room.id, row.starts) in free
            if cell.shown:
                length = cell.shown.session.ends - row.starts
                cell.rows = min(-(-length // STEP), len(rows) - number)
                free_from = number + cell.rows
            row.cells.append(cell)
    return Grid(rooms, rows)


def _begins_in(session: Session, room: Room, row: Row) -> bool:
    return session.room_id == room.id and row.starts <= session.starts < row.starts + STEP


def _hours(sprint: Sprint, day: date, sessions: Sequence[Any], hours: tuple[time, time]) -> tuple[datetime, datetime]:
    # In UTC, for in a zone of its own a datetime is counted on by the clock on the wall.
    usual = [datetime.combine(day, hour, sprint.zone).astimezone(timezone.utc) for hour in hours]
    begin = min([usual[0], *(session.starts for session in sessions)])
    return begin.replace(minute=begin.minute // 30 * 30), max([usual[1], *(session.ends for session in sessions)])


def _steps(begin: datetime, end: datetime) -> Iterator[datetime]:
    while begin < end:
        yield begin
        begin += STEP
