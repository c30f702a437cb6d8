"""The data manager: one connection, and the store on it, in one transaction, from its first statement to its end.

Where the database transaction lives is its scope, in `connection.scopes`. Whether a statement joins is decided in
`connection.wrapper`.
"""

from __future__ import annotations

import contextlib
import enum
import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

import transaction
from django.db.transaction import TransactionManagementError
from transaction.interfaces import IRetryDataManager, ISavepointDataManager
from zope.interface import implementer

from ..sql import catalogue, errors
from ..sql.effects import Effect
from . import thread
from .interfaces import Connection, Decision, Scope, Store

logger = logging.getLogger("djintegrate.storm_backend")


class State(enum.Enum):
    """How far a connection's part in a transaction has come."""

    WAITING = "no statement yet: there is nothing to end"
    OPEN = "in a database transaction"
    ENDED = "committed, or rolled back"


@implementer(ISavepointDataManager, IRetryDataManager)
class DataManager:
    """One connection, and the store on it, in one transaction; committed in one phase."""

    transaction_manager = transaction.manager
    two_phase = False
    # Whether a statement that writes nothing is noted as well.
    notes_all = False

    def __init__(self, connection: Connection, txn: Any, scope: Scope) -> None:
        self.connection = connection
        self.name = connection.store_name
        self.txn = txn
        self.scope = scope
        self.state = State.WAITING
        # The stores on the connection that were used in this transaction. Until then there is nothing to flush, and
        # nothing that a store has read.
        self.stores: list[Store] = []
        self.wrote = False
        # Whether each statement of Django's is looked at: to count what is written, and to keep the stores true.
        self.watches = False
        # Whether Django has written something while it was not.
        self.wrote_uncounted = False
        # The test in which something was written last, by the name of its savepoint; if it was in one.
        self._wrote_in: str | None = None
        # What the two-phase stores of the transaction agree on, once one of them is prepared.
        self.decision: Decision | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.name!r}: {self.state.value}>"

    @property
    def all(self) -> list[DataManager]:
        """The data managers of this kind that have joined the transaction."""
        return [each for each in self.txn._resources if isinstance(each, DataManager)]

    # Its life

    def start(self) -> None:
        """The first statement is about to run: join the transaction, and begin the database's. Safe to call again."""
        if self.state is not State.WAITING:
            return
        try:
            if self not in self.all:
                self.txn.join(self)
        except BaseException:
            # The transaction is in the middle of its commit, or has failed.
            self.drop()
            raise
        self.state = State.OPEN
        try:
            self._begin()
        except BaseException:
            # It could not connect, say. The next statement tries again.
            self.state = State.WAITING
            raise
        self.watches = self.connection.counts_writes

    def use(self, store: Store) -> None:
        """Another ORM, Storm mostly, takes part from now on. Safe to call again."""
        if store not in self.stores:
            self.stores.append(store)
            self.watches = True

    def drop(self) -> None:
        """The transaction has ended without a statement on this connection."""
        self.state = State.ENDED
        self.scope.forgotten()
        self.connection.data_manager = None

    def note(self, sql: object) -> Effect:
        """Remember whether `sql` may have written anything; what that is."""
        effect = catalogue.effect_of(self.connection, sql)
        if effect.writes:
            if not effect.undoes:
                self.wrote, self._wrote_in = True, self.scope.test
                self.connection.note_write()
            if effect.alters:
                self.connection.note_alteration()
            elif effect.undoes:
                self.connection.alterations_undone()
        return effect

    def note_uncounted(self) -> None:
        """Django is about to write, and nobody counts: it is remembered only to say so if it is lost."""
        self.wrote_uncounted, self._wrote_in = True, self.scope.test

    def note_unseen(self) -> None:
        """Something runs that is not seen as a statement, and may write anything."""
        self.wrote, self._wrote_in = True, self.scope.test
        self.connection.note_write()
        for store in self.stores:
            store.wrote_unseen()

    @contextlib.contextmanager
    def looking_away(self) -> Iterator[None]:
        """What Django runs for somebody else, who has seen to it, is not looked at again."""
        self.watches, before = False, self.watches
        try:
            yield
        finally:
            self.watches = before

    def around(self, effect: Effect, execute: Any, but: Store | None = None) -> Any:
        """What executes a statement of Django's, or of the store `but`: between what the stores do before and after."""
        for store in self.stores:
            if store is but:
                continue
            if effect.outdates or store.watches_reads:
                execute = partial(store.watch, effect, execute)
            else:
                store.flush_before_reading()
        return execute

    # What Zope asks, in this order

    def sortKey(self) -> str:
        # "~" sorts last. A one-phase commit cannot be taken back, so everybody who can still refuse must have voted
        # before this one commits. And so must zope.sqlalchemy's sessions, which flush once more when they vote: theirs
        # begins with "~sqlalchemy".
        return f"~~djintegrate.storm_backend:{self.name}:{id(self)}"

    def tpc_begin(self, txn: Any) -> None:
        # Flushing before anybody commits lets a failing flush abort everybody.
        if self.state is State.OPEN:
            self._check()
            self._flush()

    def commit(self, txn: Any) -> None:
        # The commit itself comes last, in `tpc_vote`. By now everybody has flushed.
        if len(txn._resources) > 1:
            self._warn_of_several()

    def tpc_vote(self, txn: Any) -> None:
        if self.state is State.OPEN:
            # Another data manager's commit() may have changed Storm's objects.
            self._flush()
            self._check()
            self._vote()

    def tpc_finish(self, txn: Any) -> None:
        self.scope.finished(txn)

    def tpc_abort(self, txn: Any) -> None:
        self.abort(txn)
        if not thread.current().is_ending(txn) and self.connection.open_blocks():
            # A savepoint could not be taken, for a failing flush, say, and Zope's transaction has failed.
            self.connection.break_blocks()

    def abort(self, txn: Any) -> None:
        # Zope calls this again after hooks, and after a commit, which it cannot undo.
        if self.state is State.OPEN:
            self._finish(commit=False)

    def savepoint(self) -> ConnectionSavepoint:
        return ConnectionSavepoint(self)

    def should_retry(self, error: BaseException) -> bool:
        return errors.is_retryable(self.connection.vendor, error)

    # What Django's hooks say

    def left(self, commit: bool) -> None:
        """Django has left the block, or ended the manual transaction, that this is."""
        if thread.current().has_open_blocks(but=self.connection):
            # `with atomic("a"), atomic("b")`: for Django these are two transactions, and the inner one ends while the
            # outer one goes on.
            self._end_alone(commit)
        elif commit:
            self._end_all()
        else:
            self.txn.abort()

    # What the two-phase commit asks and does

    @property
    def has_pending(self) -> bool:
        """Whether a store has changes that it did not flush yet."""
        return any(store.has_pending for store in self.stores)

    @property
    def has_something_to_lose(self) -> bool:
        """Whether anything was written, or is to be, that an abort would undo: not what is of a test's class."""
        wrote = self.wrote or self.wrote_uncounted
        return self.has_pending or (wrote and self._wrote_in == self.scope.test)

    def has_changes(self) -> bool:
        """Whether its commit makes a difference that lasts."""
        return self.wrote and self.scope.root is None

    def may_still_prepare(self) -> bool:
        """Whether its vote may be a prepared transaction."""
        return False

    def commit_now(self) -> None:
        """Commit for good."""
        self._finish(commit=True)

    def _begin(self) -> None:
        self.scope.begin()

    def _vote(self) -> None:
        if self.decision is None:
            self._finish(commit=True)
        else:
            self.decision.vote_last(self)

    def _finish(self, commit: bool) -> None:
        """The one way out: end the database transaction, tell the store, and let go of the connection."""
        self.state, self.watches = State.ENDED, False
        try:
            if commit:
                self._commit()
            else:
                # A transaction.savepoint() from before the first statement in an atomic() block is rolled back: all of
                # the block is undone, and it goes on. In the end of the transaction, and in inner blocks, nothing does.
                is_ending = thread.current().is_ending(self.txn)
                self._rollback(goes_on=len(self.connection.open_blocks()) == 1 and not is_ending)
        except BaseException:
            if commit:
                commit = False
                with contextlib.suppress(Exception):
                    self._rollback(goes_on=False)
            raise
        finally:
            self.connection.data_manager = None
            for store in self.stores:
                (store.committed if commit else store.forget_changes)()
            if not commit:
                self.connection.expect(thread.current().begun)

    def _commit(self) -> None:
        self.scope.commit()

    def _rollback(self, goes_on: bool) -> None:
        self.scope.rollback(goes_on)

    def _end_alone(self, commit: bool) -> None:
        try:
            if commit:
                self.tpc_begin(self.txn)
                self.tpc_vote(self.txn)
        finally:
            self.abort(self.txn)

    def _end_all(self) -> None:
        # Leaving a block is Django's act, so the errors are Django's, that of Storm's flush included.
        errors_of = self.connection.wrap_database_errors if self.stores else contextlib.nullcontext()
        with errors_of:
            thread.end(self.txn, commit=True)

    def _check(self) -> None:
        """Raise if this transaction must not be committed."""
        connection = self.connection
        if connection.needs_rollback:
            raise TransactionManagementError(
                f"The transaction on {connection.alias!r} cannot be committed: an error in it was caught outside of an "
                "atomic() block, or set_rollback(True) was called. Abort it; and next time wrap what may fail in an "
                "atomic() block of its own, and catch the error outside of that block."
            ) from connection.rollback_exc
        if self.stores or not self.scope.is_djangos_own:
            errors.refuse_failed(self.name, connection.connection)

    def _flush(self) -> None:
        for store in self.stores:
            store.flush()

    def _warn_of_several(self) -> None:
        # A failure between two commits in one phase would leave one without the other.
        writers = [each for each in self.all if each.has_changes() and each.state is State.OPEN and not each.two_phase]
        if len(writers) > 1 and self is writers[0]:
            logger.warning(
                "One transaction writes to several stores that commit in one phase: %s. If the commit of one fails "
                "after that of another, they differ.",
                ", ".join(sorted(repr(writer.name) for writer in writers)),
            )


class ConnectionSavepoint:
    """transaction.savepoint() on a connection: a savepoint of the database."""

    def __init__(self, data_manager: DataManager) -> None:
        connection = data_manager.connection
        self._connection = connection
        self.sid = connection.savepoint()
        self._depth = len(connection.atomic_blocks)
        self._callbacks = len(connection.run_on_commit)

    def rollback(self) -> None:
        connection = self._connection
        if len(connection.atomic_blocks) > self._depth:
            raise TransactionManagementError(
                "This transaction.savepoint() cannot be rolled back while an atomic() block that was opened after it "
                "is still open. Leave the block first."
            )
        connection.undo_to(self.sid, self._callbacks)
