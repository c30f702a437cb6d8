"""When a connection joins Zope's transaction: at which statement of Django's, or of Storm's.

What the connection is in the transaction from then on, and how that ends, is in `transactions.manager` and `scopes`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import transaction
from django.db.transaction import TransactionManagementError

from .. import conf
from ..transactions import thread
from ..transactions.interfaces import COMMIT_FAILED, Connection, Scope, Store
from ..transactions.manager import DataManager, State
from . import atomic_state
from .scopes import DjangoScope, TestCaseScope, ZopeScope


class JoiningConnection(Connection):
    """A Django connection that takes part in Zope's transaction; `wrapper` has the hooks that call this."""

    # The driver's connection, while there is one.
    connection: Any
    data_manager: DataManager | None = None
    data_manager_class: type[DataManager] = DataManager
    # Only connections[alias] takes part; a copy() of it is a connection of its own.
    takes_part = False
    _unjoined_block: Any = None

    def take_part(self) -> None:
        """Follow the transactions of this thread from now on."""
        self.takes_part = True
        self.counts_writes = self.two_phase or len(conf.stores()) > 1
        here = thread.current()
        here.connections[self.key] = self
        self.expect(here.begun)

    def expect(self, txn: Any) -> None:
        """Be ready to join the transaction that this thread has begun, if it has; or to refuse, if that has failed."""
        if txn is None or not self.takes_part or self.data_manager is not None:
            return
        if self.open_blocks() or self.is_manual():
            return
        if thread.can_be_joined(txn) or txn.status == COMMIT_FAILED:
            self._wait_for(txn)

    def enlist(self, store: Store) -> None:
        """Storm is about to use the connection: be in a transaction, with its store in it. Safe to call again."""
        self.validate_thread_sharing()
        if self.data_manager is None:
            # Asking Django for a cursor lets the block that it has open join. And a TestCase refuses cursors of the
            # databases that it does not name.
            self.cursor().close()
        data_manager = self.data_manager
        if data_manager is None:
            self.validate_no_broken_transaction()
            txn = transaction.get()
            # Asking for a transaction may have let an open block join.
            data_manager = self.data_manager or self._wait_for(txn)
        _refuse_failed(data_manager)
        self._start(data_manager)
        data_manager.use(store)

    def zope_transaction(self) -> Any | None:
        """Zope's transaction that a change made now is part of, if any; the connection has joined it then."""
        if self.data_manager is None and not (self.takes_part and (self.in_atomic_block or self.is_manual())):
            return None
        self.cursor().close()
        if self.has_unjoined_block():
            transaction.get()
        data_manager = self._unended_data_manager()
        return None if data_manager is None else data_manager.txn

    def open_blocks(self) -> list[Any]:
        """The open atomic() blocks, without the test's and the engine's own."""
        own = 0 if self.data_manager is None else self.data_manager.scope.blocks_of_engine
        blocks = self.atomic_blocks[own:]
        return blocks and [block for block in blocks if not block._from_testcase]

    def has_unjoined_block(self) -> bool:
        """Whether a block of Django's is open that needed no transaction of Zope's so far."""
        return self.data_manager is None and self._unjoined_block in self.atomic_blocks[:1]

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
        if data_manager is None or not isinstance(data_manager.scope, ZopeScope) or self.open_blocks():
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
        return self._take(kind(self), txn)

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
        if self.needs_rollback or self.connection is None:
            return
        here = thread.current()
        here.connections[self.key] = self
        depth = atomic_state.depth_of_testcase(self)
        savepoint = self.savepoint_ids[depth - 1] if 0 < depth <= len(self.savepoint_ids) else None
        if depth and savepoint is None:
            # The test's own blocks stay outside. So does an outermost atomic(savepoint=False) in them: nothing would
            # tell when it is left.
            return
        is_whole = self.in_atomic_block and self.commit_on_exit and not depth
        if is_whole and not self.counts_writes and here.needs_no_transaction():
            self._unjoined_block = self.atomic_blocks[0]
            return
        txn = thread.transaction_for_django()
        if txn is not None and self.data_manager is None:
            scope = TestCaseScope(self, savepoint) if depth else DjangoScope(self)
            self._take(scope, txn).start()

    def _unended_data_manager(self) -> DataManager | None:
        """What this connection is in Zope's transaction, unless that is just ending."""
        data_manager = self.data_manager
        return data_manager if data_manager is not None and data_manager.state is not State.ENDED else None


def _refuse_failed(data_manager: DataManager) -> None:
    if data_manager.txn.status == COMMIT_FAILED:
        raise TransactionManagementError("The transaction has failed: all of it. Call transaction.abort() first.")
