"""Stores outside of Zope's transaction, on connections that the engine's backend opens: for Storm's own tests."""

from __future__ import annotations

from typing import Any

from django.db.backends.utils import debug_transaction
from storm.database import STATE_CONNECTED, Connection, Database

from djintegrate.storm_backend.connection.wrapper import StormWrapper
from djintegrate.storm_backend.stores.borrowed import BorrowedConnection, database_class


def database_for(wrapper: StormWrapper) -> Database:
    """A database for stores outside of Zope's transaction.

    Every store on it, and every connect(), gets a connection of its own, opened as `wrapper` opens its connection, and
    ends its transactions itself, as with Storm alone.
    """
    borrowing = database_class(wrapper.vendor, OwnConnection)
    own: Database = type(borrowing.__name__, (KnowsVersion, borrowing), {})(wrapper)
    return own


class KnowsVersion:
    """Mixed into a database that knows its server's version, and lets it be set, for all copies of itself.

    Storm's tests do both with the database that they have made, while each connection is on a copy.
    """

    wrapper: StormWrapper
    versions: dict[str, Any]

    def __init__(self, wrapper: StormWrapper) -> None:
        self.versions = {}
        super().__init__(wrapper)  # type: ignore[call-arg]

    @property
    def _version(self) -> Any:
        return self.versions.get("set") or self._version_of_server()

    @_version.setter
    def _version(self, version: Any) -> None:
        # A copy that connects sets what its server says.
        if version != self._version_of_server():
            self.versions["set"] = version

    def _version_of_server(self) -> Any:
        return getattr(self.wrapper, "pg_version", None)


class OwnConnection(BorrowedConnection):
    """A connection outside of Zope's transaction, with transactions of its own."""

    def __init__(self, database: Any, event: Any = None) -> None:
        # A copy of a connection takes no part in Zope's transaction.
        copied: Any = type(database)(database.wrapper.copy())
        copied.versions = database.versions
        super().__init__(copied, event)

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

    def _end_transaction(self) -> None:
        raw = getattr(self._raw_connection, "_connection", None)
        if self._state == STATE_CONNECTED and raw is self._wrapper.connection:
            self._wrapper.set_autocommit(True)
        else:
            self._wrapper.close()

    def _ensure_connected(self) -> None:
        super()._ensure_connected()
        if self._wrapper.autocommit:
            self._wrapper.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
