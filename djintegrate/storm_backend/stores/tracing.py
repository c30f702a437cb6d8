"""Shows Storm's statements to those who watch Django's: the query log, execute wrappers, a patched `cursor()`.

Where nobody watches, nothing here is in a statement's way.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from storm.database import CursorWrapper, Database

from .errors import storm_errors


def is_traced(wrapper: BaseDatabaseWrapper) -> bool:
    """Whether somebody wants to see the statements on this connection."""
    # django-debug-toolbar puts a `cursor` of its own into the connection.
    return wrapper.queries_logged or "cursor" in wrapper.__dict__ or bool(wrapper.execute_wrappers)


class TracedCursor(CursorWrapper):
    """A cursor of Storm's that executes through one of Django's, which tells the watchers."""

    def __init__(self, cursor: Any, database: Database, wrapper: BaseDatabaseWrapper) -> None:
        with storm_errors(database):
            django_cursor = wrapper.cursor()
        if wrapper.vendor == "sqlite":
            # It takes the %s that the watchers are to see, on this database too.
            cursor = django_cursor.cursor
        else:
            # Values come back as from a cursor of Storm's, watched or not.
            django_cursor.cursor.close()
            django_cursor.cursor = cursor
        super().__init__(cursor, database)
        # Past Storm, which sets every attribute of the driver's cursor.
        self.__dict__.update(_django_cursor=django_cursor, _wrapper=wrapper)

    def execute(self, statement: str, params: Any = None) -> Any:
        if params is not None and self._wrapper.vendor == "sqlite":
            statement = with_django_marks(statement)
        # What it does was seen where Storm executed it.
        with self._wrapper.data_manager.looking_away(), storm_errors(self._database):
            return self._django_cursor.execute(statement, params)


def with_django_marks(statement: str) -> str:
    # As Storm does it for the other databases: every second part is in quotes. "%?" would read as an escaped mark.
    parts = statement.replace("%", "%%").split("'")
    parts[::2] = [part.replace("%?", "% ?").replace("?", "%s") for part in parts[::2]]
    return "'".join(parts)
