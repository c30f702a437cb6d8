"""What the database transaction of a data manager is, and how it is begun and ended. There are three kinds.

Each calls Django's own acts on the connection while its data manager is not open, so that the hooks in `wrapper` let
them pass.
"""

from __future__ import annotations

from typing import Any

from django.db import Error

from ..transactions.interfaces import Scope
from . import atomic_state


class ZopeScope(Scope):
    """A transaction that was begun, or that Storm has joined, is an atomic() block, which the engine enters.

    Until then the connection looks as if it were in that block, and nothing touches the database.
    """

    blocks_of_engine = 1

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._block = connection.own_block()
        self._callbacks: list[Any] = []
        atomic_state.show(connection, [self._block])

    def begin(self) -> None:
        # Blocks may have been opened inside, without a statement yet.
        with atomic_state.aside(self.connection):
            try:
                self._block.__enter__()
            except Error:
                # The connection has died. Nothing was done on it, and the next statement gets another.
                self.connection.discard()
                raise

    def commit(self) -> None:
        # Leaving the block would run these callbacks now, when others may still refuse.
        self._callbacks = atomic_state.take_callbacks(self.connection)
        self._block.__exit__(None, None, None)

    def rollback(self, goes_on: bool) -> None:
        connection = self.connection
        if self._block not in connection.atomic_blocks:
            # The commit failed. Django has rolled back and turned autocommit on, or could not: the connection is dead.
            if not connection.autocommit:
                connection.discard()
            return
        open_blocks = connection.open_blocks()
        atomic_state.take_callbacks(connection)
        atomic_state.show(connection, [self._block])
        atomic_state.mark_broken(connection, None)
        self._block.__exit__(None, None, None)
        atomic_state.leave_broken(connection, open_blocks)

    def finished(self, txn: Any) -> None:
        if self._callbacks:
            txn.addAfterCommitHook(self._run_callbacks, (txn,))

    def forgotten(self) -> None:
        atomic_state.leave_broken(self.connection, self.connection.open_blocks())

    def lost(self, callbacks: list[Any]) -> None:
        self._callbacks = self._callbacks or callbacks

    def _run_callbacks(self, success: bool, txn: Any) -> None:
        if success:
            # Zope lets go of an aborted transaction before anything runs after it, and of a committed one only later.
            # A callback that opens a transaction needs it gone.
            txn._free_manager()
            atomic_state.run_callbacks(self.connection, self._callbacks)


class DjangoScope(Scope):
    """A user's outermost atomic() block, or manual mode, is the database transaction; nothing was begun."""

    is_djangos_own = True

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        # A block in manual mode commits nothing.
        self._is_manual = not (connection.in_atomic_block and connection.commit_on_exit)

    def begin(self) -> None:
        # Django has started it; but SQLite's manual mode starts nothing before the first write, and a savepoint taken
        # before that would commit when it is released.
        connection = self.connection
        if not (connection.in_atomic_block and connection.commit_on_exit):
            connection.begin_explicitly()

    def commit(self) -> None:
        self.connection.commit()
        self._end()

    def rollback(self, goes_on: bool) -> None:
        connection = self.connection
        open_blocks = connection.open_blocks()
        atomic_state.show(connection, [])
        try:
            connection.rollback()
        except Error:
            # As Django does: what cannot even roll back is dead, and the server has rolled back.
            connection.discard()
            goes_on = False
        if goes_on:
            connection.begin_explicitly()
            atomic_state.show(connection, open_blocks)
        elif open_blocks:
            atomic_state.leave_broken(connection, open_blocks)
        else:
            self._end()

    def lost(self, callbacks: list[Any]) -> None:
        atomic_state.run_callbacks_with_autocommit(self.connection, callbacks)

    def _end(self) -> None:
        # Zope's hooks run before Django has left the block, and may use the connection.
        if not self._is_manual and self.connection.connection is not None:
            atomic_state.turn_autocommit_on(self.connection)


class TestCaseScope(Scope):
    """Inside Django's TestCase, the transaction is a savepoint in the test's own, which ends only with the test."""

    __test__ = False

    def __init__(self, connection: Any, savepoint: str | None = None) -> None:
        self.connection = connection
        self._own = savepoint is None
        self.root = savepoint
        self._depth = atomic_state.depth_of_testcase(connection)
        self.around = connection.savepoint_ids[: self._depth - 1]
        self._callbacks = len(connection.run_on_commit)

    @property
    def test(self) -> str | None:
        depth = atomic_state.depth_of_testcase(self.connection)
        return self.connection.savepoint_ids[depth - 2] if depth > 1 else None

    def begin(self) -> None:
        if self._own:
            self.root = self.connection.savepoint()

    def commit(self) -> None:
        # Releasing this savepoint would release with it that of a test which began later.
        if not self._encloses_test():
            self.connection.savepoint_commit(self.root)

    def rollback(self, goes_on: bool) -> None:
        connection = self.connection
        open_blocks = connection.open_blocks()
        depth = atomic_state.depth_of_testcase(connection)
        root = self.test if self._encloses_test() else self.root
        connection.undo_to(root, self._callbacks)
        if open_blocks:
            # The outermost one rolls back to the root again when it is left.
            inner = [None] * (len(open_blocks) - 1)
            atomic_state.set_savepoints(connection, depth - 1, [root, *inner])
            if not goes_on:
                atomic_state.mark_aborted(connection)
        elif self._own and root == self.root:
            connection.savepoint_commit(root)

    def forgotten(self) -> None:
        if not self.connection.open_blocks():
            # What was refused, or asked for a rollback, was in the transaction that has ended, and not the test's.
            atomic_state.unmark(self.connection)

    def _encloses_test(self) -> bool:
        # setUpTestData() left the transaction open, and a test has begun since.
        return atomic_state.depth_of_testcase(self.connection) > self._depth
