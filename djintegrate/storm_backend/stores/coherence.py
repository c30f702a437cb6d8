"""Keeps Storm's objects true to what Django does on the connection that they share.

Before a statement of Django's, what Storm has pending is flushed; after it, the objects of the tables that it may have
written are invalidated; after a rollback to a savepoint, all of them. Only where Storm was used in the transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Any, Protocol
from weakref import WeakSet

from storm.store import AutoReload, Store

from ..sql import catalogue, effects, verbs
from ..sql.effects import Effect
from . import sending
from .history import History


class WatchedStore(Protocol):
    """What is asked of a store here, beside what Storm's own has."""

    django_connection: Any
    known: dict[type, WeakSet[Any]]
    history: History
    _cache: Any
    _alive: Any
    _dirty: Any
    _event: Any

    # Whether, of flushes that are blocked, not even the one before a savepoint is to take place.
    waits: bool

    @property
    def flushes_are_blocked(self) -> bool: ...

    def flush(self) -> None: ...

    def break_transaction(self, error: BaseException) -> None: ...

    def forget_changes(self) -> None: ...

    def known_objects_only(self) -> AbstractContextManager[None]: ...

    def _is_dirty(self, obj_info: Any) -> bool: ...

    def _run_hook(self, obj_info: Any, hook_name: str) -> None: ...

    def _disable_lazy_resolving(self, obj_info: Any) -> None: ...


def watch(store: WatchedStore, effect: Effect, execute: Any, sql: Any, params: Any) -> Any:
    """Run a statement of Django's between what it needs before it, and what it leads to."""
    if not effect.undoes:
        # What is pending before a savepoint is not to be undone with what comes after it.
        flush(store, even_blocked=isinstance(sql, str) and verbs.verb_of(sql) == "savepoint")
    try:
        result = execute(sql, params)
    except BaseException:
        if effect.outdates:
            read_anew(store, effect, failed=True)
        raise
    if effect.outdates:
        read_anew(store, effect)
    return result


def flush(store: WatchedStore, even_blocked: bool = False) -> None:
    """Have the database know what Storm has pending. A statement of Django's waits for it, so errors are Django's."""
    connection = store.django_connection
    if connection.needs_rollback or (store.flushes_are_blocked and (store.waits or not even_blocked)):
        return
    try:
        # So says Storm to values that are changed in place, a list say: they tell it only now.
        store._event.emit("flush")
        if store._dirty:
            store.flush()
    except BaseException as error:
        store.break_transaction(error)
        with connection.wrap_database_errors:
            raise


def read_anew(store: WatchedStore, effect: Effect, failed: bool = False) -> None:
    """Have Storm's objects read anew what may have been written."""
    if effect.undoes:
        # After ROLLBACK TO SAVEPOINT. This calls `undo` below.
        store.forget_changes()
    elif failed or not effect.tables:
        # A statement that failed may have written half of the rows. What they led to is not asked: PostgreSQL answers
        # nothing after an error.
        invalidate(store)
    elif all(_is_of(cls, effect.tables) for cls, known in store.known.items() if known):
        invalidate(store, effect.tables)
    else:
        invalidate(store, catalogue.reached(store.django_connection, effect.tables))


def undo(store: WatchedStore) -> None:
    """After a rollback, of all or to a savepoint: what is pending goes, and every value is read anew."""
    added = sending.adds(store._dirty)
    with store.known_objects_only():
        Store.rollback(store)
    store.known.clear()
    sending.make_new(store, added)


def invalidate(store: WatchedStore, tables: Collection[str] | None = None) -> None:
    """Have the objects of these tables, or of all, read their values anew, but for what is not flushed yet."""
    store.history.note(tables)
    affected = [cls for cls in store.known if tables is None or _is_of(cls, tables)]
    # An object that was made unknown is noted anew when it is read.
    _invalidate(store, [obj_info for cls in affected for obj_info in store.known.pop(cls)])


def is_untrue(store: WatchedStore, cls: type, read_at: int) -> bool:
    """Whether a row of a class that was read then may have another value now, or be gone."""
    tables = store.history.since(read_at)
    return tables is None or _is_of(cls, tables)


def invalidate_partly_known(store: WatchedStore, cls: type) -> None:
    """Have the objects of a class of which some value has to be read anew read all anew."""
    found = [obj_info for (each, _), obj_info in store._alive.items() if each is cls]
    _invalidate(store, [obj_info for obj_info in found if any(map(_is_unknown, obj_info.variables.values()))])


def make_unknown(obj_info: Any, even_changes: bool = False) -> None:
    """Have the values of an object, but for its key, read anew."""
    cls_info = obj_info.cls_info
    for column in cls_info.columns:
        variable = obj_info.variables[column]
        if id(column) not in cls_info.primary_key_idx and (even_changes or not variable.has_changed()):
            variable.set(AutoReload)


def _invalidate(store: WatchedStore, obj_infos: list[Any]) -> None:
    found = [obj_info for obj_info in obj_infos if not obj_info.get("invalidated") and obj_info.get("store") is store]
    for obj_info in found:
        make_unknown(obj_info)
        obj_info["invalidated"] = True
        store._cache.remove(obj_info)
        if store._is_dirty(obj_info):
            # The values that are not flushed yet are known still, and undone with the transaction.
            store.known[obj_info.cls_info.cls].add(obj_info)
    for obj_info in found:
        store._run_hook(obj_info, "__storm_invalidated__")


def _is_unknown(variable: Any) -> bool:
    return variable.get_lazy() is AutoReload


def _is_of(cls: Any, tables: Collection[str]) -> bool:
    name = cls.__storm_table__
    # Storm also takes expressions, which may be of anything.
    if not isinstance(name, str):
        return True
    # Whether a dot in a name of Storm's stands behind a schema depends on the database.
    return effects.plain_name(name) in tables or name.lower() in tables
