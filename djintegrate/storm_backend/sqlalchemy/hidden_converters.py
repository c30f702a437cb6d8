"""Hides Django's converters of SQLite's columns from SQLAlchemy's cursors, which convert by their own types.

sqlite3 has one dictionary of converters for all connections, and asks it in execute() which of them the columns of a
result have. The keys in it are made so that they are not found while SQLAlchemy executes, in this thread.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def hidden() -> Iterator[None]:
    """No column of what is executed has a converter."""
    converters = sqlite3.converters
    if len(converters) != _seen.number:
        _take_over(converters)
    _asking.unconverted = True
    try:
        yield
    finally:
        _asking.unconverted = False


class _Asking(threading.local):
    unconverted = False


class _Key(str):
    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return not _asking.unconverted and str.__eq__(self, other)


class _Seen:
    number = 0


def _take_over(converters: dict[str, Any]) -> None:
    """Have all keys be of ours. For other threads no converter is missing at any moment: no step of it is in Python."""
    names = [name for name in converters if not isinstance(name, _Key)]
    deque(map(converters.__setitem__, map(_Key, names), map(converters.pop, names)), maxlen=0)
    _seen.number = len(converters)


_asking = _Asking()
_seen = _Seen()
