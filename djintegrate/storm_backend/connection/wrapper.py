"""The thin layer that makes a native Django backend share its connection and its transaction with Storm.

It decides when a statement joins Zope's transaction; everything else is the native backend's. What the connection is in
that transaction, and how that ends, is in `transactions.manager` and `scopes`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any

import transaction
from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import TransactionManagementError

from .. import conf
from ..transactions import thread
from ..transactions.interfaces import Scope, Store
from ..transactions.manager import DataManager, State
from . import atomic_state
from .cursors import WatchedCursor, watched
from .scopes import DjangoScope, TestCaseScope, ZopeScope


class StormWrapper(BaseDatabaseWrapper):
    """Mixed in before the DatabaseWrapper of a native backend."""

    # The driver's connection, while there is one.
    connection: Any
    # The Storm store on this connection, once somebody asked for it.
    store: Store | None = None
    # What this connection is in Zope's transaction, if it is in one.
    data_manager: DataManager | None = None
    data_manager_class: type[DataManager] = DataManager
    # Whether its transactions are branches of a two-phase commit.
    two_phase = False
    # Only connections[alias] takes part; a copy() of it is a connection of its own.
    takes_part = False
    # Whether a data manager looks at each statement from the first one on, to know if anything was written.
    counts_writes = False
    rollback_requested = False
    _unjoined_block: Any = None

    @cached_property
    def store_name(self) -> str:
        return str(self.settings_dict["STORM_STORE"])

    def take_part(self) -> None:
        """Follow the transactions of this thread from now on."""
        self.takes_part = True
        self.counts_writes = self.two_phase or len(conf.stores()) > 1
        here = thread.current()
        here.add(self)
        self.expect(here.begun)

    # ##### Joining #####

    def expect(self, txn: Any) -> None:
        """Be ready to join the transaction that this thread has begun, if it has."""
        if txn is None or self.data_manager is not None or self.open_blocks() or self.is_manual():
            return
        if thread.can_be_joined(txn):
            self._wait_for(txn)

    def enlist(self, store: Store) -> None:
        """Storm is about to use the connection: be in a transaction, with its store in it. Safe to call again."""
        self.validate_thread_sharing()
        if self.data_manager is None:
            # Whom Django's statements ask is asked: a TestCase forbids the databases that it does not name. And what
            # Django has open joins.
            self.cursor().close()
        if self.data_manager is None:
            self.validate_no_broken_transaction()
        data_manager = self.data_manager or self._wait_for_current()
        _refuse_failed(data_manager)
        self._start(data_manager)
        data_manager.use(store)

    def open_blocks(self) -> list[Any]:
        """The open atomic() blocks, without the test's and the engine's own."""
        if self.data_manager is not None:
            return self.data_manager.scope.open_blocks()
        return [block for block in self.atomic_blocks if not block._from_testcase]

    def unjoined_block(self) -> Any | None:
        """The block of Django's, if one is open, that needed no transaction of Zope's so far."""
        if self.data_manager is None and self._unjoined_block in self.atomic_blocks[:1]:
            return self._unjoined_block
        return None

    def join_block(self, txn: Any) -> None:
        """Let Django's own transaction be part of `txn`."""
        self._take(DjangoScope(self), txn).start()

    def is_manual(self) -> bool:
        """Whether Django's manual transaction mode is on."""
        if self.in_atomic_block:
            return False
        if self.connection is None:
            return not self.settings_dict["AUTOCOMMIT"]
        return not self.autocommit

    def is_pooled(self) -> bool:
        """Whether the connection is lent by Django's pool, and goes back to it after each request."""
        return bool(self.settings_dict["OPTIONS"].get("pool"))

    def abort_transaction(self, even_begun: bool = False) -> None:
        """Abort what Storm has joined and nobody has begun; or anything that no atomic() block of Django's holds."""
        data_manager = self.data_manager
        if data_manager is None or not isinstance(data_manager.scope, ZopeScope) or data_manager.scope.open_blocks():
            return
        if even_begun or data_manager.txn is not thread.current().begun:
            data_manager.txn.abort()

    @contextlib.contextmanager
    def in_one_phase(self) -> Iterator[None]:
        """For statements that a two-phase transaction cannot have: MariaDB makes no tables in one."""
        two_phase, self.two_phase = self.two_phase, False
        try:
            yield
        finally:
            self.two_phase = two_phase

    def _wait_for(self, txn: Any) -> DataManager:
        kind = TestCaseScope if self.in_atomic_block else DjangoScope if self.is_manual() else ZopeScope
        data_manager = self._take(kind(self), txn)
        data_manager.scope.pretend()
        return data_manager

    def _wait_for_current(self) -> DataManager:
        txn = transaction.get()
        # Asking for it may have let an open block join.
        return self.data_manager or self._wait_for(txn)

    def _take(self, scope: Scope, txn: Any) -> DataManager:
        self.rollback_requested = False
        # A savepoint in the transaction of a test is never prepared.
        kind = DataManager if isinstance(scope, TestCaseScope) else self.data_manager_class
        self.data_manager = kind(self, txn, scope)
        return self.data_manager

    def _join(self) -> None:
        """Before a statement of Django's: be in the transaction that the statement belongs to, if any."""
        data_manager = self.data_manager
        if data_manager is None:
            if self.takes_part and (self.in_atomic_block or not self.autocommit):
                self._join_open_transaction()
        elif data_manager.state is State.WAITING:
            if thread.can_be_joined(data_manager.txn):
                self._start(data_manager)
            else:
                _refuse_failed(data_manager)
                # A hook, or another data manager, in the middle of the commit: as natively.
                data_manager.drop()

    def _start(self, data_manager: DataManager) -> None:
        if data_manager.state is State.WAITING:
            # Inside of a block it would be too late to connect anew.
            self.close_if_health_check_failed()
            data_manager.start()

    def _join_open_transaction(self) -> None:
        """If Django has opened a transaction, let it join Zope's."""
        if self.needs_rollback or self.connection is None or not (self.in_atomic_block or self.is_manual()):
            return
        depth = atomic_state.depth_of_testcase(self)
        savepoint = self.savepoint_ids[depth - 1] if 0 < depth <= len(self.savepoint_ids) else None
        if depth and savepoint is None:
            # The test's own blocks stay outside. So does an outermost atomic(savepoint=False) in them: nothing would
            # tell when it is left.
            return
        if self._may_stay_unjoined(depth):
            self._unjoined_block = self.atomic_blocks[0]
            return
        txn = thread.transaction_for_django()
        if txn is not None and self.data_manager is None:
            scope = TestCaseScope(self, savepoint) if depth else DjangoScope(self)
            self._take(scope, txn).start()

    def _may_stay_unjoined(self, depth: int) -> bool:
        if depth or self.counts_writes or not (self.in_atomic_block and self.commit_on_exit):
            return False
        return thread.current().needs_no_transaction()

    # ##### Django's hooks: cursors #####

    def _cursor(self, name: str | None = None) -> Any:
        self._join()
        return super()._cursor(name)

    def make_cursor(self, cursor: Any) -> Any:
        return WatchedCursor(cursor, self)

    def make_debug_cursor(self, cursor: Any) -> Any:
        kind: Any = type(super().make_debug_cursor(cursor))
        return watched(kind)(cursor, self)

    # ##### Django's hooks: connections #####

    def connect(self) -> None:
        # The statements that prepare a new connection belong to no transaction.
        data_manager, self.data_manager = self.data_manager, None
        takes_part, self.takes_part = self.takes_part, False
        is_waiting = data_manager is not None and data_manager.state is State.WAITING
        try:
            with atomic_state.aside(self) if is_waiting else contextlib.nullcontext():
                super().connect()
        finally:
            self.takes_part, self.data_manager = takes_part, data_manager
        if self.settings_dict["CONN_MAX_AGE"] == 0 and not self.is_pooled():
            # Storm's connections live as long as their thread. One that a request finds dead is replaced before its
            # first statement.
            self.close_at = None
            self.health_check_enabled = True

    def close(self) -> None:
        if self.data_manager is not None and self.data_manager.state is State.WAITING:
            # Nothing of the transaction has touched the database, so nothing of it is lost.
            with atomic_state.aside(self):
                super().close()
            return
        opened = self._open_data_manager()
        if opened is not None and isinstance(opened.scope, DjangoScope):
            # Django leaves a block without a word when its connection was closed.
            with contextlib.suppress(TransactionManagementError):
                opened.left(commit=False)
        elif opened is not None and not (opened.wrote or opened.has_pending):
            self.abort_transaction()
        super().close()
        if self._open_data_manager() is not None and (self.connection is None or self.closed_in_transaction):
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

    def inc_thread_sharing(self) -> None:
        super().inc_thread_sharing()
        thread.share(self, True)

    def dec_thread_sharing(self) -> None:
        super().dec_thread_sharing()
        thread.share(self, self.allow_thread_sharing)

    def temporary_connection(self) -> AbstractContextManager[Any]:
        # Django closes one that it opened. In a transaction that would end it.
        if self.data_manager is not None:
            self.ensure_connection()
        context: AbstractContextManager[Any] = super().temporary_connection()
        return context

    # ##### Django's hooks: transactions and savepoints #####

    def get_autocommit(self) -> bool:
        if self.data_manager is not None:
            self._join()
        return super().get_autocommit()

    def set_autocommit(self, autocommit: bool, force_begin_transaction_with_broken_autocommit: bool = False) -> None:
        data_manager = self._open_data_manager()
        is_djangos = data_manager is not None and isinstance(data_manager.scope, DjangoScope)
        if autocommit and is_djangos and not self.in_atomic_block:
            raise TransactionManagementError(
                "Autocommit cannot be turned on in the middle of a transaction. Call commit() or rollback() first."
            )
        super().set_autocommit(autocommit, force_begin_transaction_with_broken_autocommit)

    def set_rollback(self, rollback: bool) -> None:
        super().set_rollback(rollback)
        self.rollback_requested = rollback

    def on_commit(self, func: Callable[[], object], robust: bool = False) -> None:
        if self.in_atomic_block:
            # A callback belongs to the transaction whose commit it waits for.
            self._join()
        super().on_commit(func, robust)

    def commit(self) -> None:
        data_manager = self._open_data_manager()
        if data_manager is None:
            super().commit()
            return
        self.validate_thread_sharing()
        self.validate_no_atomic_block()
        data_manager.left(commit=True)

    def commit_natively(self) -> None:
        """What Django's commit() does after its checks, which `commit` has made."""
        self._commit()
        self.errors_occurred = False
        atomic_state.run_callbacks_with_autocommit(self)

    def rollback(self) -> None:
        data_manager = self._unended_data_manager()
        if data_manager is None:
            super().rollback()
            return
        self.validate_thread_sharing()
        self.validate_no_atomic_block()
        data_manager.left(commit=False)
        if not isinstance(data_manager.scope, DjangoScope):
            # The end of a TestCase class, whose transaction is around this one.
            super().rollback()

    def savepoint_commit(self, sid: str | None) -> None:
        data_manager = self._unended_data_manager()
        if data_manager is not None and sid == data_manager.scope.root:
            data_manager.left(commit=True)
            return
        if data_manager is not None and data_manager.store is not None and not self.needs_rollback:
            self._flush_inside(sid, data_manager.store)
        super().savepoint_commit(sid)

    def savepoint_rollback(self, sid: str | None) -> None:
        data_manager = self._unended_data_manager()
        if data_manager is not None and sid == data_manager.scope.root:
            data_manager.left(commit=False)
            return
        if data_manager is not None and data_manager.scope.is_inside(sid):
            data_manager.txn.abort()
        super().savepoint_rollback(sid)
        if self.data_manager is None and not self.open_blocks():
            # A test of a TestCase ends. The next one is not to find its failed commit.
            thread.abort_failed()

    def undo_to(self, sid: str | None, callbacks: int | None = None) -> None:
        """Roll back to a savepoint, whatever went wrong after it, and to so many callbacks of on_commit()."""
        atomic_state.unmark(self)
        super().savepoint_rollback(sid)
        if callbacks is not None:
            atomic_state.keep_callbacks(self, callbacks)

    def break_blocks(self) -> None:
        """Have the open blocks refuse every further query: their transaction is gone."""
        atomic_state.mark_aborted(self)

    def begin_explicitly(self) -> None:
        """BEGIN, on a database where turning autocommit off does not."""
        if hasattr(self, "_start_transaction_under_autocommit"):
            self._start_transaction_under_autocommit()

    def _savepoint_allowed(self) -> bool:
        # SQLite's backend allows savepoints only inside of atomic(), and Zope's are not.
        return self.data_manager is not None or super()._savepoint_allowed()

    def _open_data_manager(self) -> DataManager | None:
        """What this connection is in Zope's transaction, unless that is just beginning or ending."""
        data_manager = self.data_manager
        return data_manager if data_manager is not None and data_manager.state is State.OPEN else None

    def _unended_data_manager(self) -> DataManager | None:
        """The same, and also before its first statement."""
        data_manager = self.data_manager
        return data_manager if data_manager is not None and data_manager.state is not State.ENDED else None

    def _flush_inside(self, sid: str | None, store: Store) -> None:
        """What Storm has pending was done inside of the savepoint. If it fails, the savepoint is undone."""
        try:
            with self.wrap_database_errors:
                store.flush()
        except BaseException:
            # Django undoes the savepoint only after a database's error, and Storm's hooks may raise any.
            if sid is not None:
                with contextlib.suppress(Error):
                    self.undo_to(sid)
            raise


def _refuse_failed(data_manager: DataManager) -> None:
    if data_manager.txn.status == thread.COMMIT_FAILED:
        raise TransactionManagementError(
            "The transaction has failed: a savepoint of it could not be taken. Call transaction.abort() first."
        )
