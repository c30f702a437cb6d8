"""The Storm stores of a thread, by their names in STORM_STORES."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import transaction
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.dispatch import Signal
from django.utils.asyncio import async_unsafe
from storm import Undef
from storm.exceptions import LostObjectError
from storm.expr import Expr
from storm.info import get_obj_info
from storm.store import ResultSet, Store
from storm.uri import URI

from .. import base, conf
from ..conf import uris
from ..connection.wrapper import StormEngine
from ..sql import catalogue as cascades
from ..sql.effects import effect_of, plain_name
from ..transactions import thread as coordinator
from ..transactions.manager import PlainStorePart
from ..two_phase.manager import TwoPhasePlainPart
from . import coherence
from .borrowed import database_for, shared_database
from .errors import storm_errors

# Sent before rows of a shared store are removed. sender: the Storm class; store; objects: those to be removed, which
# may be a result set, and costs a query only where somebody looks.
pre_remove = Signal()


@async_unsafe
def get_store(name: str) -> Store:
    """This thread's Storm store called `name`.

    It shares the connection of the Django database that names it; if none does, it has
    a connection of its own. Either way it is in Zope's transaction.
    """
    alias = alias_of(name)
    return _plain_store(name) if alias is None else store_on(alias)


@async_unsafe
def store_on(alias: str) -> SharedStore:
    """This thread's store on the connection of a Django database."""
    connection: StormEngine = connections[alias]
    if not isinstance(connection, StormEngine):
        raise ImproperlyConfigured(
            f"DATABASES[{alias!r}] shares no Storm store. Make its ENGINE {conf.ENGINE!r} and its NAME a store's."
        )
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


def invalidate(name: str, *tables: str) -> None:
    """Have the objects of the store called `name` read their values anew, where they are of these tables.

    Without tables: all objects. This is for what was written past both ORMs; what is not flushed yet stays.
    """
    coherence.invalidate(get_store(name), {plain_name(table) for table in tables} if tables else None)


class ManagedResultSet(ResultSet):
    """What find() gives."""

    _store: ManagedStore

    def set(self, *args: Any, **kwargs: Any) -> None:
        # Storm gives the new values to the objects that it finds by their old ones. Those of which it knows too little
        # for that are read anew instead; and some of them may have no row any more.
        if not self._store.flushes_are_blocked:
            self._store.flush()
        if self._find_spec.default_cls_info is not None:
            coherence.invalidate_partly_known(self._store, self._find_spec.default_cls_info.cls)
        with self._store.known_objects_only():
            super().set(*args, **kwargs)


class ManagedStore(Store):
    """A store whose transactions the Zope transaction manager ends."""

    _result_set_factory = ManagedResultSet
    _knows_all = True
    _flushes_one = False

    def commit(self) -> None:
        transaction.commit()

    def rollback(self) -> None:
        transaction.abort()

    def __deepcopy__(self, memo: Any) -> Store:
        raise TypeError(
            "A Storm store, and an object that is in one, cannot be copied. In setUpTestData(), keep the object's key, "
            "and get the object from the store in the test."
        )

    def has_changes(self) -> bool:
        """Whether anything is pending."""
        # So says Storm to values that are changed in place, a list say: they tell it only now.
        self._event.emit("flush")
        return bool(self._dirty)

    @property
    def flushes_are_blocked(self) -> bool:
        """Whether somebody has called block_implicit_flushes()."""
        return bool(self._implicit_flush_block_count)

    @property
    def has_pending(self) -> bool:
        """Whether a flush would send anything."""
        return bool(self._dirty)

    def forget_changes(self) -> None:
        """Throw away what is pending, and every value read so far."""
        super().rollback()

    @contextmanager
    def known_objects_only(self) -> Iterator[None]:
        """Storm looks only at objects of which it knows the values."""
        self._knows_all = False
        try:
            yield
        finally:
            self._knows_all = True

    def _iter_alive(self) -> list[Any]:
        alive: list[Any] = super()._iter_alive()
        return alive if self._knows_all else [obj_info for obj_info in alive if not obj_info.get("invalidated")]

    def _validate_alive(self, obj_info: Any) -> None:
        try:
            super()._validate_alive(obj_info)
        except LostObjectError:
            # Storm has set the new value already, which nobody is to read, for it cannot be saved.
            coherence.make_unknown(obj_info, even_changes=True)
            raise

    def _resolve_lazy_value(self, obj_info: Any, variable: Any, lazy_value: Any) -> None:
        if not self.flushes_are_blocked:
            # It may be just now that another object takes the key of this one.
            self.flush()
            _refuse_lost(obj_info)
        super()._resolve_lazy_value(obj_info, variable, lazy_value)

    def _flush_one(self, obj_info: Any) -> None:
        self._flushes_one = True
        try:
            super()._flush_one(obj_info)
        finally:
            self._flushes_one = False

    def _add_to_alive(self, obj_info: Any) -> None:
        if self._flushes_one:
            key = tuple(variable.get(to_db=True) for variable in obj_info.primary_vars)
            other = self._alive.get((obj_info.cls_info.cls, key))
            if other is not None and other is not obj_info:
                self._lose(other)
        super()._add_to_alive(obj_info)

    def _lose(self, obj_info: Any) -> None:
        """An object's row is gone, not by Storm, and another object has its key now."""
        self._cache.remove(obj_info)
        self._set_clean(obj_info)
        self._disable_change_notification(obj_info)
        self._disable_lazy_resolving(obj_info)
        coherence.make_unknown(obj_info, even_changes=True)
        obj_info.event.hook("resolve-lazy-value", _refuse_lost)
        for key in ("store", "primary_vars", "invalidated", "pending"):
            obj_info.pop(key, None)


class SharedResultSet(ManagedResultSet):
    """What find() of a shared store gives."""

    _store: SharedStore

    def remove(self) -> int:
        cls_info = self._find_spec.default_cls_info
        is_plain = all(part is Undef for part in (self._group_by, self._offset, self._limit, self._select))
        # Storm refuses to remove the others.
        if cls_info is not None and is_plain:
            self._store.announce_removal(cls_info.cls, self)
        removed: int = super().remove()
        return removed


class SharedStore(ManagedStore):
    """The store on the connection of a Django database."""

    _result_set_factory = SharedResultSet

    def __init__(self, connection: StormEngine) -> None:
        super().__init__(shared_database(connection))
        self._django_connection = connection
        self._event.hook("register-transaction", _enlist)

    @property
    def alias(self) -> str:
        """The Django database whose connection this is."""
        return str(self._django_connection.alias)

    def remove(self, obj: Any) -> None:
        # Nothing can point at one that was not flushed yet, or not since it was added.
        info = get_obj_info(obj)
        if info.get("store") is self and "pending" not in info:
            self.announce_removal(type(obj), [obj])
        super().remove(obj)

    def announce_removal(self, cls: type, objects: Any) -> None:
        """Tell those who act before a removal. What they do is in the transaction that the removal is in."""
        if pre_remove.has_listeners(cls):
            self._event.emit("register-transaction")
            pre_remove.send(cls, store=self, objects=objects)

    def close(self) -> None:
        """Let go of the connection; get_store() then makes a new store."""
        super().close()
        if self._django_connection.store is self:
            self._django_connection.store = None

    def execute(self, statement: Any, params: Any = None, noresult: bool = False) -> Any:
        if not isinstance(statement, Expr) and effect_of(statement, self._django_connection.vendor).alters:
            cascades.forget(self._django_connection)
        return super().execute(statement, params, noresult)

    def committed(self) -> None:
        """The transaction was committed: others may change what was read in it."""
        # Many an object of earlier transactions waits for the garbage collector, with nothing left to forget.
        with self.known_objects_only():
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
        self._connection.on_begin = self._note_begin
        self._connection.on_statement = self._note_statement
        self._event.hook("register-transaction", _join)

    @property
    def wrapper(self) -> StormEngine:
        """The Django connection that only this store uses."""
        wrapper: StormEngine = self._connection._wrapper
        return wrapper

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

    def lose_connection(self) -> None:
        """Give the connection up, with whatever is open on it; the next transaction has another."""
        self._connection.lose()

    def _note_begin(self) -> None:
        if isinstance(self.part, TwoPhasePlainPart):
            self.part.begin_branch()

    def _note_statement(self, statement: str) -> None:
        if self.part is not None:
            self.part.note_write(statement)


class _Untouched:
    """Stands in for a connection that is not to roll back."""

    def rollback(self) -> None:
        pass


def _refuse_lost(obj_info: Any, *args: Any) -> None:
    if "store" not in obj_info:
        raise LostObjectError("Object is not in the database anymore: another one has its key")


def _enlist(store: SharedStore, *args: Any) -> None:
    with storm_errors(store.get_database()):
        store._django_connection.enlist()


def _join(store: PlainStore, *args: Any) -> None:
    store.wrapper.validate_thread_sharing()
    if store.part is None:
        kind = TwoPhasePlainPart if store.wrapper.two_phase else PlainStorePart
        part = kind(store, transaction.get())
        part.join()
        store.part = part


def _plain_store(name: str) -> PlainStore:
    stores = coordinator.current().plain_stores
    store = stores.get(name)
    if store is None or store._connection._closed:
        store = stores[name] = PlainStore(name)
    return store
