"""Storm databases whose raw connections Django's wrappers opened.

Storm borrows such a connection: it never closes it, and asks for it anew when Django has replaced it. Nothing here
decides when a transaction ends.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar

from storm.database import (
    STATE_CONNECTED,
    STATE_DISCONNECTED,
    STATE_RECONNECT,
    Connection,
    ConnectionWrapper,
    Database,
)
from storm.exceptions import ConnectionBlockedError, DatabaseError, DisconnectionError
from storm.tracer import TimeoutTracer, get_tracers, trace
from storm.uri import URI

from ..connection.wrapper import StormWrapper
from ..sql import effects, errors
from . import coherence, tracing
from .errors import storm_errors
from .history import DatedResult, History


class BorrowedConnection(Connection):
    """A Storm connection on a Django wrapper's raw connection, in Zope's transaction, which alone ends it."""

    _state: Any
    # PostgreSQL's statement_timeout before a tracer of Storm's set one: that is the session's, and not to outlive the
    # transaction.
    _timeout: str | None = None
    # Asked before each statement, where somebody wants to know of them, or not to have them run.
    is_to_run: Callable[[str, Any], bool] | None = None

    def __init__(self, database: BorrowingDatabase, event: Any = None) -> None:
        self._wrapper = database.wrapper
        self.history = History()
        super().__init__(database, event)

    def close(self) -> None:
        self._closed = True
        self._raw_connection = None

    def commit(self, xid: Any = None) -> None:
        """Only tell the tracers: the transaction is committed."""
        if self._timeout is not None:
            if not self._wrapper.is_lent:
                self._ask_past_watchers(f"SET statement_timeout TO '{self._timeout}'")
            self._timeout = None
        trace("connection_commit", self, xid)

    def rollback(self, xid: Any = None) -> None:
        """Only tell the tracers: the transaction is rolled back, or a savepoint in it."""
        if self._state == STATE_DISCONNECTED:
            self._state = STATE_RECONNECT
        if self._wrapper.data_manager is None:
            # With the transaction, PostgreSQL has undone what was set in it.
            self._timeout = None
        trace("connection_rollback", self, xid)

    def is_disconnection_error(self, exc: Exception, extra: Any = ()) -> bool:
        # Storm asks this of every error of the driver's.
        self._wrapper.note_error(exc)
        lost = super().is_disconnection_error(exc, extra)
        # Django looks whether the connection works before it uses it again.
        self._wrapper.errors_occurred = self._wrapper.errors_occurred or lost
        if lost:
            errors.name_store(exc, self._wrapper.store_name)
        return lost

    def build_raw_cursor(self) -> Any:
        cursor = super().build_raw_cursor()
        if tracing.is_traced(self._wrapper):
            return tracing.TracedCursor(cursor._cursor, self._database, self._wrapper)
        return cursor

    def raw_execute(self, statement: str, params: Any = None) -> Any:
        data_manager, execute = self._wrapper.data_manager, self._execute
        store: Any = self._wrapper.store
        effect = effects.NOTHING
        if data_manager is not None:
            effect = data_manager.note(statement)
            if len(data_manager.stores) > 1:
                execute = data_manager.around(effect, execute, but=store)
        if self.is_to_run is not None and not self.is_to_run(statement, params):
            return self.build_raw_cursor()
        if self._timeout is None and self._wrapper.vendor == "postgresql" and any(map(_sets_timeouts, get_tracers())):
            self._timeout = self._ask_past_watchers("SHOW statement_timeout")
            self._wrapper.changes_session()
        result = execute(statement, params)
        if effect.waits and store is not None:
            coherence.read_anew(store, effect)
        return result

    def _execute(self, statement: str, params: Any) -> Any:
        # Not Storm's SQLite way, which begins and repeats statements by itself.
        return Connection.raw_execute(self, statement, params)

    def _ask_past_watchers(self, sql: str) -> Any:
        with self._wrapper.connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0] if cursor.description else None

    def _ensure_connected(self) -> None:
        if self._blocked:
            raise ConnectionBlockedError("Access to connection is blocked")
        if self._state == STATE_DISCONNECTED:
            raise DisconnectionError("Already disconnected")
        self._wrapper.validate_no_broken_transaction()
        if self._raw_connection is None or self._raw_connection._connection is not self._wrapper.connection:
            try:
                self._raw_connection = self._database.raw_connect()
            except DatabaseError as error:
                if self._state == STATE_RECONNECT:
                    # It was lost before, and Storm's callers wait for it to come back.
                    raise DisconnectionError(str(error)) from error
                raise
            self._state = STATE_CONNECTED


def _sets_timeouts(tracer: Any) -> bool:
    return isinstance(tracer, TimeoutTracer)


class BorrowingDatabase(Database):
    """A Storm database that connects through a Django wrapper."""

    connection_factory: ClassVar[type[Connection]]

    def __init__(self, wrapper: StormWrapper) -> None:
        super().__init__(URI(wrapper.settings_dict["STORM_SECRET_URI"]))
        self.wrapper = wrapper

    def raw_connect(self) -> ConnectionWrapper:
        with storm_errors(self):
            self.wrapper.ensure_connection()
        if self.wrapper.vendor == "postgresql":
            # Storm asks the server for this where it connects itself. Django's `pg_version` would run a cursor for it.
            self._version = self.wrapper.connection.info.server_version
        return ConnectionWrapper(self.wrapper.connection, self)


def storm_classes(vendor: str) -> tuple[type[Database], type[Connection]]:
    """Storm's own classes for a kind of database."""
    # Imported when needed: each wants its driver.
    if vendor == "sqlite":
        from storm.databases.sqlite import SQLite

        from .sqlite import SteadyConnection

        return SQLite, SteadyConnection
    if vendor == "postgresql":
        from django.db.backends.postgresql.psycopg_any import is_psycopg3

        if is_psycopg3:
            from .psycopg3 import Psycopg3, Psycopg3Connection

            return Psycopg3, Psycopg3Connection
        from storm.databases.postgres import Postgres, PostgresConnection

        return Postgres, PostgresConnection
    from storm.databases.mysql import MySQL

    from .mysql import MariaDBConnection

    return MySQL, MariaDBConnection


@cache
def database_class(vendor: str, kind: type[BorrowedConnection]) -> type[Any]:
    """The class of the databases for a kind of Django wrappers, whose connections are of this kind."""
    storm_database, storm_connection = storm_classes(vendor)
    result = type(
        "Dated" + storm_connection.result_factory.__name__, (DatedResult, storm_connection.result_factory), {}
    )
    connection = type(kind.__name__, (kind, storm_connection), {"result_factory": result})
    bases = (BorrowingDatabase, storm_database)
    return type("Borrowing" + storm_database.__name__, bases, {"connection_factory": connection})
