"""Keeps Storm's objects true to what Django does on the connection that they share.

Before a statement of Django's, what Storm has pending is flushed; after it, the objects of the tables that it may have
written are invalidated. Only where Storm was used in the transaction; never anything to Django's objects.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from typing import TYPE_CHECKING, Any

from django.db import Error
from django.db.backends.utils import CursorWrapper
from storm.store import AutoReload, Store

from ..sql import catalogue as cascades
from ..sql import effects as statements

if TYPE_CHECKING:
    from ..connection.wrapper import StormEngine
    from ..transactions.parts import ConnectionPart


# How Django's own statements begin that make no tables, and alter none.
USUAL = ("SELECT ", "INSERT ", "UPDATE ", "DELETE ", "SAVEPOINT ", "RELEASE ", "ROLLBACK ")


class Coherence:
    """What is done around the statements of one connection, as one of Django's execute wrappers."""

    def __init__(self, part: ConnectionPart) -> None:
        self._part = part
        self._vendor = part.vendor
        self._altered = False

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        part = self._part
        if part.busy:
            return execute(sql, params, many, context)
        effect = statements.effect_of(sql, self._vendor)
        if not effect.undoes:
            self.flush()
        if effect is statements.NOTHING:
            return execute(sql, params, many, context)
        try:
            result = execute(sql, params, many, context)
        except BaseException:
            self.forget(effect, failed=True)
            raise
        self.forget(effect)
        return result

    def flush(self) -> None:
        """Have the database know what Storm has pending."""
        store = self._part.store
        if store is None or not store.has_changes() or store.flushes_are_blocked:
            return
        connection = self._part.connection
        if connection.needs_rollback:
            return
        try:
            store.flush()
        except Exception:
            try:
                # It is a statement of Django's that fails by this, so the errors are Django's.
                with connection.wrap_database_errors:
                    raise
            except Error as error:
                # Storm does not try it again, so that to go on would be to lose it.
                connection.needs_rollback, connection.rollback_exc = True, error
                raise

    def forget(self, effect: statements.Effect, failed: bool = False) -> None:
        """Have Storm's objects read anew what may have been written."""
        store = self._part.store
        if store is None:
            return
        if effect.undoes:
            store.forget_changes()
        elif effect.everything:
            self._altered = self._altered or effect.alters
            invalidate(store)
        elif failed:
            # Perhaps after half of the rows. What they led to is not asked: PostgreSQL answers nothing after an error.
            invalidate(store)
        elif all(_is_of(cls, effect.tables) for cls in {cls for cls, _ in store._alive}):
            invalidate(store, effect.tables)
        else:
            invalidate(store, cascades.reached(self._part.connection, effect.tables))

    def end(self) -> None:
        """The transaction has ended, and with it perhaps tables that it made."""
        if self._altered:
            cascades.forget(self._part.connection)


def invalidate(store: Store, tables: Collection[str] | None = None) -> None:
    """Have the objects of these tables, or of all, read their values anew, but for what is not flushed yet."""
    affected = {cls for cls, _ in store._alive}
    if tables is not None:
        affected = {cls for cls in affected if _is_of(cls, tables)}
    if not affected:
        return
    _invalidate(store, [obj_info for (cls, _), obj_info in store._alive.items() if cls in affected])


def invalidate_partly_known(store: Store, cls: type) -> None:
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


def _invalidate(store: Store, obj_infos: list[Any]) -> None:
    # What has nothing known is passed over: a loop of Django's may write a thousand times.
    found = [obj_info for obj_info in obj_infos if not obj_info.get("invalidated")]
    for obj_info in found:
        make_unknown(obj_info)
        obj_info["invalidated"] = True
        store._cache.remove(obj_info)
    for obj_info in found:
        store._run_hook(obj_info, "__storm_invalidated__")


def _is_unknown(variable: Any) -> bool:
    return variable.get_lazy() is AutoReload


@cache
def watched(cursor_class: Any) -> Any:
    """`cursor_class`, one of Django's for debugging, as a `WatchedCursor`."""
    return type(cursor_class.__name__, (_WatchedMethods, cursor_class), {"__module__": __name__})


def _announcing(name: str) -> Callable[..., Any]:
    def method(cursor: Any, *args: Any, **kwargs: Any) -> Any:
        engine: StormEngine = cursor.db
        if engine.part is not None and engine.part.coherence is not None:
            engine.part.coherence.flush()
            # Before is as good as after: until they are through, nobody can read on this connection.
            engine.part.coherence.forget(statements.EVERYTHING)
        original = getattr(super(_WatchedMethods, cursor), name, None) or getattr(cursor.cursor, name)
        return original(*args, **kwargs)

    method.__name__ = name
    return method


class _WatchedMethods:
    """Ways of the drivers' cursors to write that are no `execute`; and what is executed while Storm is not used."""

    db: StormEngine

    def execute(self, sql: Any, params: Any = None) -> Any:
        result = super().execute(sql, params)  # type: ignore[misc]
        if not (isinstance(sql, str) and sql.startswith(USUAL)) and statements.effect_of(sql, self.db.vendor).alters:
            cascades.forget(self.db)
        return result

    callproc = _announcing("callproc")
    copy = _announcing("copy")
    copy_expert = _announcing("copy_expert")
    copy_from = _announcing("copy_from")
    copy_to = _announcing("copy_to")
    executescript = _announcing("executescript")
    stream = _announcing("stream")


class WatchedCursor(_WatchedMethods, CursorWrapper):
    """Django's cursor, with an eye on the methods that execute wrappers do not see."""


def _is_of(cls: Any, tables: Collection[str]) -> bool:
    name = cls.__storm_table__
    # Storm also takes expressions, which may be of anything.
    return not isinstance(name, str) or statements.plain_name(name) in tables
