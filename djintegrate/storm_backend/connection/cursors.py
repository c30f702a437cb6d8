"""Django's cursors, with an eye on what no execute wrapper sees.

That is the drivers' other ways to write; where no wrapper counts what is written, whether anything is; and, in
transactions or not, what changes the schema.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from django.db.backends.utils import CursorWrapper

PAST_EXECUTE = ("callproc", "copy", "copy_expert", "copy_from", "copy_to", "executescript", "stream")
# What Django's statements begin with that write nothing. Of any other, the text is read.
PLAIN = ("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "PRAGMA")
# And those that write rows, and change no schema.
WRITING_ROWS = ("INSERT INTO", "UPDATE", "DELETE FROM")


@cache
def watched(cursor_class: Any) -> Any:
    """One of Django's classes of cursors, so watched."""
    methods = {name: _announcing(cursor_class, name) for name in PAST_EXECUTE}
    looking = {name: _looking(getattr(cursor_class, name)) for name in ("execute", "executemany")}
    return type(cursor_class.__name__, (cursor_class,), {"__module__": __name__, **methods, **looking})


def _looking(original: Any) -> Callable[..., Any]:
    def method(cursor: Any, sql: Any, params: Any = None) -> Any:
        text = str(sql)
        if text.startswith(PLAIN):
            return original(cursor, sql, params)
        data_manager = cursor.db.data_manager
        if data_manager is not None:
            data_manager.look_at(sql)
        if text.startswith(WRITING_ROWS):
            return original(cursor, sql, params)
        try:
            return original(cursor, sql, params)
        finally:
            cursor.db.note_alteration(sql)

    method.__name__ = original.__name__
    return method


def _announcing(cursor_class: Any, name: str) -> Callable[..., Any]:
    def method(cursor: Any, *args: Any, **kwargs: Any) -> Any:
        data_manager = cursor.db.data_manager
        if data_manager is not None:
            # Before is as good as after: until the method is through, nobody can read on this connection.
            data_manager.note_unseen()
        original = getattr(super(watched(cursor_class), cursor), name, None) or getattr(cursor.cursor, name)
        try:
            return original(*args, **kwargs)
        finally:
            if name == "callproc":
                cursor.db.note_alteration(None)

    method.__name__ = name
    return method


# The one that each statement asks for, outside of DEBUG.
WatchedCursor = watched(CursorWrapper)
