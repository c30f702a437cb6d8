"""A connection in a transaction that was begun, or that Storm has joined: the engine enters an atomic() block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import Error
from django.db import transaction as django_transaction

from ..transactions.parts import ConnectionPart
from .atomic_state import leave_broken, show_no_block
from .first_statement import FirstStatement, is_check_due

if TYPE_CHECKING:
    from .wrapper import StormEngine


class ZopeBlock(ConnectionPart):
    """Zope's transaction is an atomic() block, entered by the engine itself."""

    _first_statement: FirstStatement | None = None

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
        show_no_block(connection)
        leave_broken(connection, open_blocks)

    def _unwrap(self) -> None:
        super()._unwrap()
        if self._first_statement is not None:
            # It knows this part: nothing is to wait for the garbage collector.
            self._first_statement.withdraw()
            self._first_statement = None

    def tpc_finish(self, txn: Any) -> None:
        if self._callbacks:
            txn.addAfterCommitHook(self._run_callbacks)

    def start_anew(self) -> None:
        """The connection is lost, before anything was done on it: be the same on another one."""
        self.busy = True
        try:
            self._start(is_lost=True)
        except BaseException:
            # The next statement tries again.
            self._unwrap()
            self.waiting = True
            raise
        finally:
            self.busy = False

    def _start(self, is_lost: bool = False) -> None:
        # Blocks may have been opened inside, without a statement yet.
        connection = self.connection
        blocks, savepoints = connection.atomic_blocks, connection.savepoint_ids
        broken = connection.needs_rollback
        show_no_block(connection)
        try:
            if is_lost:
                connection.close()
            self._enter()
        finally:
            connection.in_atomic_block = True
            connection.atomic_blocks = blocks or [self._block]
            connection.savepoint_ids = savepoints
            connection.needs_rollback = broken

    def _enter(self) -> None:
        connection = self.connection
        is_due = is_check_due(connection)
        # What follows tells as well whether the connection works.
        connection.health_check_done = True
        try:
            self._block.__enter__()
        except Error:
            # The connection had died. Nothing was done on it, and the next statement gets another.
            connection.close()
            if not is_due:
                raise
            show_no_block(connection)
            self._block.__enter__()
        if is_due and connection.vendor == "postgresql":
            # There, entering a block does not reach the server, but the first statement does.
            self._first_statement = FirstStatement(self)

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
        leave_broken(connection, open_blocks)

    def _run_callbacks(self, success: bool) -> None:
        if not success:
            return
        # Zope lets go of an aborted transaction before anything runs after it, of a
        # committed one only later. A callback that opens a transaction needs it gone.
        self.txn._free_manager()
        # Zope logs an error of a hook and goes on, and so do these.
        self.connection.run_on_commit = [(savepoints, callback, True) for savepoints, callback, _ in self._callbacks]
        self.connection.run_and_clear_commit_hooks()
