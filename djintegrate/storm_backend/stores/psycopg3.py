"""Storm's PostgreSQL over psycopg 3; Storm itself has it over psycopg2 alone.

Statements and values go to the server, and come back, as with psycopg2. Nothing here connects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import psycopg
from django.db.backends.postgresql.base import Cursor
from psycopg.pq import Format
from storm.database import CursorWrapper, Database
from storm.databases.postgres import Postgres, PostgresConnection, make_dsn, pg_connection_failure_codes
from storm.exceptions import Error
from storm.uri import URI
from storm.variables import Variable

TIMESTAMPTZ = psycopg.adapters.types["timestamptz"].oid
# The driver's own. Django's takes the time zone away where USE_TZ is off, and Storm would take what is left for UTC.
TIMESTAMPTZ_LOADER = psycopg.adapters.get_loader(TIMESTAMPTZ, Format.TEXT)


class Psycopg3Connection(PostgresConnection):
    """Storm's PostgreSQL connection, with what it says to psycopg2 said to psycopg 3."""

    _raw_connection: Any

    def to_database(self, params: Iterable[Any]) -> Iterator[Any]:
        # Times as text without a type: PostgreSQL finds the type from the place where it stands, as with psycopg2.
        for param in params:
            value = param.get(to_db=True) if isinstance(param, Variable) else param
            yield str(value) if isinstance(value, (datetime, date, time, timedelta)) else value

    def build_raw_cursor(self) -> Any:
        # Not the connection's kind of cursor, which `server_side_binding` changes: Storm's SQL has parameters where
        # the server takes none.
        cursor = Cursor(self._raw_connection._connection)
        cursor.adapters.register_loader(TIMESTAMPTZ, TIMESTAMPTZ_LOADER)
        return CursorWrapper(cursor, self._database)

    def is_disconnection_error(self, exc: Exception, extra: Any = ()) -> bool:
        if isinstance(exc, Error) and getattr(exc, "sqlstate", None) in pg_connection_failure_codes:
            return True
        lost: bool = super().is_disconnection_error(exc, extra)
        return lost


class Psycopg3(Postgres):
    """Storm's PostgreSQL database, without the psycopg2 that it asks for."""

    _exception_module = psycopg

    def __init__(self, uri: URI) -> None:
        Database.__init__(self, uri)
        self._dsn = make_dsn(uri)

    def _make_combined_exception_type(self, wrapper_type: type, dbapi_type: type) -> Any:
        return Database._make_combined_exception_type(self, wrapper_type, dbapi_type)

    def _wrap_exception(self, wrapper_type: type, exception: Exception) -> Any:
        wrapped = Database._wrap_exception(self, wrapper_type, exception)
        # What `diag`, `sqlstate` and `pgresult` are read from.
        wrapped.__dict__.update(exception.__dict__)
        return wrapped
