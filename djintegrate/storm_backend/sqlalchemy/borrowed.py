"""The DB-API connection that SQLAlchemy gets: it is Django's, in Zope's transaction, and SQLAlchemy cannot end it.

Its statements go through a cursor of Django's, which counts and shows them, and tells the other ORMs what they write.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import ref

import django.db
from django.db.transaction import TransactionManagementError

from ..connection.cursors import PAST_EXECUTE
from ..stores import tracing
from .drivers import Driver


class Said(str):
    """A statement of SQLAlchemy's, which says on which connection. It may be remembered for longer than that lives."""

    _connection: Any = None

    @property
    def connection(self) -> BorrowedConnection | None:
        found: BorrowedConnection | None = self._connection()
        return found

    @classmethod
    def on(cls, connection: BorrowedConnection, statement: str) -> Said:
        said = cls(statement)
        said._connection = ref(connection)
        return said


class BorrowedConnection:
    """What a pool of SQLAlchemy's hands out, in the thread in which it was asked."""

    def __init__(self, sessions: Any, driver: Driver) -> None:
        self.sessions = sessions
        self.wrapper = sessions.wrapper
        self._driver = driver
        self._session: Any = None
        self._savepoints: dict[str, Any] = {}
        self._is_watched = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.driver_connection, name)

    @property
    def driver_connection(self) -> Any:
        """The driver's connection. What is executed on it, nobody hears of."""
        self.sessions.join_transaction()
        return self.wrapper.connection

    @property
    def is_lost(self) -> bool:
        return self.wrapper.connection is None

    @property
    def session(self) -> Any:
        """The session whose connection this is, if it is one's."""
        return None if self._session is None else self._session()

    def belongs_to(self, session: Any) -> None:
        self._session = ref(session)

    # What DB-API asks

    def cursor(self, name: Any = None, **options: Any) -> BorrowedCursor:
        return BorrowedCursor(self, name if isinstance(name, str) else None)

    def commit(self) -> None:
        """Nothing is committed: the transaction is, in its time."""
        self.sessions.may_commit(self)

    def rollback(self) -> None:
        """Nothing is rolled back alone: what this connection wrote is undone with the block that it was written in."""
        self.sessions.refuse_commit(self)

    def close(self) -> None:
        """Nothing is closed: Django does that."""

    # Savepoints

    def take_savepoint(self, name: str) -> None:
        self.sessions.join_transaction()
        with self.sessions.said_by(self):
            data_manager = self.wrapper.data_manager
            self._savepoints[name] = (data_manager.savepoint(), data_manager, self.sessions.are_ending)

    def roll_back_to(self, name: str) -> None:
        savepoint, data_manager, is_late = self._savepoints[name]
        if data_manager is not self.wrapper.data_manager:
            # It has gone with the database's transaction. Zope's goes on, rolled back to a savepoint of its own.
            return
        if self.sessions.are_ending and not is_late:
            # The session is closed with its transaction, and has left its savepoints open; others have written since.
            return
        with self.sessions.said_by(self):
            savepoint.rollback()

    def release_savepoint(self, name: str) -> None:
        savepoint, data_manager, _ = self._savepoints.pop(name)
        if data_manager is self.wrapper.data_manager:
            with self.sessions.said_by(self):
                self.wrapper.savepoint_commit(savepoint.sid)

    # Statements

    @contextmanager
    def unwatched(self) -> Iterator[BorrowedConnection]:
        """What is executed is SQLAlchemy's own business, and reads nothing of the site's."""
        was, self._is_watched = self._is_watched, False
        try:
            yield self
        finally:
            self._is_watched = was

    def open_cursor(self, name: str | None) -> tuple[Any, Any]:
        """A cursor of the driver's, and one of Django's around it."""
        self.sessions.join_transaction()
        wrapper = self.wrapper
        is_traced = self._is_watched and tracing.is_traced(wrapper)
        raw = self._driver.cursor(wrapper.connection, name, is_traced and wrapper.vendor == "sqlite")
        if not self._is_watched:
            return raw, raw
        if not is_traced:
            return raw, wrapper.make_cursor(raw)
        # Whoever watches may have put a `cursor` of its own into Django's connection.
        watched = wrapper.cursor()
        watched.cursor.close()
        watched.cursor = raw
        return raw, watched


class BorrowedCursor:
    """A cursor, made when it executes."""

    def __init__(self, connection: BorrowedConnection, name: str | None) -> None:
        self.connection = connection
        self._name = name
        self._raw: Any = None
        self._djangos: Any = None

    def __getattr__(self, name: str) -> Any:
        self._open()
        return getattr(self._djangos if name in PAST_EXECUTE else self._raw, name)

    def __iter__(self) -> Iterator[Any]:
        self._open()
        return iter(self._raw)

    def __enter__(self) -> BorrowedCursor:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def execute(self, statement: Any, parameters: Any = None, **options: Any) -> Any:
        self._run("execute", statement, parameters)
        return self

    def executemany(self, statement: Any, parameters: Any, **options: Any) -> Any:
        return self._run("executemany", statement, parameters)

    def close(self) -> None:
        if self._raw is not None:
            self._raw.close()

    def _open(self) -> None:
        if self._raw is None:
            self._raw, self._djangos = self.connection.open_cursor(self._name)

    def _run(self, method: str, statement: Any, parameters: Any) -> Any:
        self._open()
        run = getattr(self._djangos, method)
        if self._djangos is self._raw:
            return run(statement) if parameters is None else run(statement, parameters)
        connection = self.connection
        if isinstance(statement, str):
            if parameters is not None and isinstance(self._djangos.cursor, _with_django_marks()):
                statement = tracing.with_django_marks(statement)
            statement = Said.on(connection, statement)
        with _driver_errors(connection.wrapper.Database):
            return run(statement, parameters)


@contextmanager
def _driver_errors(driver: Any) -> Iterator[None]:
    """SQLAlchemy expects those that Django has made its own."""
    try:
        yield
    except django.db.Error as error:
        cause = error.__cause__
        if isinstance(error, TransactionManagementError) or not isinstance(cause, driver.Error):
            raise
        raise cause from cause.__cause__


def _with_django_marks() -> type[Any]:
    from django.db.backends.sqlite3.base import SQLiteCursorWrapper

    cursors: type[Any] = SQLiteCursorWrapper
    return cursors
