"""Cursors on Django's connection that take and give values as on a connection of SQLAlchemy's own.

Django prepares its connections for its own fields: JSON stays text, SQLite's columns and MariaDB's times are converted.
Here each cursor is as the driver has it, with what SQLAlchemy adds. Nothing is set on the connection.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any


class Driver:
    """One of the four drivers."""

    def __init__(self, dialect: Any) -> None:
        self.dialect = dialect

    def cursor(self, connection: Any, name: str | None = None, is_traced: bool = False) -> Any:
        """A cursor on the driver's connection; `name` makes it one of the server's, where there are any."""
        raise NotImplementedError


class SQLite(Driver):
    """sqlite3. Where somebody watches, statements come with Django's marks for parameters, which are turned back."""

    def cursor(self, connection: Any, name: str | None = None, is_traced: bool = False) -> Any:
        return connection.cursor(_sqlite_cursors()[is_traced])


class MySQL(Driver):
    """mysqlclient. A result takes the connection's converters along when it is made."""

    def cursor(self, connection: Any, name: str | None = None, is_traced: bool = False) -> Any:
        return connection.cursor(_mysql_cursor())


class Psycopg(Driver):
    """psycopg 3, whose cursors have their own adapters."""

    def cursor(self, connection: Any, name: str | None = None, is_traced: bool = False) -> Any:
        plain, named = _psycopg_cursors()
        cursor = named(connection, name) if name else plain(connection)
        cursor.of_sqlalchemy = self.dialect._psycopg_adapters_map
        return cursor


class Psycopg2(Driver):
    """psycopg2, whose cursors have their own converters of what comes back."""

    def __init__(self, dialect: Any) -> None:
        super().__init__(dialect)
        self._json: Any = ()
        self._hstore: Any = ()

    def cursor(self, connection: Any, name: str | None = None, is_traced: bool = False) -> Any:
        from psycopg2 import extensions

        factory = extensions.cursor
        cursor = connection.cursor(name, cursor_factory=factory) if name else connection.cursor(cursor_factory=factory)
        self._json = self._json or self._json_of(cursor)
        for converter in (*self._json, *self._hstore):
            extensions.register_type(converter, cursor)
        return cursor

    def add_hstore(self, oid: int, array_oid: int) -> None:
        from psycopg2 import extensions, extras

        # What becomes of a dictionary is said for the whole process, as it is by SQLAlchemy itself.
        extensions.register_adapter(dict, extras.HstoreAdapter)
        converter = extensions.new_type((oid,), "HSTORE", extras.HstoreAdapter.parse)
        self._hstore = (converter, extensions.new_array_type((array_oid,), "HSTOREARRAY", converter))

    def _json_of(self, cursor: Any) -> Any:
        from psycopg2 import extras

        loads = self.dialect._json_deserializer
        found = extras.register_default_jsonb(cursor, loads=loads or json.loads)
        return (*found, *extras.register_default_json(cursor, loads=loads)) if loads else found


@cache
def _sqlite_cursors() -> tuple[type[Any], type[Any]]:
    """The class of the cursors, and the one for those that are watched."""
    from sqlite3 import Cursor

    from django.db.backends.sqlite3.base import SQLiteCursorWrapper

    from .hidden_converters import hidden

    class Unconverted:
        def execute(self, *args: Any) -> Any:
            with hidden():
                return super().execute(*args)  # type: ignore[misc]

        def executemany(self, *args: Any) -> Any:
            with hidden():
                return super().executemany(*args)  # type: ignore[misc]

    return type("Cursor", (Unconverted, Cursor), {}), type("Cursor", (Unconverted, SQLiteCursorWrapper), {})


@cache
def _mysql_cursor() -> type[Any]:
    from MySQLdb.constants import FIELD_TYPE
    from MySQLdb.converters import conversions
    from MySQLdb.cursors import Cursor

    times = conversions[FIELD_TYPE.TIME]

    class MySQLCursor(Cursor):
        def _get_result(self) -> Any:
            connection = self._get_db()
            djangos = connection.converter
            connection.converter = {**djangos, FIELD_TYPE.TIME: times}
            try:
                return super()._get_result()
            finally:
                connection.converter = djangos

    return MySQLCursor


@cache
def _psycopg_cursors() -> tuple[type[Any], type[Any]]:
    """The class of the cursors, and that of the server's."""
    from psycopg import Cursor, ServerCursor

    class SQLAlchemys:
        of_sqlalchemy: Any = None

        @property
        def adapters(self) -> Any:
            return self.of_sqlalchemy or super().adapters  # type: ignore[misc]

    return type("Cursor", (SQLAlchemys, Cursor), {}), type("ServerCursor", (SQLAlchemys, ServerCursor), {})
