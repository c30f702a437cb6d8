"""What a Django connection, with its Storm store, is in a Zope transaction.

Each class says in one sentence what its database transaction is, and how that is ended.
Whether a statement joins is decided in `engine`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import Error
from django.db import transaction as django_transaction
from django.db.transaction import TransactionManagementError

from . import coordinator
from .datamanager import DataManager, refuse_failed

if TYPE_CHECKING:
    from .engine import StormEngine
    from .stores import SharedStore


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

    def __init__(self, connection: StormEngine, txn: Any) -> None:
        super().__init__(txn)
        self.connection = connection

    @property
    def name(self) -> str:
        return self.connection.store_name

    @property
    def vendor(self) -> str:
        return str(self.connection.vendor)

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
                "outside of an atomic() block, or set_rollback(True) was called. Abort it; and catch an error that "
                "may be survived outside of an atomic() block of its own."
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
        connection = self.connection
        connection.part = None
        if connection.has_sister_stores and self._note_statement in connection.execute_wrappers:
            connection.execute_wrappers.remove(self._note_statement)

    def _start(self) -> None:
        raise NotImplementedError

    def _commit_database(self) -> None:
        raise NotImplementedError

    def _rollback_database(self) -> None:
        raise NotImplementedError


class ZopeBlock(ConnectionPart):
    """Zope's transaction is an atomic() block, entered by the engine itself."""

    def __init__(self, connection: StormEngine, txn: Any) -> None:
        super().__init__(connection, txn)
        self._block = django_transaction.atomic(using=connection.alias)
        self._callbacks: list[Any] = []

    def open_blocks(self) -> list[Any]:
        return self.connection.atomic_blocks[1:]

    def wait(self) -> None:
        # The connection looks as if the block were entered, at no cost.
        super().wait()
        connection = self.connection
        connection.in_atomic_block = True
        connection.atomic_blocks = [self._block]
        connection.savepoint_ids = []
        connection.commit_on_exit = True
        connection.needs_rollback = False

    def dismiss(self) -> None:
        super().dismiss()
        connection = self.connection
        open_blocks = self.open_blocks()
        _show_no_block(connection)
        _leave_broken(connection, open_blocks)

    def tpc_finish(self, txn: Any) -> None:
        if self._callbacks:
            txn.addAfterCommitHook(self._run_callbacks)

    def _start(self) -> None:
        # Blocks may have been opened inside, without a statement yet.
        connection = self.connection
        blocks, savepoints = connection.atomic_blocks, connection.savepoint_ids
        broken = connection.needs_rollback
        _show_no_block(connection)
        try:
            self._block.__enter__()
        except Error:
            # The connection had died. Nothing was done on it, and the next statement gets another.
            connection.close()
            raise
        finally:
            connection.in_atomic_block = True
            connection.atomic_blocks = blocks or [self._block]
            connection.savepoint_ids = savepoints
            connection.needs_rollback = broken

    def _commit_database(self) -> None:
        # Leaving the block would run these now, when others may still refuse.
        self._callbacks, self.connection.run_on_commit = self.connection.run_on_commit, []
        self._block.__exit__(None, None, None)

    def _rollback_database(self) -> None:
        connection = self.connection
        if self._block not in connection.atomic_blocks:
            # Its commit failed. Django has rolled back and turned autocommit on, or could not: then the connection
            # is dead.
            if not connection.autocommit:
                connection.close()
            return
        open_blocks = self.open_blocks()
        connection.atomic_blocks = [self._block]
        connection.savepoint_ids = []
        connection.run_on_commit = []
        connection.needs_rollback = True
        self._block.__exit__(None, None, None)
        _leave_broken(connection, open_blocks)

    def _run_callbacks(self, success: bool) -> None:
        if not success:
            return
        # Zope lets go of an aborted transaction before anything runs after it, of a
        # committed one only later. A callback that opens a transaction needs it gone.
        self.txn._free_manager()
        # Zope logs an error of a hook and goes on, and so do these.
        self.connection.run_on_commit = [(savepoints, callback, True) for savepoints, callback, _ in self._callbacks]
        self.connection.run_and_clear_commit_hooks()


class DjangoBlock(ConnectionPart):
    """A user's outermost atomic() block, or manual mode, is the database transaction."""

    def open_blocks(self) -> list[Any]:
        return self.connection.atomic_blocks

    def _is_shared(self) -> bool:
        return self.store is not None

    def _start(self) -> None:
        # Django has started it; but SQLite's manual mode starts nothing before the first
        # write, and a savepoint taken before that would commit when it is released.
        connection = self.connection
        if not (connection.in_atomic_block and connection.commit_on_exit):
            connection.begin_explicitly()

    def _commit_database(self) -> None:
        self.connection.commit_database()

    def _rollback_database(self) -> None:
        connection = self.connection
        open_blocks = self.open_blocks()
        goes_on = self._goes_on()
        _show_no_block(connection)
        try:
            connection.rollback()
        except Error:
            # As Django does: what cannot even roll back is dead, and the server has rolled back.
            connection.close()
            goes_on = False
        if goes_on:
            connection.begin_explicitly()
            connection.in_atomic_block = True
            connection.atomic_blocks = open_blocks
        else:
            _leave_broken(connection, open_blocks)


class SavepointPart(ConnectionPart):
    """Inside Django's TestCase, a savepoint in the test's own transaction."""

    def __init__(self, connection: StormEngine, txn: Any, savepoint: str | None) -> None:
        super().__init__(connection, txn)
        self._own = savepoint is None
        self.root = savepoint
        self._depth = depth_of_testcase(connection)
        self._around = connection.savepoint_ids[: self._depth - 1]
        self._callbacks = len(connection.run_on_commit)

    def open_blocks(self) -> list[Any]:
        return [block for block in self.connection.atomic_blocks if not block._from_testcase]

    def is_inside(self, savepoint: str | None) -> bool:
        return savepoint in self._around

    def _start(self) -> None:
        if self._own:
            self.root = self.connection.savepoint()

    def _commit_database(self) -> None:
        # Releasing this savepoint would release with it that of a test which began later.
        if not self._encloses_test():
            self.connection.savepoint_commit(self.root)

    def _rollback_database(self) -> None:
        connection = self.connection
        open_blocks = self.open_blocks()
        depth = depth_of_testcase(connection)
        root = connection.savepoint_ids[depth - 2] if self._encloses_test() else self.root
        # Rolling back is what such a mark asks for; Django refuses it while it is set.
        connection.needs_rollback = False
        connection.savepoint_rollback(root)
        del connection.run_on_commit[self._callbacks :]
        if open_blocks:
            # The outermost one rolls back to the root again when it is left.
            inner = [None] * (len(open_blocks) - 1)
            connection.savepoint_ids[depth - 1 :] = [root, *inner]
            if not self._goes_on():
                _mark_broken(connection)
        elif self._own and root == self.root:
            connection.savepoint_commit(root)

    def _encloses_test(self) -> bool:
        # setUpTestData() left the transaction open, and a test has begun since.
        return depth_of_testcase(self.connection) > self._depth


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


def depth_of_testcase(connection: StormEngine) -> int:
    """How many atomic() blocks of a TestCase enclose what runs now."""
    blocks = connection.atomic_blocks
    if not blocks or not blocks[0]._from_testcase:
        return 0
    return sum(block._from_testcase for block in blocks)


def _show_no_block(connection: StormEngine) -> None:
    connection.in_atomic_block = False
    connection.atomic_blocks = []
    connection.savepoint_ids = []
    connection.needs_rollback = False


def _leave_broken(connection: StormEngine, open_blocks: list[Any]) -> None:
    # Their transaction is gone. They refuse every further query, and the outermost of
    # them finds nothing to roll back when it is left.
    if open_blocks:
        connection.in_atomic_block = True
        connection.atomic_blocks = open_blocks
        connection.savepoint_ids = [None] * (len(open_blocks) - 1)
        connection.commit_on_exit = True
        _mark_broken(connection)


def _mark_broken(connection: StormEngine) -> None:
    connection.needs_rollback = True
    connection.rollback_exc = TransactionManagementError(
        "The transaction was aborted while this atomic() block was open."
    )
