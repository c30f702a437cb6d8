"""A file with the number of this process, which tells a second one that the first is running."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyRunning(Exception):
    """Another process holds the file. The text names both."""


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the file until the end of the block. Its lock ends with its process, whatever ends that."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            number = os.read(descriptor, 20).decode(errors="replace").strip()
            raise AlreadyRunning(f"{path} is held by process {number}, which is running.") from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
        path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)
