"""The thin layer that makes a native Django backend share its connection and its transaction with Storm.

These are the hooks of Django's that are overridden; everything else is the native backend's. When a statement joins is
decided in `joining`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any
from weakref import WeakSet

from django.db import Error
from django.db.transaction import Atomic, TransactionManagementError
from django.db.utils import DatabaseErrorWrapper

from ..sql import catalogue, effects, errors
from ..transactions import thread, turns
from ..transactions.interfaces import Store
from ..transactions.manager import State
from . import atomic_state
from .cursors import HeardCursor, heard
from .joining import JoiningConnection

# What Django's statements begin with that write nothing. Of any other, the text is read.
PLAIN = ("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "PRAGMA")
# And those that write rows, and change no schema.
WRITING_ROWS = ("INSERT INTO", "UPDATE", "DELETE FROM")


class StormWrapper(JoiningConnection):
    """Mixed in before the DatabaseWrapper of a native backend."""

    # Whether the schema may have been changed in the transaction that is open.
    _has_altered = False
    # Whether somebody has turned autocommit off, and not an atomic() block.
    _is_ended_by_hand = False

    # ##### Django's hooks: cursors #####

    def _cursor(self, name: str | None = None) -> Any:
        data_manager = self.data_manager
        if data_manager is None or not data_manager.watches:
            self._join()
        return super()._cursor(name)

    def make_cursor(self, cursor: Any) -> Any:
        return HeardCursor(cursor, self)

    def make_debug_cursor(self, cursor: Any) -> Any:
        kind: Any = type(super().make_debug_cursor(cursor))
        return heard(kind)(cursor, self)

    def run(self, execute: Callable[[Any, Any], Any], sql: Any, params: Any) -> Any:
        """Execute a statement for a cursor of Django's, and see what it does."""
        data_manager = self.data_manager
        if data_manager is not None and data_manager.watches:
            effect = self._effects.get(sql) if isinstance(sql, str) else None
            if effect is not effects.NOTHING or data_manager.notes_all:
                effect = data_manager.note(sql)
            execute = data_manager.around(effect, execute)
        else:
            text = str(sql)
            if text.startswith(PLAIN):
                return execute(sql, params)
            effect = effects.EVERYTHING if text.startswith(WRITING_ROWS) else effects.effect_of(sql, self.vendor)
            if data_manager is not None and effect.writes:
                data_manager.note_uncounted()
        if not effect.alters:
            return execute(sql, params)
        try:
            return execute(sql, params)
        finally:
            self.note_alteration()

    @cached_property
    def _effects(self) -> dict[str, effects.Effect]:
        return effects.remembered(self.vendor)

    # ##### Django's hooks: connections #####

    @cached_property
    def open_results(self) -> WeakSet[Any]:
        """Results of Storm's that still read from the database, and have to be through when the transaction ends."""
        return WeakSet()

    @cached_property
    def wrap_database_errors(self) -> NotedErrors:
        return NotedErrors(self)

    def connect(self) -> None:
        # The statements that prepare a new connection belong to no transaction.
        data_manager, self.data_manager = self.data_manager, None
        takes_part, self.takes_part = self.takes_part, False
        is_waiting = data_manager is not None and data_manager.state is State.WAITING
        try:
            with atomic_state.aside(self) if is_waiting else contextlib.nullcontext():
                super().connect()
        except self.Database.Error as error:
            # What the driver says names a host at most, where many stores may be.
            errors.name_store(error, self.store_name)
            raise
        finally:
            self.takes_part, self.data_manager = takes_part, data_manager
        if self.settings_dict["CONN_MAX_AGE"] == 0 and not self.is_pooled():
            # Storm's connections live as long as their thread. One that a request finds dead is replaced before its
            # first statement.
            self.close_at = None
            self.health_check_enabled = True

    def close(self) -> None:
        if self.data_manager is not None and not thread.current().has_begun(self.data_manager):
            # It is of another thread, which shares the connection. One to a database in memory is not closed.
            super().close()
            return
        if self.data_manager is not None and self.data_manager.state is State.WAITING:
            # Nothing of the transaction has touched the database, so nothing of it is lost.
            with atomic_state.aside(self):
                super().close()
            return
        opened = self._unended_data_manager()
        if opened is not None and opened.scope.is_djangos_own:
            # Django leaves a block without a word when its connection was closed.
            with contextlib.suppress(TransactionManagementError):
                opened.left(commit=False)
        elif opened is not None and not (opened.wrote or opened.has_pending):
            self.abort_transaction()
        super().close()
        is_lost = self.connection is None or self.closed_in_transaction
        if is_lost and opened is not None and opened.state is State.OPEN:
            # What was done on it is lost, and must not look committed.
            atomic_state.mark_broken(self, None)

    def discard(self) -> None:
        """Give up a connection that is dead, or has nothing on it that could be lost."""
        with contextlib.suppress(Error):
            self._close()
        self.connection = None

    def close_if_unusable_or_obsolete(self) -> None:
        # Django calls this where a request begins and ends, and libraries call it within requests. Half of an open
        # transaction would be lost with its connection; `leftovers` ends one that a request has left open.
        if not (self.in_atomic_block or self.data_manager is not None):
            super().close_if_unusable_or_obsolete()

    def close_after_request(self) -> None:
        """The same where a request has ended, as natively: whatever is open was left open."""
        super().close_if_unusable_or_obsolete()

    def close_at_end_of_thread(self, identifier: int) -> None:
        """Close what this thread has opened, unless other threads may use it."""
        if self._thread_ident == identifier and not self.allow_thread_sharing:
            with contextlib.suppress(Exception):
                self.discard()

    def leave_to_parent(self) -> None:
        """In a forked child: the driver's connection is the parent's, and the child may open one of its own."""
        # To let go of it would close it, with some drivers.
        _of_parent.append(self.connection)
        self.connection = self.store = self.data_manager = None
        self.open_results.clear()
        atomic_state.show(self, [])

    def inc_thread_sharing(self) -> None:
        super().inc_thread_sharing()
        turns.shared.add(self)

    def dec_thread_sharing(self) -> None:
        super().dec_thread_sharing()
        if not self.allow_thread_sharing:
            turns.shared.discard(self)

    def temporary_connection(self) -> AbstractContextManager[Any]:
        # Django closes one that it opened. In a transaction that would end it.
        if self.data_manager is not None:
            self.ensure_connection()
        return super().temporary_connection()

    # ##### Django's hooks: transactions and savepoints #####

    def get_autocommit(self) -> bool:
        if self.data_manager is not None:
            self._join()
        return super().get_autocommit()

    def set_autocommit(self, autocommit: bool, force_begin_transaction_with_broken_autocommit: bool = False) -> None:
        data_manager = self._unended_data_manager() if autocommit and not self.in_atomic_block else None
        if data_manager is not None and data_manager.scope.is_djangos_own:
            raise TransactionManagementError(
                "Autocommit cannot be turned on in the middle of a transaction. Call commit() or rollback() first."
            )
        super().set_autocommit(autocommit, force_begin_transaction_with_broken_autocommit)
        self._is_ended_by_hand = not (autocommit or force_begin_transaction_with_broken_autocommit)
        if autocommit:
            self._expect_after_block()

    def set_rollback(self, rollback: bool) -> None:
        super().set_rollback(rollback)
        self.rollback_requested = rollback

    def on_commit(self, func: Callable[[], object], robust: bool = False) -> None:
        if self.in_atomic_block:
            # A callback belongs to the transaction whose commit it waits for.
            self._join()
        super().on_commit(func, robust)

    def commit(self) -> None:
        if not self._has_left(commit=True):
            self._before_end()
            super().commit()
            self._after_end()

    def rollback(self) -> None:
        if not self._has_left(commit=False):
            self._before_end()
            super().rollback()
            self._after_end()

    def savepoint_commit(self, sid: str | None) -> None:
        data_manager = self._unended_data_manager()
        if data_manager is not None and data_manager.scope.is_root(sid):
            data_manager.left(commit=True)
            return
        if data_manager is not None and data_manager.stores and not self.needs_rollback:
            self._flush_inside(sid, data_manager.stores)
        super().savepoint_commit(sid)
        self._expect_after_block()

    def savepoint_rollback(self, sid: str | None) -> None:
        data_manager = self._unended_data_manager()
        if data_manager is not None and data_manager.scope.is_root(sid):
            data_manager.left(commit=False)
            return
        if data_manager is not None and sid in data_manager.scope.around:
            data_manager.txn.abort()
        super().savepoint_rollback(sid)
        self.alterations_undone()
        if self.data_manager is None and not self.open_blocks():
            # A test of a TestCase ends. The next one is not to find its failed commit.
            thread.abort_failed()

    def undo_to(self, sid: str | None, callbacks: int | None = None) -> None:
        """Roll back to a savepoint, whatever went wrong after it, and to so many callbacks of on_commit()."""
        atomic_state.unmark(self)
        try:
            super().savepoint_rollback(sid)
        except Error as error:
            if not errors.says_savepoint_is_gone(self.vendor, error):
                raise
            raise TransactionManagementError(
                "This savepoint is gone, so the transaction cannot be rolled back to it. It was taken inside of an "
                "atomic() block that has been left, or after another savepoint that was rolled back or released, or "
                "the database has committed by itself. Abort the transaction."
            ) from error
        self.alterations_undone()
        if callbacks is not None:
            atomic_state.keep_callbacks(self, callbacks)

    def note_alteration(self) -> None:
        """The schema may have been changed: forget the catalog of the database."""
        catalogue.forget(self)
        # Others see the change when it is committed, and nobody sees it when it is undone.
        self._has_altered = self.in_atomic_block or not self.autocommit

    def alterations_undone(self) -> None:
        """What was done since a savepoint, or since the transaction began, may be gone."""
        if self._has_altered:
            catalogue.forget(self)

    def break_blocks(self) -> None:
        """Have the open blocks refuse every further query: their transaction is gone."""
        atomic_state.mark_aborted(self)

    def own_block(self) -> Atomic:
        """An atomic() block on this connection."""
        return Atomic(self.alias, savepoint=True, durable=False)

    def begin_explicitly(self) -> None:
        """BEGIN, on a database where turning autocommit off does not."""
        if hasattr(self, "_start_transaction_under_autocommit"):
            self._start_transaction_under_autocommit()

    def _savepoint_allowed(self) -> bool:
        # SQLite's backend allows savepoints only inside of atomic(), and Zope's are not, nor those of manual mode.
        if self.data_manager is None and self.is_manual():
            self._join()
        return self.data_manager is not None or super()._savepoint_allowed()

    def _before_end(self) -> None:
        if self.open_results:
            for result in list(self.open_results):
                result.fetch_rest()
            self.open_results.clear()

    def _after_end(self) -> None:
        self.alterations_undone()
        self._has_altered = False

    def _has_left(self, commit: bool) -> bool:
        """End Zope's transaction, if there is one. Whether that leaves nothing for Django to end."""
        data_manager = self.data_manager
        if data_manager is None and self._is_ended_by_hand and self.is_manual():
            # No statement was run here, but others may have joined.
            thread.end_current(commit, but=self)
        if data_manager is None or data_manager.state is State.ENDED:
            return False
        self.validate_thread_sharing()
        self.validate_no_atomic_block()
        data_manager.left(commit)
        # Where a TestCase class ends, its own transaction was around Zope's, and is Django's to end.
        return data_manager.scope.is_djangos_own

    def _expect_after_block(self) -> None:
        """A block is left: it may have been open when a request went on to another transaction."""
        self.expect(thread.current().begun)

    def _flush_inside(self, sid: str | None, stores: list[Store]) -> None:
        """What Storm has pending was done inside of the savepoint. If it fails, the savepoint is undone."""
        try:
            with self.wrap_database_errors:
                for store in stores:
                    store.flush()
        except BaseException:
            # Django undoes the savepoint only after a database's error, and Storm's hooks may raise any.
            if sid is not None:
                with contextlib.suppress(Error):
                    self.undo_to(sid)
            raise


class NotedErrors(DatabaseErrorWrapper):
    """Django's own; the connection is told first, and the error of one that is lost says which store it was to."""

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if kind is None:
            return
        connection = self.wrapper
        if isinstance(error, connection.Database.Error):
            connection.note_error(error)
            if errors.is_lost(connection.vendor, error, connection.connection):
                errors.name_store(error, connection.store_name)
        super().__exit__(kind, error, traceback)


_of_parent: list[Any] = []
