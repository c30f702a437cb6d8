"""The Storm stores of a thread, by their names in STORM_STORES."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import transaction
from django.db import connections
from django.utils.asyncio import async_unsafe
from storm.store import Store
from storm.uri import URI

from . import base, conf, coordinator, uris
from .databases import database_for, shared_database, storm_errors
from .datamanager import PlainStorePart

if TYPE_CHECKING:
    from .engine import StormEngine


@async_unsafe
def get_store(name: str) -> Store:
    """This thread's Storm store called `name`.

    It shares the connection of the Django database that names it; if none does, it has
    a connection of its own. Either way it is in Zope's transaction.
    """
    alias = alias_of(name)
    if alias is None:
        return _plain_store(name)
    connection: StormEngine = connections[alias]
    if connection.store is None:
        connection.store = SharedStore(connection)
    return connection.store


def get_store_uri(name: str) -> str:
    """The URI of the database that the store called `name` uses, test databases included."""
    configured = conf.store(name).uri
    alias = alias_of(name)
    if alias is None:
        return configured
    used = connections[alias].settings_dict["NAME"]
    if used == uris.location(configured).settings["NAME"]:
        return configured
    uri = URI(configured)
    uri.database = used
    return str(uri)


def alias_of(name: str) -> str | None:
    """The Django database whose NAME is the store `name`, if there is one."""
    for alias, entry in connections.settings.items():
        if entry["ENGINE"] == conf.ENGINE and entry.get("STORM_STORE", entry["NAME"]) == name:
            return str(alias)
    return None


class ManagedStore(Store):
    """A store whose transactions the Zope transaction manager ends."""

    def commit(self) -> None:
        transaction.commit()

    def rollback(self) -> None:
        transaction.abort()

    def __deepcopy__(self, memo: Any) -> Store:
        raise TypeError(
            "A Storm store, and an object that is in one, cannot be copied. In setUpTestData(), keep the object's key, "
            "and get the object from the store in the test."
        )

    def forget_changes(self) -> None:
        """Throw away what is pending, and every value read so far."""
        super().rollback()


class SharedStore(ManagedStore):
    """The store on the connection of a Django database."""

    def __init__(self, connection: StormEngine) -> None:
        super().__init__(shared_database(connection))
        self._django_connection = connection
        self._event.hook("register-transaction", _enlist)

    def close(self) -> None:
        """Let go of the connection; get_store() then makes a new store."""
        super().close()
        if self._django_connection.store is self:
            self._django_connection.store = None

    def committed(self) -> None:
        """The transaction was committed: others may change what was read in it."""
        self.invalidate()
        self._connection.commit()


class PlainStore(ManagedStore):
    """A store that no Django database names, on a connection of its own.

    A native backend of Django's opens it too, so that its URI means the same.
    """

    part: PlainStorePart | None = None
    _connection: Any

    def __init__(self, name: str) -> None:
        wrapper = base.wrapper_for(conf.store(name))
        super().__init__(database_for(wrapper))
        self.name = name
        self.vendor = wrapper.vendor
        self._connection.on_statement = self._note_statement
        self._event.hook("register-transaction", _join)

    @property
    def raw_connection(self) -> Any:
        """The driver's connection, while there is one."""
        return self._connection._raw_connection

    def forget_changes(self) -> None:
        # To a savepoint: here, unlike in a shared store, the connection would roll back
        # the whole transaction.
        connection, self._connection = self._connection, _Untouched()
        try:
            super().forget_changes()
        finally:
            self._connection = connection

    def commit_connection(self) -> None:
        """Commit for good: what `commit` asks the transaction manager to have done."""
        Store.commit(self)

    def rollback_connection(self) -> None:
        """Roll back for good: what `rollback` asks the transaction manager to have done."""
        Store.rollback(self)

    def _note_statement(self, statement: str) -> None:
        if self.part is not None:
            self.part.note_write(statement)


class _Untouched:
    """Stands in for a connection that is not to roll back."""

    def rollback(self) -> None:
        pass


def _enlist(store: SharedStore, *args: Any) -> None:
    with storm_errors(store.get_database()):
        store._django_connection.enlist()


def _join(store: PlainStore, *args: Any) -> None:
    store._connection._wrapper.validate_thread_sharing()
    if store.part is None:
        part = PlainStorePart(store, transaction.get())
        part.join()
        store.part = part


def _plain_store(name: str) -> PlainStore:
    stores = coordinator.current().plain_stores
    store = stores.get(name)
    if store is None or store._connection._closed:
        store = stores[name] = PlainStore(name)
    return store
