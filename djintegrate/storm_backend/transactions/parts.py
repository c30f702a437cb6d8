"""What is common to the ways in which a Django connection, with its Storm store, is in a Zope transaction.

There are three, each with a module that says in one sentence what the database transaction is, and how that is ended:
`zope_block`, `django_block` and `testcase_part`. Whether a statement joins is decided in `engine`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.transaction import TransactionManagementError

from ..stores.coherence import Coherence
from . import thread as coordinator
from .manager import DataManager, refuse_failed

if TYPE_CHECKING:
    from ..connection.wrapper import StormEngine
    from ..stores import SharedStore


class ConnectionPart(DataManager):
    """The part of a Django connection, and of its Storm store, in a transaction.

    A part is `waiting` until the first statement: only then it joins, and the database
    transaction starts.
    """

    # The savepoint that the part is, where it is not the whole database transaction.
    root: str | None = None
    # True while this part itself begins, commits or rolls back through the connection.
    busy = False
    # The store on the connection, once it was used in this transaction. Until then there is nothing to flush, and
    # nothing that it has read.
    store: SharedStore | None = None
    # What keeps that store true to Django's statements.
    coherence: Coherence | None = None

    def __init__(self, connection: StormEngine, txn: Any) -> None:
        super().__init__(txn)
        self.connection = connection

    @property
    def name(self) -> str:
        return self.connection.store_name

    @property
    def vendor(self) -> str:
        return str(self.connection.vendor)

    @property
    def wrapper(self) -> StormEngine:
        return self.connection

    def start(self) -> None:
        """Join, and start the database transaction."""
        try:
            self.join()
        except BaseException:
            # The transaction is in the middle of its commit, or has failed.
            self.dismiss()
            raise
        self.busy = True
        try:
            # If it fails, because it could not connect, say, the next statement tries again.
            self._start()
        finally:
            self.busy = False
        self.waiting = False
        if self.connection.has_sister_stores:
            # First in the list: Django takes away the last one when a block of
            # execute_wrapper() ends.
            self.connection.execute_wrappers.insert(0, self._note_statement)

    def use(self, store: SharedStore) -> None:
        """The store takes part from now on."""
        self.store = store
        if self.coherence is None:
            self.coherence = Coherence(self)
            self.connection.execute_wrappers.insert(0, self.coherence)

    def wait(self) -> None:
        """Start at the first statement."""
        self.waiting = True

    def dismiss(self) -> None:
        """The transaction has ended without a statement on this connection."""
        self.connection.part = None

    def is_inside(self, savepoint: str | None) -> bool:
        """Whether this part is undone when `savepoint` is rolled back."""
        return False

    def open_blocks(self) -> list[Any]:
        """The atomic() blocks that a user opened inside of this part."""
        raise NotImplementedError

    def savepoint(self) -> ConnectionSavepoint:
        return ConnectionSavepoint(self)

    def commit_by_django(self) -> None:
        """Django has left the block, or ended the manual transaction, that this is."""
        if len(self.parts) > 1 and self._others_open():
            self._end_alone(commit=True)
            return
        try:
            if self.store is None:
                self.txn.commit()
            else:
                # Leaving a block is Django's act, so the errors are Django's, that of Storm's flush included.
                with self.connection.wrap_database_errors:
                    self.txn.commit()
        except BaseException:
            self.txn.abort()
            raise

    def rollback_by_django(self) -> None:
        if len(self.parts) > 1 and self._others_open():
            self._end_alone(commit=False)
        else:
            self.txn.abort()

    def _others_open(self) -> bool:
        # `with atomic("a"), atomic("b")`: for Django these are two transactions, and
        # the inner one ends while the outer one goes on.
        return any(
            isinstance(other, ConnectionPart) and other.open_blocks()
            for other in self.parts
            if other is not self and not other.ended
        )

    def _end_alone(self, commit: bool) -> None:
        try:
            if commit:
                self.tpc_begin(self.txn)
                self.tpc_vote(self.txn)
        finally:
            self.abort(self.txn)

    def _goes_on(self) -> bool:
        # A transaction.savepoint() from before the first statement in an atomic() block is rolled back: all of the
        # block is undone, and it goes on. In the end of the transaction, and in inner blocks, nothing goes on.
        return len(self.open_blocks()) == 1 and not coordinator.current().is_ending(self.txn)

    def _note_statement(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.note_write(sql)
        return execute(sql, params, many, context)

    def _check(self) -> None:
        connection = self.connection
        if connection.needs_rollback:
            raise TransactionManagementError(
                f"The transaction on {connection.alias!r} cannot be committed: a database error in it was caught "
                "outside of an atomic() block, or set_rollback(True) was called. Abort it; and next time wrap what may "
                "fail in an atomic() block of its own, and catch the error outside of that block."
            ) from connection.rollback_exc
        if self._is_shared():
            refuse_failed(self.name, connection.connection)

    def _is_shared(self) -> bool:
        """Whether not only Django takes part, which natively lets PostgreSQL roll back without a word."""
        return True

    def _flush(self) -> None:
        if self.store is not None:
            self.store.flush()

    def _commit(self) -> None:
        self.busy = True
        try:
            self._commit_database()
        except BaseException:
            self.busy = False
            raise
        self._leave()
        if self.store is not None:
            self.store.committed()

    def _rollback(self) -> None:
        self.busy = True
        try:
            self._rollback_database()
        finally:
            self._leave()
            if self.store is not None:
                self.store.forget_changes()
            self.connection.expect(coordinator.current().begun)

    def _leave(self) -> None:
        self.connection.part = None
        self._unwrap()

    def _unwrap(self) -> None:
        connection = self.connection
        if connection.has_sister_stores and self._note_statement in connection.execute_wrappers:
            connection.execute_wrappers.remove(self._note_statement)
        if self.coherence is not None:
            if self.coherence in connection.execute_wrappers:
                connection.execute_wrappers.remove(self.coherence)
            self.coherence.end()
            # It knows this part: nothing is to wait for the garbage collector.
            self.coherence = None

    def _start(self) -> None:
        raise NotImplementedError

    def _commit_database(self) -> None:
        raise NotImplementedError

    def _rollback_database(self) -> None:
        raise NotImplementedError


class ConnectionSavepoint:
    """transaction.savepoint() on a connection: a savepoint of the database."""

    def __init__(self, part: ConnectionPart) -> None:
        connection = part.connection
        self._part = part
        self._savepoint = connection.savepoint()
        self._depth = len(connection.atomic_blocks)
        self._callbacks = len(connection.run_on_commit)

    def rollback(self) -> None:
        connection = self._part.connection
        if len(connection.atomic_blocks) > self._depth:
            raise TransactionManagementError(
                "This transaction.savepoint() cannot be rolled back while an atomic() "
                "block that was opened after it is still open. Leave the block first."
            )
        # Rolling back is what such a mark asks for; Django refuses it while it is set.
        connection.needs_rollback = False
        connection.savepoint_rollback(self._savepoint)
        del connection.run_on_commit[self._callbacks :]
