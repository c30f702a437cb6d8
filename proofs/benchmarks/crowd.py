"""Threads that serve requests, end, and are replaced; and what they leave behind: connections and memory.

Knows nothing of the engine: it asks the operating system, the database server and Python's allocator.
"""

from __future__ import annotations

import ctypes
import gc
import os
import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

SECONDS_TO_SERVE = 600
SECONDS_TO_CLOSE = 5
# A thread serves at most so many requests; then another takes its place.
REQUESTS_OF_A_THREAD = 20
CONNECTIONS = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
    "mysql": "SELECT count(*) FROM information_schema.processlist WHERE db = database() AND id <> connection_id()",
}


@dataclass(frozen=True)
class Memory:
    """What this process holds after a collection: bytes that are resident, and blocks that Python's objects use."""

    resident: int
    blocks: int


class Crowd:
    """So many threads, always: where one ends, the next one starts."""

    def __init__(self, threads: int, request: Callable[[], Any]) -> None:
        self.size = threads
        self.started = 0
        self._request = request
        self._errors: list[BaseException] = []

    def serve(self, requests: int, at_rest: Callable[[], Any] = lambda: None) -> Any:
        """Serve so many requests. The result of `at_rest`, called when all are served and the threads still live."""
        # Met twice: when everybody has served, and when what is to be seen then was seen.
        everybody = threading.Barrier(self.size + 1)
        last: list[threading.Thread] = []
        replaced: list[threading.Thread] = []

        def start(left: int) -> None:
            self.started += 1
            threading.Thread(target=work, args=(left,)).start()

        def work(left: int) -> None:
            mine = min(left, random.randint(1, REQUESTS_OF_A_THREAD))
            try:
                for _ in range(mine):
                    self._request()
            except BaseException as error:
                self._errors.append(error)
            if mine < left:
                replaced.append(threading.current_thread())
                start(left - mine)
                return
            last.append(threading.current_thread())
            everybody.wait(SECONDS_TO_SERVE)
            everybody.wait(SECONDS_TO_SERVE)

        for _ in range(self.size):
            start(requests // self.size)
        everybody.wait(SECONDS_TO_SERVE)
        try:
            _await_end(replaced)
            seen = at_rest()
        finally:
            everybody.wait(SECONDS_TO_SERVE)
            _await_end(last)
        if self._errors:
            raise self._errors[0]
        return seen


def memory() -> Memory:
    gc.collect()
    # What was freed in C is given back to the system. Only glibc has this, and only glibc needs it.
    getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)(0)
    with open("/proc/self/statm") as numbers:
        pages = int(numbers.read().split()[1])
    return Memory(pages * os.sysconf("SC_PAGE_SIZE"), sys.getallocatedblocks())


def open_connections(observer: BaseDatabaseWrapper, expected: int) -> int:
    """How many connections there are to the observer's database, without its own.

    Where there are more than expected it asks again for a while: a server is a little late to see that one was closed.
    """
    deadline = time.monotonic() + SECONDS_TO_CLOSE
    while (found := _open_connections(observer)) > expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def _await_end(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join()
    # Not to be counted as memory that is held.
    threads.clear()


def _open_connections(observer: BaseDatabaseWrapper) -> int:
    if observer.vendor == "sqlite":
        # There is no server to ask: this process's open files.
        observer.close()
        name = os.path.realpath(observer.settings_dict["NAME"])
        return sum(os.path.realpath(f"/proc/self/fd/{number}") == name for number in os.listdir("/proc/self/fd"))
    with observer.cursor() as cursor:
        cursor.execute(CONNECTIONS[observer.vendor])
        return int(cursor.fetchone()[0])
