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
from transaction import TransactionManager
from transaction.interfaces import ISynchronizer, NoTransaction
from zope.interface import implementer

from .unasked import UnaskedTransaction

if TYPE_CHECKING:
    from ..connection.wrapper import StormEngine
    from ..stores import PlainStore
    from .manager import DataManager

# What the package calls the states of a transaction.
OPEN = ("Active", "Doomed")
COMMIT_FAILED = "Commit failed"


class AnnouncingManager(TransactionManager):
    """A thread's transaction manager that says when somebody asks for a transaction that was not there yet.

    Until then the transaction of an atomic() block, or of a request, needs no other around it, which would cost about
    as much as the block.
    """

    # The transaction that was begun for a request, until somebody asks for it.
    unasked: UnaskedTransaction | None = None

    def begin(self) -> Any:
        if self.unasked is not None or (
            self._txn is None and any(connection.has_lonely_block() for connection in current().connections.values())
        ):
            # Such a block is refused, and aborted, as one that has joined is.
            self.get()
        return super().begin()

    def commit(self) -> Any:
        return super().commit() if self.unasked is None else self.unasked.commit()

    def registerSynch(self, synch: Any) -> None:
        if self.unasked is not None:
            # It is to hear of the end.
            self.get()
        super().registerSynch(synch)

    def get(self) -> Any:
        if self.unasked is not None:
            return self.unasked.make()
        was_there = self._txn is not None
        txn = super().get()
        if not was_there:
            current().join_lonely_blocks(txn)
        return txn


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
        if type(self.manager) is TransactionManager:
            # The same one still, with the synchronizers that others have registered.
            self.manager.__class__ = AnnouncingManager
        self._parts: list[DataManager] = []
        self._parts_of: Any = None
        self._thread = threading.get_ident()
        self.manager.registerSynch(self)

    def begin(self, description: str) -> None:
        """Begin a transaction, which is made only when somebody asks for it, where that makes no difference."""
        if self._may_stay_unasked():
            self.manager.unasked = unasked = UnaskedTransaction(self, description)
            self.newTransaction(unasked)
        else:
            self.manager.begin().note(description)

    def transaction(self) -> Any:
        """The current transaction, as it is: without asking for Zope's, where nobody has yet."""
        return getattr(self.manager, "unasked", None) or self.manager.get()

    def replace(self, txn: Any, by: Any) -> None:
        """Zope's transaction was made, in the place of one that nobody had asked for."""
        if self.begun is txn:
            self.begun = by
        if self.ending is txn:
            self.ending = by
        if self.refused is txn:
            self.refused = by
        if self._parts_of is txn:
            self._parts_of = by

    def _may_stay_unasked(self) -> bool:
        manager = self.manager
        if not isinstance(manager, AnnouncingManager) or manager._txn is not None or manager.unasked is not None:
            return False
        if len(manager._synchs.data) > 1:
            # Others want to hear of it.
            return False
        for connection in self.connections.values():
            # Several stores agree through Zope's transaction. So does a test's own block.
            if connection.has_sister_stores or connection.two_phase or connection.in_atomic_block:
                return False
        return bool(self.connections)

    def add(self, connection: StormEngine) -> None:
        """From now on, tell this connection of what happens."""
        self.connections[connection.alias] = connection

    def parts(self, txn: Any) -> list[DataManager]:
        """The list of the data managers that take part in `txn`."""
        if self._parts_of is not txn:
            self._parts_of, self._parts = txn, []
        return self._parts

    def has_transaction(self) -> bool:
        """Whether Zope's transaction may have been used, and is not only what the next get() would make."""
        manager = self.manager
        if not isinstance(manager, AnnouncingManager):
            return True
        return manager._txn is not None or manager.unasked is not None

    def join_lonely_blocks(self, txn: Any) -> None:
        """Zope's transaction was made just now: what Django has open is part of it."""
        for connection in self.connections.values():
            if connection.has_lonely_block():
                connection.join_block(txn)

    def is_ending(self, txn: Any) -> bool:
        """Whether `txn` is being committed, or aborted, rightly or not."""
        return self.ending is txn or self.refused is txn

    def newTransaction(self, txn: Any) -> None:
        # Asked anew: tests replace them, and a live server's thread uses those that another thread made.
        for connection in connections.all(initialized_only=True):
            if getattr(connection, "takes_part", False):
                self.connections[connection.alias] = connection
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

    def refuses_commit(self) -> bool:
        """Whether somebody called doom() or set_rollback(True), to have no commit and no error."""
        for connection in self.connections.values():
            if connection.needs_rollback and connection.rollback_requested:
                return True
        return bool(self.transaction().status == "Doomed")

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

    def close(self) -> None:
        """The thread has ended: close what it has opened."""
        for connection in self.connections.values():
            connection.close_at_end_of_thread(self._thread)
        for store in self.plain_stores.values():
            with contextlib.suppress(Exception):
                store.close()


class EndOfThread:
    """Goes when its thread does, and has what it opened closed then.

    That is in reference cycles, and would stay open until the garbage collector came by. The coordinator itself may
    be kept too: by an error whose traceback has one of its frames. Nobody but the thread knows this one.
    """

    def __init__(self, coordinator: Coordinator) -> None:
        self._coordinator = coordinator

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self._coordinator.close()


def current() -> Coordinator:
    """The coordinator of this thread."""
    try:
        coordinator: Coordinator = _local.coordinator
    except AttributeError:
        coordinator = _local.coordinator = Coordinator()
        _local.end = EndOfThread(coordinator)
    return coordinator


def transaction_for_django() -> Any | None:
    """The transaction that an atomic() block of Django joins, if there can be one."""
    try:
        abort_failed()
        txn = transaction.get()
    except NoTransaction:
        # The manager is in explicit mode, and nothing was begun.
        return None
    return txn if can_be_joined(txn) else None


def abort_failed() -> bool:
    """If the current transaction's commit has failed, end it: all of it was rolled back, it only waits for this."""
    failed: bool = current().has_transaction() and transaction.get().status == COMMIT_FAILED
    if failed:
        transaction.abort()
    return failed


def can_be_joined(txn: Any) -> bool:
    """Not in the middle of a commit or an abort, nor in the hooks that follow."""
    return txn.status in OPEN and current().ending is not txn


_local = threading.local()
