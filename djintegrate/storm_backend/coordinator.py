"""Zope's transaction as one thread sees it: what was begun, and who hears of it.

A synchronizer of the transaction manager, one per thread. It never touches a database,
but for closing what its thread opened when that thread ends.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import transaction
from django.db import connections
from django.db.transaction import TransactionManagementError
from transaction.interfaces import ISynchronizer, NoTransaction
from zope.interface import implementer

if TYPE_CHECKING:
    from .datamanager import DataManager
    from .engine import StormEngine
    from .stores import PlainStore

# What the package calls the states of a transaction.
OPEN = ("Active", "Doomed")
COMMIT_FAILED = "Commit failed"


@implementer(ISynchronizer)
class Coordinator:
    """One thread's transactions, connections and plain stores."""

    def __init__(self) -> None:
        # A transaction that get() made is not announced, one that begin() made is: that
        # is how the two are told apart. One that was there before this coordinator
        # counts as begun: such threads most often started with `with manager:`.
        self.begun: Any = None
        # The transaction that is just being committed or aborted, and one of which that was refused: an abort goes
        # on in spite of it.
        self.ending: Any = None
        self.refused: Any = None
        self.connections: dict[str, StormEngine] = {}
        self.plain_stores: dict[str, PlainStore] = {}
        self.manager = transaction.manager.manager
        self._parts: list[DataManager] = []
        self._parts_of: Any = None
        self._thread = threading.get_ident()
        transaction.manager.registerSynch(self)

    def add(self, connection: StormEngine) -> None:
        """From now on, tell this connection of what happens."""
        self.connections[connection.alias] = connection

    def parts(self, txn: Any) -> list[DataManager]:
        """The list of the data managers that take part in `txn`."""
        if self._parts_of is not txn:
            self._parts_of, self._parts = txn, []
        return self._parts

    def is_ending(self, txn: Any) -> bool:
        """Whether `txn` is being committed, or aborted, rightly or not."""
        return self.ending is txn or self.refused is txn

    def newTransaction(self, txn: Any) -> None:
        # Asked anew: tests replace them, and a live server's thread uses those that another thread made.
        for connection in connections.all(initialized_only=True):
            if getattr(connection, "takes_part", False):
                self.add(connection)
        self._refuse_open_blocks(txn, "A transaction cannot be begun")
        self.begun, self.ending = txn, None
        for connection in self.connections.values():
            connection.expect(txn)

    def beforeCompletion(self, txn: Any) -> None:
        # Raising here leaves a commit undone and everything as it was. An abort goes on,
        # and raises this when it is through. After a failed commit there is nothing to refuse.
        if txn.status != COMMIT_FAILED:
            self._refuse_open_blocks(txn, "The transaction cannot be ended")
        self.ending = txn

    def afterCompletion(self, txn: Any) -> None:
        self.ending = self.refused = self._parts_of = None
        # The parts refer to this list, which is not to wait for the garbage collector with them.
        self._parts.clear()
        if self.begun is txn:
            self.begun = None
        for connection in self.connections.values():
            part = connection.part
            if part is None or part.txn is not txn:
                continue
            if part.waiting:
                part.dismiss()
            else:
                # It joined while the others were already being ended.
                part.abort(txn)

    def rollback_requested(self) -> bool:
        """Whether somebody called set_rollback(True), to have no commit and no error."""
        return any(
            connection.needs_rollback and connection.rollback_requested for connection in self.connections.values()
        )

    def reset_stores(self) -> None:
        """Have Storm forget all objects: those that a failed attempt added are in its traceback still."""
        for connection in self.connections.values():
            if connection.store is not None:
                connection.store.reset()
        for store in self.plain_stores.values():
            store.reset()

    def _refuse_open_blocks(self, txn: Any, what: str) -> None:
        for connection in self.connections.values():
            if connection.in_atomic_block and connection.open_blocks():
                self.refused = txn
                raise TransactionManagementError(
                    f"{what} while an atomic() block is open on {connection.alias!r}. Leave the block first: "
                    "leaving the outermost one commits or aborts."
                )

    def __del__(self) -> None:
        # The thread has ended. Its connections are in reference cycles, and would stay
        # open until the garbage collector came by.
        with contextlib.suppress(Exception):
            for connection in self.connections.values():
                connection.close_at_end_of_thread(self._thread)
            for store in self.plain_stores.values():
                store.close()


def current() -> Coordinator:
    """The coordinator of this thread."""
    try:
        coordinator: Coordinator = _local.coordinator
    except AttributeError:
        coordinator = _local.coordinator = Coordinator()
    return coordinator


def transaction_for_django() -> Any | None:
    """The transaction that an atomic() block of Django joins, if there can be one."""
    here = current()
    try:
        txn = here.manager.get()
    except NoTransaction:
        # The manager is in explicit mode, and nothing was begun.
        return None
    if txn.status == COMMIT_FAILED:
        abort_failed()
        txn = here.manager.get()
    return txn if txn.status in OPEN and here.ending is not txn else None


def abort_failed() -> bool:
    """If the current transaction's commit has failed, end it: all of it was rolled back, it only waits for this."""
    failed: bool = transaction.get().status == COMMIT_FAILED
    if failed:
        transaction.abort()
    return failed


def can_be_joined(txn: Any) -> bool:
    """Not in the middle of a commit or an abort, nor in the hooks that follow."""
    return txn.status in OPEN and current().ending is not txn


_local = threading.local()
