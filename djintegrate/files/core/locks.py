"""Locks on names, across threads and processes, that end with the process that holds them.

Each name's digest is one byte of one file, locked with POSIX record locks. The kernel knows those by process, so that
a table says which transaction of this process holds one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

LOCKS = "locks"
PAUSE = 0.005
LONGEST_PAUSE = 0.1


class Locks:
    """The locks of this process below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._table = threading.Lock()
        self._owners: dict[int, tuple[object, int]] = {}
        self._file: int | None = None
        self._process = os.getpid()

    def take(self, digest: str, owner: object) -> int:
        """How many times `owner` has the lock now. 0 if somebody else has it."""
        place = _place(digest)
        with self._table:
            self._after_fork()
            if place in self._owners:
                held_by, times = self._owners[place]
                if held_by is not owner:
                    return 0
                self._owners[place] = (owner, times + 1)
                return times + 1
            try:
                fcntl.lockf(self._descriptor(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
            except (BlockingIOError, PermissionError):
                # POSIX allows either error for a lock that somebody else has.
                return 0
            self._owners[place] = (owner, 1)
            return 1

    def wait(self, digest: str, owner: object, seconds: float, stop: Callable[[], bool] = lambda: False) -> int:
        """The same, for so long."""
        end = time.monotonic() + seconds
        pause = PAUSE
        while not (times := self.take(digest, owner)):
            left = end - time.monotonic()
            if left <= 0 or stop():
                return 0
            time.sleep(min(pause, left))
            pause = min(pause * 2, LONGEST_PAUSE)
        return times

    def release(self, digest: str, owner: object) -> None:
        place = _place(digest)
        with self._table:
            self._after_fork()
            held_by, times = self._owners.get(place, (None, 0))
            if held_by is not owner:
                return
            if times > 1:
                self._owners[place] = (owner, times - 1)
            else:
                del self._owners[place]
                fcntl.lockf(self._descriptor(), fcntl.LOCK_UN, 1, place)

    def _descriptor(self) -> int:
        # Closing any descriptor of the file would end all locks of the process: this one stays open.
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._folder / LOCKS, os.O_RDWR | os.O_CREAT, 0o666)
        return self._file

    def _after_fork(self) -> None:
        if self._process != os.getpid():
            # The parent's locks are the parent's, and so is what the table says.
            self._process = os.getpid()
            self._owners = {}


def digest_of(name: str) -> str:
    return hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:32]


def _place(digest: str) -> int:
    # An offset has 63 bits.
    return int(digest[:15], 16)
