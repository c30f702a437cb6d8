"""Django's cursors, which let their connection run what they execute: it hears of every statement.

And of the drivers' other ways to write, which nothing shows but their names.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from django.db.backends.utils import CursorWrapper

PAST_EXECUTE = ("callproc", "copy", "copy_expert", "copy_from", "copy_to", "executescript", "stream")


@cache
def heard(cursor_class: Any) -> Any:
    """One of Django's classes of cursors, so heard."""

    class Cursor(cursor_class):
        def _execute_with_wrappers(self, sql: Any, params: Any, many: bool, executor: Callable[..., Any]) -> Any:
            # Both execute() and executemany() come by here. Without wrappers, Django does no more than this.
            if self.db.execute_wrappers:
                executor = partial(super()._execute_with_wrappers, many=many, executor=executor)
            return self.db.run(executor, sql, params)

    Cursor.__name__ = Cursor.__qualname__ = cursor_class.__name__
    for name in PAST_EXECUTE:
        setattr(Cursor, name, _announcing(Cursor, name))
    return Cursor


def _announcing(cursor_class: Any, name: str) -> Callable[..., Any]:
    def method(cursor: Any, *args: Any, **kwargs: Any) -> Any:
        data_manager = cursor.db.data_manager
        if data_manager is not None:
            # Before is as good as after: until the method is through, nobody can read on this connection.
            data_manager.note_unseen()
        original = getattr(super(cursor_class, cursor), name, None) or getattr(cursor.cursor, name)
        try:
            return original(*args, **kwargs)
        finally:
            if name == "callproc":
                cursor.db.note_alteration()

    method.__name__ = name
    return method


# The one that each statement asks for, outside of DEBUG.
HeardCursor = heard(CursorWrapper)
