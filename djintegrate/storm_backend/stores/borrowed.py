"""Storm databases whose raw connections Django's wrappers opened.

Storm borrows such a connection: it never closes it, and asks for it anew when Django has
replaced it. Nothing here decides when a transaction ends.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import Error
from django.db.backends.utils import debug_transaction
from storm.database import (
    STATE_CONNECTED,
    STATE_DISCONNECTED,
    STATE_RECONNECT,
    Connection,
    ConnectionWrapper,
    Database,
)
from storm.exceptions import ConnectionBlockedError, DisconnectionError
from storm.tracer import trace
from storm.uri import URI

from . import tracing
from .errors import storm_errors

if TYPE_CHECKING:
    from ..connection.wrapper import StormEngine


def shared_database(wrapper: StormEngine) -> Database:
    """The database of the one store that shares `wrapper` and its transactions."""
    return _database_class(wrapper.vendor, SharedConnection)(wrapper)


def database_for(wrapper: StormEngine) -> Database:
    """A database for stores outside of Zope's transaction.

    Every store on it, and every connect(), gets a connection of its own, opened as
    `wrapper` opens its connection, and ends its transactions itself, as with Storm alone.
    """
    return _database_class(wrapper.vendor, OwnConnection)(wrapper)


class BorrowedConnection(Connection):
    """A Storm connection on the raw connection that a Django wrapper has."""

    _raw: Any = None

    def __init__(self, database: BorrowingDatabase, event: Any = None) -> None:
        self._wrapper = database.wrapper
        super().__init__(database, event)
        self._raw = self._wrapper.connection

    def close(self) -> None:
        self._closed = True
        self._raw_connection = self._raw = None

    def is_disconnection_error(self, exc: Exception, extra: Any = ()) -> bool:
        lost: bool = super().is_disconnection_error(exc, extra)
        # Django looks whether the connection works before it uses it again.
        self._wrapper.errors_occurred = self._wrapper.errors_occurred or lost
        return lost

    def build_raw_cursor(self) -> Any:
        cursor = super().build_raw_cursor()
        if tracing.is_traced(self._wrapper):
            return tracing.TracedCursor(cursor._cursor, self._database, self._wrapper)
        return cursor

    def raw_execute(self, statement: str, params: Any = None) -> Any:
        # Not Storm's SQLite way, which begins and repeats statements by itself.
        return Connection.raw_execute(self, statement, params)

    def _borrow(self) -> None:
        if self._raw is None or self._raw is not self._wrapper.connection:
            self._raw_connection = self._database.raw_connect()
            self._raw = self._wrapper.connection
            self._state = STATE_CONNECTED


class SharedConnection(BorrowedConnection):
    """The connection of a store in Zope's transaction, which alone ends it."""

    def commit(self, xid: Any = None) -> None:
        """Only tell the tracers: the transaction is committed."""
        trace("connection_commit", self, xid)

    def rollback(self, xid: Any = None) -> None:
        """Only tell the tracers: the transaction is rolled back, or a savepoint in it."""
        if self._state == STATE_DISCONNECTED:
            self._state = STATE_RECONNECT
        trace("connection_rollback", self, xid)

    def raw_execute(self, statement: str, params: Any = None) -> Any:
        if self._wrapper.has_sister_stores and self._wrapper.part is not None:
            self._wrapper.part.note_write(statement)
        return super().raw_execute(statement, params)

    def _ensure_connected(self) -> None:
        if self._blocked:
            raise ConnectionBlockedError("Access to connection is blocked")
        if self._state == STATE_DISCONNECTED:
            raise DisconnectionError("Already disconnected")
        self._wrapper.validate_no_broken_transaction()
        self._borrow()


class OwnConnection(BorrowedConnection):
    """A connection outside of Zope's transaction, with transactions of its own."""

    def __init__(self, database: BorrowingDatabase, event: Any = None) -> None:
        # A copy of a connection takes no part in Zope's transaction.
        super().__init__(type(database)(database.wrapper.copy(), database.known), event)

    def on_begin(self) -> None:
        """Replaced by who wants to know of each transaction, before its first statement."""

    def on_statement(self, statement: str) -> None:
        """Replaced by who wants to know of each statement."""

    def lose(self) -> None:
        """Give the raw connection up, with whatever is open on it."""
        with suppress(Error):
            self._wrapper.close()
        self._state = STATE_DISCONNECTED

    def close(self) -> None:
        if not self._closed:
            self._wrapper.close()
        super().close()

    def commit(self, xid: Any = None) -> None:
        with debug_transaction(self._wrapper, "COMMIT"):
            Connection.commit(self, xid)
        self._end_transaction()

    def rollback(self, xid: Any = None) -> None:
        with debug_transaction(self._wrapper, "ROLLBACK"):
            Connection.rollback(self, xid)
        self._end_transaction()

    def raw_execute(self, statement: str, params: Any = None) -> Any:
        self.on_statement(statement)
        return super().raw_execute(statement, params)

    def _end_transaction(self) -> None:
        if self._state == STATE_CONNECTED and self._raw is self._wrapper.connection:
            self._wrapper.set_autocommit(True)
        else:
            self._wrapper.close()

    def _ensure_connected(self) -> None:
        super()._ensure_connected()
        self._borrow()
        if self._wrapper.autocommit:
            self._wrapper.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
            self.on_begin()


class BorrowingDatabase(Database):
    """A Storm database that connects through a Django wrapper."""

    connection_factory: ClassVar[type[Connection]]

    def __init__(self, wrapper: StormEngine, known: dict[str, int] | None = None) -> None:
        # What all connections to one server have in common.
        self.known = {} if known is None else known
        super().__init__(URI(wrapper.settings_dict["STORM_SECRET_URI"]))
        self.wrapper = wrapper

    def raw_connect(self) -> ConnectionWrapper:
        with storm_errors(self):
            self.wrapper.ensure_connection()
        return ConnectionWrapper(self.wrapper.connection, self)


class KnowsVersion:
    """Mixed into a PostgreSQL database, of whose server Storm wants to know the version."""

    wrapper: StormEngine
    known: dict[str, int]

    @property
    def _version(self) -> int:
        if "version" not in self.known:
            self.known["version"] = self.wrapper.pg_version
        return self.known["version"]

    @_version.setter
    def _version(self, version: int) -> None:
        self.known["version"] = version


def storm_classes(vendor: str) -> tuple[type[Database], type[Connection], tuple[type, ...]]:
    """Storm's own classes for a kind of database, and what is mixed in before them."""
    # Imported when needed: each wants its driver.
    if vendor == "sqlite":
        from storm.databases.sqlite import SQLite, SQLiteConnection

        return SQLite, SQLiteConnection, ()
    if vendor == "postgresql":
        from django.db.backends.postgresql.psycopg_any import is_psycopg3

        if is_psycopg3:
            from .psycopg3 import Psycopg3, Psycopg3Connection

            return Psycopg3, Psycopg3Connection, (KnowsVersion,)
        from storm.databases.postgres import Postgres, PostgresConnection

        return Postgres, PostgresConnection, (KnowsVersion,)
    from storm.databases.mysql import MySQL, MySQLConnection

    return MySQL, MySQLConnection, ()


@cache
def _database_class(vendor: str, kind: type[BorrowedConnection]) -> type[Any]:
    storm_database, storm_connection, extras = storm_classes(vendor)
    connection = type(kind.__name__, (kind, storm_connection), {})
    bases = (*extras, BorrowingDatabase, storm_database)
    return type("Borrowing" + storm_database.__name__, bases, {"connection_factory": connection})
