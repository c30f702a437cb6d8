"""Django's cursors, with an eye on the drivers' ways to write that no execute wrapper sees."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

PAST_EXECUTE = ("callproc", "copy", "copy_expert", "copy_from", "copy_to", "executescript", "stream")


@cache
def watched(cursor_class: Any) -> Any:
    """One of Django's classes of cursors, so watched."""
    methods = {name: _announcing(cursor_class, name) for name in PAST_EXECUTE}
    return type(cursor_class.__name__, (cursor_class,), {"__module__": __name__, **methods})


def _announcing(cursor_class: Any, name: str) -> Callable[..., Any]:
    def method(cursor: Any, *args: Any, **kwargs: Any) -> Any:
        data_manager = cursor.db.data_manager
        if data_manager is not None:
            # Before is as good as after: until the method is through, nobody can read on this connection.
            data_manager.note_unseen()
        original = getattr(super(watched(cursor_class), cursor), name, None) or getattr(cursor.cursor, name)
        return original(*args, **kwargs)

    method.__name__ = name
    return method
