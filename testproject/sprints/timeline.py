"""What each ORM writes in one transaction, as a timeline: the plan, before anything ran, and what was recorded after.
Both say the same steps in the same words.

Statements come from Django's execute wrapper, which Storm's go through too; a tracer of Storm's tells whose they are.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection
from storm.tracer import install_tracer, remove_tracer

TRANSACTION, STORM, DJANGO = "transaction", "storm", "django"
LONGEST = 110


@dataclass
class Event:
    """`who` is one of the three above. A planned event has no time yet."""

    who: str
    what: str
    sql: str = ""
    milliseconds: float | None = None


BEGUN = "The middleware begins a transaction for the request."
INSERTS = {
    STORM: "Storm has kept the new session in memory. Django is about to write, so Storm writes it first.",
    DJANGO: "Django writes its line in the log.",
}
PLAN = [
    Event(TRANSACTION, BEGUN),
    Event(STORM, INSERTS[STORM], "INSERT INTO sprints_session …"),
    Event(DJANGO, INSERTS[DJANGO], "INSERT INTO sprints_activity …"),
    Event(TRANSACTION, "The transaction ends: both rows stay, or neither does."),
]


class Recording:
    """A tracer of Storm's, and an execute wrapper of Django's, for one thread and one request."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._began = time.perf_counter()
        self._thread = threading.get_ident()
        self._is_storms = False

    def note(self, who: str, what: str, sql: str = "") -> None:
        self.events.append(Event(who, what, sql, (time.perf_counter() - self._began) * 1000))

    def connection_raw_execute(self, connection: Any, raw_cursor: Any, statement: str, params: Any) -> None:
        # Storm has its tracers in common for all threads.
        self._is_storms = self._is_storms or threading.get_ident() == self._thread

    def execute(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        who, self._is_storms = STORM if self._is_storms else DJANGO, False
        done = execute(sql, params, many, context)
        if not sql.lstrip().upper().startswith("SELECT"):
            self.note(who, _said(who, sql), _shortened(sql))
        return done


@contextmanager
def recording() -> Iterator[Recording]:
    made = Recording()
    install_tracer(made)
    try:
        with connection.execute_wrapper(made.execute):
            yield made
    finally:
        remove_tracer(made)


def _said(who: str, sql: str) -> str:
    word = sql.split(None, 1)[0].upper()
    return INSERTS[who] if word == "INSERT" else f"{who.capitalize()} sends {word}."


def _shortened(sql: str) -> str:
    text = " ".join(sql.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
