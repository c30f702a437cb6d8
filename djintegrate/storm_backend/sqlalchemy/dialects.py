"""SQLAlchemy's dialects of the four drivers, on connections that are lent: what ends, sets or resets one does not.

Types, SQL and errors are those of the dialects themselves.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

from sqlalchemy import NullPool
from sqlalchemy.dialects.mysql.mysqldb import MySQLDialect_mysqldb
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from . import drivers
from .borrowed import BorrowedConnection
from .sessions import sessions_on


class Borrowing:
    """Mixed in before a dialect of SQLAlchemy's."""

    driver_class: type[drivers.Driver]
    store = ""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.cursors = self.driver_class(self)

    # What there is to connect with

    @classmethod
    def get_pool_class(cls, url: URL) -> Any:
        return NullPool

    def create_connect_args(self, url: URL) -> Any:
        self.store = url.database or ""
        return [], {}

    def connect(self, *args: Any, **options: Any) -> BorrowedConnection:
        sessions = sessions_on(self.store)
        # Before zope.sqlalchemy does: where a transaction.savepoint() from before that is rolled back, what was
        # written is undone when the session is closed.
        sessions.join_transaction()
        return BorrowedConnection(sessions, self.cursors)

    def on_connect(self) -> None:
        """Nothing: Django has prepared the connection."""

    def initialize(self, connection: Any) -> None:
        borrowed = connection.connection.dbapi_connection
        with borrowed.unwatched():
            super().initialize(connection)  # type: ignore[misc]

    def get_driver_connection(self, connection: Any) -> Any:
        return connection.driver_connection

    def is_disconnect(self, error: Any, connection: Any, cursor: Any) -> bool:
        borrowed = getattr(connection, "dbapi_connection", connection)
        if isinstance(borrowed, BorrowedConnection) and borrowed.is_lost:
            return True
        return super().is_disconnect(error, connection, cursor)  # type: ignore[misc]

    # What a lent connection does not do

    def set_isolation_level(self, connection: Any, level: Any) -> None:
        raise ArgumentError(
            f"The isolation level of {self.store!r} is that of Django's connection: say it in the URI of the store."
        )

    def set_readonly(self, connection: Any, value: Any) -> None:
        raise ArgumentError(f"The connection of {self.store!r} is Django's, and not to be made read-only.")

    def set_deferrable(self, connection: Any, value: Any) -> None:
        raise ArgumentError(f"The connection of {self.store!r} is Django's, and not to be made deferrable.")

    def do_begin_twophase(self, connection: Any, xid: Any) -> None:
        """Nothing: the store is TWO_PHASE, or is not."""

    def do_prepare_twophase(self, connection: Any, xid: Any) -> None:
        """Nothing, as well."""

    def do_commit_twophase(self, connection: Any, xid: Any, is_prepared: bool = True, recover: bool = False) -> None:
        connection.connection.commit()

    def do_rollback_twophase(self, connection: Any, xid: Any, is_prepared: bool = True, recover: bool = False) -> None:
        connection.connection.rollback()

    # Savepoints are taken by Django, as everybody's are

    def do_savepoint(self, connection: Any, name: str) -> None:
        connection.connection.dbapi_connection.take_savepoint(name)

    def do_rollback_to_savepoint(self, connection: Any, name: str) -> None:
        connection.connection.dbapi_connection.roll_back_to(name)

    def do_release_savepoint(self, connection: Any, name: str) -> None:
        connection.connection.dbapi_connection.release_savepoint(name)


class SQLiteDialect(Borrowing, SQLiteDialect_pysqlite):  # type: ignore[misc]
    supports_statement_cache = True
    driver_class = drivers.SQLite


class MySQLDialect(Borrowing, MySQLDialect_mysqldb):  # type: ignore[misc]
    supports_statement_cache = True
    # While one of the server's cursors is read, the connection takes no other statement.
    supports_server_side_cursors = False
    driver_class = drivers.MySQL


class PsycopgDialect(Borrowing, PGDialect_psycopg):  # type: ignore[misc]
    supports_statement_cache = True
    driver_class = drivers.Psycopg

    def initialize(self, connection: Any) -> None:
        # By itself it would register hstore on Django's connection, too; and ask for it in a way of psycopg's that
        # begins a transaction, which a two-phase one forbids.
        wanted, self.use_native_hstore = self.use_native_hstore, False
        try:
            super().initialize(connection)
        finally:
            self.use_native_hstore = wanted
        oids = _hstore_oids(connection.connection.dbapi_connection) if wanted else None
        self._has_native_hstore = oids is not None
        if oids is not None:
            from psycopg.types import TypeInfo
            from psycopg.types.hstore import register_hstore

            register_hstore(TypeInfo("hstore", *oids), self._psycopg_adapters_map)


class Psycopg2Dialect(Borrowing, PGDialect_psycopg2):  # type: ignore[misc]
    supports_statement_cache = True
    driver_class = drivers.Psycopg2
    cursors: drivers.Psycopg2

    def initialize(self, connection: Any) -> None:
        super().initialize(connection)
        if self._has_native_hstore:
            self.cursors.add_hstore(*self._hstore_oids(connection.connection.dbapi_connection))

    def _hstore_oids(self, connection: Any) -> Any:
        return _hstore_oids(connection)


def _hstore_oids(borrowed: BorrowedConnection) -> Any:
    """The numbers of the type, and of its arrays, if the database has it."""
    with borrowed.unwatched(), closing(borrowed.cursor()) as cursor:
        cursor.execute("SELECT oid, typarray FROM pg_type WHERE typname = 'hstore'")
        return cursor.fetchone()
