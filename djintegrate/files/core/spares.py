"""Files for the journals to come: those of this process whose journals are through, empty and still open.

To rename a file costs a disk less than to remove it and to make another.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import uuid
from pathlib import Path

from .locks import Locks, digest_of

SUFFIX = ".spare"
AT_MOST = 8


class Spares:
    """Named after this process, which has a lock for as long as it lives: the files of others are swept without one."""

    def __init__(self, folder: Path, locks: Locks) -> None:
        self._folder = folder
        self._locks = locks
        self._process = 0
        self._token = ""
        self._numbers = itertools.count()
        self._files: list[tuple[int, str]] = []

    def take(self, path: str) -> int | None:
        """An empty file, open, and at this path from now on. None if there is no spare one."""
        self._after_fork()
        while self._files:
            try:
                file, spare = self._files.pop()
            except IndexError:
                # Another thread was faster.
                return None
            # By another name it would be found still, that of a marker which could not be removed.
            if os.fstat(file).st_nlink == 1:
                with contextlib.suppress(OSError):
                    os.rename(spare, path)
                    return file
            os.close(file)
            with contextlib.suppress(OSError):
                os.unlink(spare)
        return None

    def keep(self, file: int, path: str) -> bool:
        """Have the open file at this path for a journal to come. What is in it is gone, unless there are enough."""
        self._after_fork()
        if len(self._files) >= AT_MOST:
            return False
        spare = f"{self._folder}/{self._token}-{next(self._numbers)}{SUFFIX}"
        try:
            os.ftruncate(file, 0)
            os.rename(path, spare)
        except OSError:
            return False
        self._files.append((file, spare))
        return True

    def sweep(self) -> None:
        """Remove those of processes that have ended."""
        for path in self._folder.glob(f"*{SUFFIX}"):
            lock = _lock_of(path.name.rpartition("-")[0])
            if self._locks.take(lock, path):
                path.unlink(missing_ok=True)
                self._locks.release(lock, path)

    def _after_fork(self) -> None:
        if self._process != os.getpid():
            # Those of the parent are the parent's.
            self._process = os.getpid()
            self._token = uuid.uuid4().hex
            self._locks.take(_lock_of(self._token), self)
            for file, _ in self._files:
                os.close(file)
            self._files = []


def _lock_of(token: str) -> str:
    return digest_of(f"spare:{token}")
