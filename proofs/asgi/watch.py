"""Looks, while a site serves, how many connections it has open and how many threads."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

OBSERVER = "observer"
COUNT = f"""
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name <> '{OBSERVER}' AND backend_type = 'client backend'
"""
SECONDS_BETWEEN = 0.02
SECONDS_TO_CLOSE = 15
LATELY = 20


@dataclass(frozen=True)
class Look:
    connections: int
    # The most threads that the site's processes had lately.
    threads: int


class Watch:
    """Looks again and again in a thread of its own, inside `with`."""

    def __init__(self, parent: int) -> None:
        self.looks: list[Look] = []
        self._parent = parent
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        # The server is a little late to see the end of a connection, whose thread is gone by then.
        threads: deque[int] = deque(maxlen=LATELY)
        try:
            while not self._over.wait(SECONDS_BETWEEN):
                threads.append(threads_of(self._parent))
                found = connections()
                threads.append(threads_of(self._parent))
                self.looks.append(Look(found, max(threads)))
        finally:
            connection.close()


def connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute(COUNT)
        return int(cursor.fetchone()[0])


def connections_at_last(expected: int) -> int:
    """Once they are as few as expected; or those that are left after a while."""
    deadline = time.monotonic() + SECONDS_TO_CLOSE
    while (found := connections()) > expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def threads_of(parent: int) -> int:
    """Of a process and its children."""
    return sum(_threads(process) for process in [parent, *children_of(parent)])


def children_of(parent: int) -> list[int]:
    found: list[Any] = []
    try:
        for task in Path(f"/proc/{parent}/task").iterdir():
            found += (task / "children").read_text().split()
    except OSError:
        # A thread has ended.
        pass
    return [int(child) for child in found]


def _threads(process: int) -> int:
    try:
        return len(list(Path(f"/proc/{process}/task").iterdir()))
    except OSError:
        return 0
