"""Plays the steps of a scenario in their order, each session in a thread of its own, and notes what each is told.

A step that has to wait for another session's lock is left waiting, which the server itself says, and the play goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from .players import Player
from .scenarios import Outcome, Scenario, Step, Trace
from .sites import Site

POLL = 0.003
BETWEEN_QUESTIONS = {"sqlite": POLL, "postgres": 0.01, "mysql": 0.12}
"""How often the server is asked who waits. MariaDB makes its list anew only if nobody has read it for 0.1 seconds."""
KINDS = {
    "40001": "serialization failure", "40P01": "deadlock", 1213: "deadlock", 1020: "serialization failure",
    1205: "lock wait too long", "sqlite": "database is locked",
}  # fmt: skip


class Session:
    """One player in its thread, with the steps that wait for it."""

    def __init__(self, make: Callable[[], Player]) -> None:
        self.outcomes: list[Outcome] = []
        self.waited = False
        self.key: int | None = None
        self._given = 0
        self._make = make
        self._steps: SimpleQueue[Step | None] = SimpleQueue()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self._ready.wait()

    @property
    def is_at_work(self) -> bool:
        return len(self.outcomes) < self._given and self._thread.is_alive()

    def give(self, step: Step) -> None:
        self._given += 1
        self._steps.put(step)

    def end(self) -> None:
        self._steps.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._player = self._make()
            self.key = _key(self._player.connect())
        finally:
            self._ready.set()
        failed = False
        while (step := self._steps.get()) is not None:
            outcome = Outcome(step, error="not played") if failed else self._play(step)
            failed = failed or bool(outcome.error)
            self.outcomes.append(outcome)
        self._player.close()

    def _play(self, step: Step) -> Outcome:
        self.waited = False
        rows, error = None, ""
        try:
            rows = self._player.play(step)
        except Exception as raised:
            error = kind_of(raised)
            self._player.abort()
        return Outcome(step, rows, error, self.waited)


def play(site: Site, level: str, scenario: Scenario, make: Callable[[], Player]) -> Trace:
    """With a player from `make` for each session."""
    observer = site.native(level)
    _reset(observer)
    sessions = {number: Session(make) for number in sorted({step.session for step in scenario.steps})}
    for step in scenario.steps:
        sessions[step.session].give(step)
        _settle(sessions, site.kind, observer)
    for session in sessions.values():
        session.end()
    trace = Trace({number: session.outcomes for number, session in sessions.items()}, _rows(observer))
    observer.close()
    return trace


def kind_of(error: BaseException) -> str:
    """What the database says of itself, whichever library raises it."""
    cause: BaseException | None = error
    while cause is not None:
        code = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or (cause.args or [None])[0]
        if code in KINDS:
            return KINDS[code]
        if "database is locked" in str(cause):
            return KINDS["sqlite"]
        cause = cause.__cause__ or cause.__context__
    raise error


def _settle(sessions: dict[int, Session], kind: str, observer: Any) -> None:
    """Until each session has nothing to do, or waits for another one."""
    while True:
        before = [len(session.outcomes) for session in sessions.values()]
        for session in sessions.values():
            while session.is_at_work:
                asked = time.monotonic() + BETWEEN_QUESTIONS[kind]
                while session.is_at_work and time.monotonic() < asked:
                    time.sleep(POLL)
                if session.is_at_work and _waits(session, kind, observer):
                    break
        if before == [len(session.outcomes) for session in sessions.values()]:
            return


def _waits(session: Session, kind: str, observer: Any) -> bool:
    if kind == "sqlite":
        return False  # with a timeout of 0 nobody waits
    query = {
        "postgres": "SELECT cardinality(pg_blocking_pids(%s)) > 0",
        "mysql": "SELECT count(*) > 0 FROM information_schema.innodb_trx"
        " WHERE trx_mysql_thread_id = %s AND trx_state = 'LOCK WAIT'",
    }[kind]
    with observer.cursor() as cursor:
        cursor.execute(query, [session.key])
        waits = bool(cursor.fetchone()[0])
    session.waited = session.waited or waits
    return waits


def _key(driver: Any) -> int | None:
    """What the server calls this connection."""
    if hasattr(driver, "thread_id"):
        return int(driver.thread_id())
    return int(driver.info.backend_pid) if hasattr(driver, "info") else None


def _reset(observer: Any) -> None:
    with observer.cursor() as cursor:
        cursor.execute("DELETE FROM isolation_item")
        cursor.execute("INSERT INTO isolation_item (id, value) VALUES (1, 10), (2, 20)")


def _rows(observer: Any) -> dict[int, int]:
    with observer.cursor() as cursor:
        cursor.execute("SELECT id, value FROM isolation_item")
        return dict(cursor.fetchall())
