"""The Storm store on a Django connection, whose transactions the Zope transaction manager ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from operator import attrgetter
from typing import Any
from weakref import WeakSet

import transaction
from django.db import connections
from django.db.transaction import TransactionManagementError
from storm import Undef
from storm.exceptions import LostObjectError
from storm.info import get_cls_info, get_obj_info
from storm.store import ResultSet, Store

from djintegrate.common.removals import pre_remove

from ..connection import atomic_state
from ..connection.wrapper import StormWrapper
from ..sql.effects import EVERYTHING
from . import coherence, sending
from .borrowed import BorrowedConnection, database_class
from .errors import storm_errors


class SharedResultSet(ResultSet):
    """What find() gives."""

    _store: SharedStore

    def set(self, *args: Any, **kwargs: Any) -> None:
        # Storm gives the new values to the objects that it finds by their old ones. Those of which it knows too little
        # for that are read anew instead; and some of them may have no row any more.
        store = self._store
        if not store.flushes_are_blocked:
            store.flush()
        if self._find_spec.default_cls_info is not None:
            coherence.invalidate_partly_known(store, self._find_spec.default_cls_info.cls)
        with store.known_objects_only():
            super().set(*args, **kwargs)

    def remove(self) -> int:
        cls_info = self._find_spec.default_cls_info
        is_plain = all(part is Undef for part in (self._group_by, self._offset, self._limit, self._select))
        # Storm refuses to remove the others.
        if cls_info is not None and is_plain:
            self._store.announce_removal(cls_info.cls, self)
        return super().remove()


class SharedStore(Store):
    """The store on the connection of a Django database."""

    _result_set_factory = SharedResultSet
    _knows_all = True
    # The one that is running, within which hooks may run others.
    _current_flush: Any = None
    is_sending = False
    waits = False

    def __init__(self, connection: StormWrapper) -> None:
        # Storm's infos of the objects of which any value is known, by their classes: what a write may have made untrue.
        # An index beside Storm's own, so that a write costs nothing for the objects of other tables.
        self.known: defaultdict[type, WeakSet[Any]] = defaultdict(WeakSet)
        super().__init__(database_class(connection.vendor, BorrowedConnection)(connection))
        self.history = self._connection.history
        self.django_connection = connection
        self._event.hook("register-transaction", _enlist)

    @property
    def alias(self) -> str:
        """The Django database whose connection this is."""
        return str(self.django_connection.alias)

    # What ends, and what is pending

    def commit(self) -> None:
        transaction.commit()

    def rollback(self) -> None:
        transaction.abort()

    def close(self) -> None:
        """Let go of the connection; get_store() then makes a new store."""
        super().close()
        if self.django_connection.store is self:
            self.django_connection.store = None

    def __deepcopy__(self, memo: Any) -> Store:
        raise TypeError(
            "A Storm store, and an object that is in one, cannot be copied. In setUpTestData(), keep the object's key, "
            "and get the object from the store in the test."
        )

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(
            "A Storm store, and an object that is in one, cannot be pickled. Put the object's key into the cache, the "
            "session or the job, and get the object from the store there."
        )

    def flush(self) -> None:
        """Send what is pending. If that fails, with whatever error, the block or transaction around it is broken."""
        if self._dirty:
            # What a flush has left pending is to be undone: no hook is to run for it again.
            self.django_connection.validate_no_broken_transaction()
        around, self._current_flush = self._current_flush, sending.Flush()
        try:
            super().flush()
        except BaseException as error:
            # The half of it that was sent is to be undone.
            self._current_flush.put_back(self)
            self.break_transaction(error)
            raise
        else:
            if around is not None:
                around.take_over(self._current_flush)
        finally:
            self._current_flush = around

    flushes_are_blocked = property(attrgetter("_implicit_flush_block_count"))
    """Whether somebody has called block_implicit_flushes()."""

    @property
    def has_pending(self) -> bool:
        """Whether a flush would send anything."""
        return bool(self._dirty)

    def committed(self) -> None:
        """The transaction was committed: others may change what was read in it."""
        coherence.invalidate(self)
        self._cache.clear()
        self._connection.commit()

    forget_changes = coherence.undo

    # Around Django's statements

    # While implicit flushes are blocked, a savepoint is told apart from what only reads.
    watches_reads = flushes_are_blocked
    watch = coherence.watch
    flush_before_reading = coherence.flush

    def wrote_unseen(self) -> None:
        """Something is about to be written that is not seen as a statement."""
        coherence.flush(self)
        coherence.read_anew(self, EVERYTHING)

    # Changes

    def add(self, obj: Any) -> Any:
        self._refuse_late()
        info = get_obj_info(obj)
        if info.get("store") is self and "pending" not in info and info.get("invalidated"):
            # Storm takes it for one that has its row. If that was undone, its values are gone as well.
            self._event.emit("register-transaction")
            self._validate_alive(info)
        return super().add(obj)

    def _set_dirty(self, obj_info: Any) -> None:
        try:
            self._refuse_late()
        except TransactionManagementError:
            coherence.make_unknown(obj_info, even_changes=True)
            raise
        super()._set_dirty(obj_info)

    def _refuse_late(self) -> None:
        """A change after the vote of a two-phase store would be committed, or undone, with the next transaction."""
        branch = getattr(self.django_connection.data_manager, "branch", None)
        if branch is not None and branch.asked:
            raise TransactionManagementError(
                f"Storm's objects cannot be changed any more: the transaction on the store "
                f"{self.django_connection.store_name!r} is prepared, and about to be committed as it is."
            )

    # Removals

    def remove(self, obj: Any) -> None:
        self._refuse_late()
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

    # What others have to do with pending changes

    def tell_before_changes(self, listener: Callable[[Any], None]) -> None:
        """Have somebody hear of each object that is about to have pending changes: older ones may have to go before."""
        # In this store alone. All others have nothing to ask.
        self._set_dirty = partial(self._tell_and_set_dirty, listener)  # type: ignore[method-assign]

    def _tell_and_set_dirty(self, listener: Callable[[Any], None], obj_info: Any) -> None:
        listener(obj_info)
        SharedStore._set_dirty(self, obj_info)
        if "primary_vars" in obj_info:
            # What the listener has sent may have made the object unknown; its new value is to be undone with others.
            # One that is only added keeps its values, and can be added again.
            self.known[obj_info.cls_info.cls].add(obj_info)

    # Which objects are known

    @contextmanager
    def known_objects_only(self) -> Iterator[None]:
        """Storm looks only at objects of which it knows the values."""
        self._knows_all = False
        try:
            yield
        finally:
            self._knows_all = True

    def reset(self) -> None:
        added = sending.adds(self._dirty)
        for obj_info in self._alive.values():
            if obj_info.get("invalidated"):
                obj_info["values_gone"] = True
        super().reset()
        sending.make_new(self, added)
        self.known.clear()

    def _mark_autoreload(self, obj: Any = None, invalidate: bool = False) -> None:
        if obj is None:
            self.history.note(None)
        super()._mark_autoreload(obj, invalidate)

    # An object is known only in the transaction in which a statement has read it. So whoever uses it, or changes it,
    # has the store take part: what is pending is always part of the transaction that is current.

    def _load_object(self, cls_info: Any, result: Any, values: Any) -> Any:
        if result.read_at != self.history.now and coherence.is_untrue(self, cls_info.cls, result.read_at):
            return self._load_by_key(get_cls_info(cls_info.cls), result, values)
        return super()._load_object(cls_info, result, values)

    def _load_by_key(self, cls_info: Any, result: Any, values: Any) -> Any:
        """The object of a row that was read too long ago: as one that was read then, and is used again."""
        if all(value is None for value in values):
            # An outer join has found nothing.
            return None
        columns = cls_info.primary_key
        key = [values[position] for position in cls_info.primary_key_pos]
        variables = [
            column.variable_factory(value=value, from_db=True) for column, value in zip(columns, key, strict=True)
        ]
        obj_info = self._alive.get((cls_info.cls, tuple(variable.get(to_db=True) for variable in variables)))
        if obj_info is not None:
            return self._get_object(obj_info)
        obj = cls_info.cls.__new__(cls_info.cls)
        obj_info = get_obj_info(obj)
        obj_info["store"] = self
        super()._set_values(obj_info, columns, result, key, replace_unknown_lazy=True)
        coherence.make_unknown(obj_info, even_changes=True)
        obj_info["invalidated"] = True
        super()._add_to_alive(obj_info)
        self._enable_change_notification(obj_info)
        self._enable_lazy_resolving(obj_info)
        self._run_hook(obj_info, "__storm_loaded__")
        return obj

    def _iter_alive(self) -> list[Any]:
        if self._knows_all:
            return list(self._alive.values())
        return [obj_info for known in self.known.values() for obj_info in known]

    def _set_values(self, obj_info: Any, *args: Any, **kwargs: Any) -> None:
        super()._set_values(obj_info, *args, **kwargs)
        self.known[obj_info.cls_info.cls].add(obj_info)

    def _validate_alive(self, obj_info: Any) -> None:
        try:
            super()._validate_alive(obj_info)
        except BaseException as error:
            # Storm has set the new value already, which nobody is to read, for it will not be saved.
            if isinstance(error, LostObjectError) or not self._is_dirty(obj_info):
                coherence.make_unknown(obj_info, even_changes=True)
            raise
        self.known[obj_info.cls_info.cls].add(obj_info)

    def _resolve_lazy_value(self, obj_info: Any, variable: Any, lazy_value: Any) -> None:
        if not self.flushes_are_blocked:
            # It may be just now that another object takes the key of this one.
            self.flush()
            _refuse_lost(obj_info)
        super()._resolve_lazy_value(obj_info, variable, lazy_value)

    def _run_hook(self, obj_info: Any, hook_name: str) -> None:
        if hook_name == "__storm_pre_flush__":
            self._current_flush.take(obj_info)
        super()._run_hook(obj_info, hook_name)

    def _flush_one(self, obj_info: Any) -> None:
        if obj_info.get("store") is not self:
            # A hook has taken it out since the flush began.
            return
        self._current_flush.send(obj_info)
        self.is_sending = True
        try:
            super()._flush_one(obj_info)
        finally:
            self.is_sending = False

    def _add_to_alive(self, obj_info: Any) -> None:
        if self.is_sending:
            key = tuple(variable.get(to_db=True) for variable in obj_info.primary_vars)
            other = self._alive.get((obj_info.cls_info.cls, key))
            if other is not None and other is not obj_info:
                self._lose(other)
        super()._add_to_alive(obj_info)
        self.known[obj_info.cls_info.cls].add(obj_info)

    def _remove_from_alive(self, obj_info: Any) -> None:
        super()._remove_from_alive(obj_info)
        self.known[obj_info.cls_info.cls].discard(obj_info)

    def forget_row(self, obj_info: Any) -> None:
        """Its row was sent, or may have been, and will be undone."""
        self._disable_change_notification(obj_info)
        key = tuple(variable.get(to_db=True) for variable in obj_info.get("primary_vars", ()))
        if self._alive.get((obj_info.cls_info.cls, key)) is obj_info:
            self._remove_from_alive(obj_info)

    def _lose(self, obj_info: Any) -> None:
        """An object's row is gone, not by Storm, and another object has its key now."""
        self._cache.remove(obj_info)
        self.known[obj_info.cls_info.cls].discard(obj_info)
        self._set_clean(obj_info)
        self._disable_change_notification(obj_info)
        self._disable_lazy_resolving(obj_info)
        coherence.make_unknown(obj_info, even_changes=True)
        obj_info.event.hook("resolve-lazy-value", _refuse_lost)
        for key in ("store", "primary_vars", "invalidated", "pending"):
            obj_info.pop(key, None)
        obj_info["values_gone"] = True

    def break_transaction(self, error: BaseException) -> None:
        """Have the block or transaction around what failed refuse to be committed."""
        connection = self.django_connection
        if (connection.in_atomic_block or connection.data_manager is not None) and not connection.needs_rollback:
            atomic_state.mark_broken(connection, error)


class UnsharedStore(SharedStore):
    """A store that no Django database names, on a connection of Django's that nobody else uses."""

    def announce_removal(self, cls: type, objects: Any) -> None:
        """Nothing: no Django object can point at one of its."""

    def close(self) -> None:
        super().close()
        self.django_connection.close()
        # Another one will go by the settings of then.
        with suppress(AttributeError):
            del connections[self.alias]


def _refuse_lost(obj_info: Any, *args: Any) -> None:
    if "store" not in obj_info:
        raise LostObjectError("Object is not in the database anymore: another one has its key")


def _enlist(store: SharedStore, *args: Any) -> None:
    with storm_errors(store.get_database()):
        store.django_connection.enlist(store)
