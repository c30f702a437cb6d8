"""Zope's transaction as one thread sees it: what was begun, who takes part, and who hears of the end.

A synchronizer of the transaction manager, one for each thread. Never touches a database.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from typing import Any

import transaction
from django.db import connections
from django.db.transaction import TransactionManagementError
from django.db.utils import ConnectionDoesNotExist
from transaction import Transaction, TransactionManager
from transaction.interfaces import AlreadyInTransaction, ISynchronizer, NoTransaction
from zope.interface import implementer

from . import loss, turns
from .interfaces import COMMIT_FAILED, COMMITTED, OPEN, Connection, Request

# No request is open, that would go on.
NOBODY = contextlib.nullcontext()


class ListeningManager(TransactionManager):
    """A thread's transaction manager that says when somebody asks for a transaction that was not there yet.

    Until then an atomic() block of Django's needs no transaction of Zope's around it, which would cost about as much as
    the block: an unjoined block. And it says what is lost where somebody begins a transaction.
    """

    _txn: Any

    def begin(self) -> Any:
        here = current()
        here.refuse_to_begin_in_blocks()
        here.tell_of_what_begin_aborts()
        with here.going_on():
            if self._txn is not None:
                if self.explicit and not is_unasked(self._txn):
                    raise AlreadyInTransaction
                self._txn.abort()
            txn = self._txn = BegunTransaction(self._synchs, self)
            self._synchs.map(lambda synchronizer: synchronizer.newTransaction(txn))
            return txn

    def get(self) -> Any:
        was_there = self._txn is not None
        txn = super().get()
        if not was_there:
            # The transaction is new, and the blocks that Django has open are part of it.
            for connection in current().unjoined():
                connection.join_block(txn)
        return txn


class BegunTransaction(Transaction):
    """One that begin() has made. If it is an open request's, another begins when it has ended."""

    # Whether it is such another one, which nobody has asked for.
    is_unasked = False

    def commit(self) -> None:
        with current().going_on() as request:
            if request is not None:
                request.before_commit()
            super().commit()

    def abort(self) -> None:
        with current().going_on():
            super().abort()


@implementer(ISynchronizer)
class ThreadTransactions:
    """One thread's transactions and connections."""

    def __init__(self) -> None:
        # A transaction that get() made is not announced, and one that begin() made is: that is how the two are told
        # apart. One that was there before this object counts as begun: such threads mostly start with `with manager:`.
        self.begun: Any = None
        # The transaction that is being committed or aborted, and one of which that was refused: an abort goes on all
        # the same.
        self.ending: Any = None
        self.refused: Any = None
        # The connections that are told of what happens, by their keys.
        self.connections: dict[str, Connection] = {}
        # The request that is open in this thread, until the middleware ends its transaction.
        self.request: Request | None = None
        # The one that is just ending a transaction of its own, with all that comes after that.
        self._ends: Request | None = None
        self._goes_on = False
        # Whose turn it is among the asynchronous requests that share this thread.
        self.turn: Any = None
        self._listen()
        transaction.manager.registerSynch(self)

    @property
    def manager(self) -> TransactionManager:
        """The thread's own manager, inside of `transaction.manager`."""
        return transaction.manager.manager

    # An open request

    def open(self, request: Request) -> None:
        """From here on `request` is in a transaction: in the one that is there, and in those that follow that."""
        request.is_in(self.manager._txn)
        self.request = request

    def going_on(self) -> AbstractContextManager[Request | None]:
        """Around what may end a transaction: if an open request is in that, another begins when the end is over.

        What runs at the end, a callback of on_commit() say, is in none.
        """
        return NOBODY if self.request is None else self._going_on(self.request)

    @contextlib.contextmanager
    def _going_on(self, request: Request) -> Iterator[Request]:
        self.request, self._ends = None, request
        txn = self.manager._txn
        try:
            yield request
        finally:
            self._ends = None
            if txn is not None and self.manager._txn is txn:
                self.request = request
                self._expect(txn)
            else:
                self._go_on(request)

    def _go_on(self, request: Request) -> None:
        if self.begun is None:
            self._goes_on = True
            try:
                self.manager.begin().is_unasked = True
            finally:
                self._goes_on = False
        self.open(request)

    # Unjoined blocks

    def needs_no_transaction(self) -> bool:
        """Whether a block of Django's may stay unjoined: there is no transaction, and nobody who has to hear of one."""
        if self.manager._txn is not None:
            return False
        manager = self._listen()
        # Another synchronizer hears of every transaction.
        return isinstance(manager, ListeningManager) and len(manager._synchs.data) == 1

    def _listen(self) -> TransactionManager:
        """Have the thread's manager listen, if it is Zope's own; the manager."""
        manager = self.manager
        if type(manager) is TransactionManager:
            listening = ListeningManager(manager.explicit)
            # The two are one: a transaction that is open, and `transaction.attempts()`, have hold of the first.
            listening.__dict__ = manager.__dict__
            manager = transaction.manager.manager = listening
        return manager

    def unjoined(self) -> list[Connection]:
        """The connections on which such a block is open."""
        return [connection for connection in self.connections.values() if connection.has_unjoined_block()]

    # What the manager announces

    def newTransaction(self, txn: Any) -> None:
        self._look_again()
        if turns.shared:
            self._wait_for_turn()
        if not self._goes_on:
            self._refuse_open_blocks("A transaction cannot be begun", txn)
        self.begun, self.ending = txn, None
        self._expect(txn)

    def beforeCompletion(self, txn: Any) -> None:
        # Raising here leaves a commit undone and everything as it was. An abort goes on, and raises this error when it
        # is through. After a failed commit there is nothing to refuse.
        if txn.status != COMMIT_FAILED:
            self._refuse_open_blocks("The transaction cannot be ended", txn)
        self.ending = txn

    def afterCompletion(self, txn: Any) -> None:
        self.ending = self.refused = None
        turns.give()
        if self.begun is txn:
            self.begun = None
        if self._ends is not None and txn.status == COMMITTED:
            self._ends.has_committed()
        for connection in self.connections.values():
            data_manager = connection.data_manager
            if data_manager is not None and data_manager.txn is txn:
                # One that is open has joined while the others were being ended already.
                data_manager.abort(txn)
                if connection.data_manager is data_manager:
                    data_manager.drop()

    def refuse_to_begin_in_blocks(self) -> None:
        """Before begin() aborts anything: what was written outside of the block is to stay as well.

        On a connection that threads share, the block may be another thread's, which newTransaction() waits for.
        """
        if not self._goes_on:
            self._refuse_open_blocks("A transaction cannot be begun", but=turns.shared)

    def tell_of_what_begin_aborts(self) -> None:
        """Say in the log what was written in the transaction that begin() is about to abort."""
        txn = self.manager._txn
        begins = not self.manager.explicit or is_unasked(txn)
        if txn is None or not begins:
            # There is nothing to abort, or it will be refused.
            return
        told = loss.NESTED if txn is self.begun else loss.REPLACED
        for connection in self.connections.values():
            data_manager = connection.data_manager
            if data_manager is not None and data_manager.txn is txn:
                loss.tell(data_manager, told)

    # What is asked about the end

    def has_begun(self, data_manager: Any) -> bool:
        """Whether the transaction is this thread's, and not that of another one which shares the connection."""
        return data_manager.txn is self.manager._txn

    def is_ending(self, txn: Any) -> bool:
        """Whether `txn` is being committed, or aborted, rightly or not."""
        return self.ending is txn or self.refused is txn

    def refuses_commit(self) -> bool:
        """Whether somebody called doom() or set_rollback(True), to have no commit and no error."""
        for connection in self.connections.values():
            if connection.needs_rollback and connection.rollback_requested:
                return True
        txn = self.manager._txn
        return txn is not None and txn.status == "Doomed"

    def has_open_blocks(self, but: Connection) -> bool:
        """Whether an atomic() block is open on another connection."""
        return any(each.open_blocks() for each in self.connections.values() if each is not but)

    def reset_stores(self) -> None:
        """Have Storm forget all objects: those that a failed attempt added are in its traceback still."""
        for connection in self.connections.values():
            if connection.store is not None:
                connection.store.reset()

    def _expect(self, txn: Any) -> None:
        for connection in self.connections.values():
            connection.expect(txn)

    def _look_again(self) -> None:
        """Tests replace connections, and a live server's thread uses those that another thread has made."""
        if turns.shared:
            for found in connections.all(initialized_only=True):
                for key, connection in _members(found).items():
                    if connection in turns.shared:
                        self.connections[key] = connection
        for key, known in list(self.connections.items()):
            try:
                found = connections[known.alias]
            except ConnectionDoesNotExist:
                del self.connections[key]
                continue
            if found is not known:
                replaced = _members(found).get(key, known)
                if replaced.takes_part:
                    self.connections[key] = replaced

    def _wait_for_turn(self) -> None:
        mine = [connection for connection in self.connections.values() if connection in turns.shared]
        if mine:
            turns.take(mine)

    def _refuse_open_blocks(self, what: str, txn: Any = None, but: Collection[Connection] = ()) -> None:
        for connection in self.connections.values():
            if connection.open_blocks() and connection not in but:
                if txn is not None:
                    self.refused = txn
                raise TransactionManagementError(
                    f"{what} while an atomic() block is open on {connection.alias!r}. Leave the block first: "
                    "leaving the outermost one commits or aborts."
                )


def tell_at_exit() -> None:
    """The process ends, and with it the main thread, whose own end comes too late for some handlers of the log."""
    end: loss.EndOfThread | None = getattr(_local, "end", None)
    if end is not None:
        end.tell_of_what_is_lost()


def is_unasked(txn: Any) -> bool:
    """Whether this transaction was begun only because a request goes on."""
    return isinstance(txn, BegunTransaction) and txn.is_unasked


def _members(connection: Any) -> dict[str, Connection]:
    """The connections of ours behind what `connections[alias]` is; none where it is a native one."""
    return connection.members() if hasattr(connection, "members") else {}


def current() -> ThreadTransactions:
    """The transactions of this thread."""
    try:
        transactions: ThreadTransactions = _local.transactions
    except AttributeError:
        transactions = _local.transactions = ThreadTransactions()
        _local.end = loss.EndOfThread(transactions.connections)
    return transactions


def leave_to_parent() -> None:
    """In a forked child: what is open is the parent's, and the child begins with nothing."""
    here: ThreadTransactions | None = getattr(_local, "transactions", None)
    if here is None:
        return
    for connection in here.connections.values():
        connection.leave_to_parent()
    transaction.manager.manager = type(here.manager)(here.manager.explicit)
    del _local.transactions


def transaction_for_django() -> Any | None:
    """The transaction that an atomic() block of Django joins, if there can be one."""
    try:
        abort_failed()
        txn = transaction.get()
    except NoTransaction:
        # The manager is in explicit mode, and nothing was begun.
        return None
    return txn if can_be_joined(txn) else None


def abort_failed() -> None:
    """If the current transaction's commit has failed, end it: all of it was rolled back, and only waits for this."""
    txn = current().manager._txn
    if txn is not None and txn.status == COMMIT_FAILED:
        txn.abort()


def end_current(commit: bool, but: Connection) -> None:
    """End the thread's transaction, if there is one, which a connection without a part in it may do in manual mode."""
    here = current()
    txn = here.manager._txn
    if txn is not None and here.ending is not txn and not here.has_open_blocks(but):
        end(txn, commit)


def end(txn: Any, commit: bool) -> None:
    """Commit, and let nothing wait if that fails; or abort."""
    if not commit:
        txn.abort()
        return
    try:
        txn.commit()
    except BaseException:
        txn.abort()
        raise


def can_be_joined(txn: Any) -> bool:
    """Not in the middle of a commit or an abort, nor in the hooks that follow."""
    return txn.status in OPEN and current().ending is not txn


_local = threading.local()
atexit.register(tell_at_exit)
os.register_at_fork(after_in_child=leave_to_parent)
