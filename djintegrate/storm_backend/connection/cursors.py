"""Django's cursors, with an eye on the drivers' ways to write that no execute wrapper sees."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any


def _announcing(name: str) -> Callable[..., Any]:
    def method(cursor: Any, *args: Any, **kwargs: Any) -> Any:
        data_manager = cursor.db.data_manager
        if data_manager is not None:
            # Before is as good as after: until the method is through, nobody can read on this connection.
            data_manager.note_unseen()
        original = getattr(super(_WatchedMethods, cursor), name, None) or getattr(cursor.cursor, name)
        return original(*args, **kwargs)

    method.__name__ = name
    return method


class _WatchedMethods:
    callproc = _announcing("callproc")
    copy = _announcing("copy")
    copy_expert = _announcing("copy_expert")
    copy_from = _announcing("copy_from")
    copy_to = _announcing("copy_to")
    executescript = _announcing("executescript")
    stream = _announcing("stream")


@cache
def watched(cursor_class: Any) -> Any:
    """One of Django's classes of cursors, so watched."""
    return type(cursor_class.__name__, (_WatchedMethods, cursor_class), {"__module__": __name__})
