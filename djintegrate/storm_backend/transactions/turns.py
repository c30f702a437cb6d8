"""Threads that use one connection have their transactions one after the other: a live server's, on SQLite in memory.

A database transaction is the connection's, so two at the same time would be one, and the first end that of both.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from typing import Any

from .interfaces import Connection

# As long as SQLite waits for a lock.
LONGEST_WAIT = 5.0
PAUSE = 0.002

logger = logging.getLogger("djintegrate.storm_backend")

# The connections that other threads may use, too.
shared: set[Any] = set()

_lock = threading.Lock()
_queue: list[object] = []
_whose: threading.Thread | None = None


def take(connections: Iterable[Connection]) -> None:
    """Before a transaction begins on these: wait until no other thread has one, nor an atomic() block of Django's.

    Not for ever: a test may be in a transaction while it waits for the answer of its own server.
    """
    waiting, until, ticket = list(connections), time.monotonic() + LONGEST_WAIT, object()
    _queue.append(ticket)
    try:
        while not _is_taken(ticket, waiting):
            if time.monotonic() > until:
                _tell_of(waiting)
                return
            time.sleep(PAUSE)
    finally:
        _queue.remove(ticket)


def give() -> None:
    """This thread's transaction has ended."""
    global _whose
    # It stays this thread's, if it is, until here: others take it only when the thread is dead.
    if _whose is not None and _whose is threading.current_thread():
        _whose = None


def _is_taken(ticket: object, connections: list[Connection]) -> bool:
    """Take the turn, if it is free, and nobody else waits for longer. Whether that is so."""
    global _whose
    with _lock:
        here = threading.current_thread()
        is_free = _whose is None or _whose is here or not _whose.is_alive()
        if is_free and _queue[0] is ticket and not any(connection.open_blocks() for connection in connections):
            _whose = here
            return True
    return False


def _tell_of(connections: list[Connection]) -> None:
    logger.warning(
        "Threads share the connection to %s, as Django has it for a test database in memory, and another thread's "
        "transaction has been open there for %d seconds. What comes now is part of that transaction. End the test's "
        "transaction before the next request, or give the test database a file: see docs/how-to/testing.md, "
        "LiveServerTestCase.",
        ", ".join(repr(connection.alias) for connection in connections),
        LONGEST_WAIT,
    )
