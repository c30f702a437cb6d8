"""A connection inside of Django's TestCase, whose own transaction nothing ends before the test does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..transactions.parts import ConnectionPart
from .atomic_state import depth_of_testcase, mark_broken

if TYPE_CHECKING:
    from .wrapper import StormEngine


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

    def has_changes(self) -> bool:
        # The end of the test undoes them.
        return False

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
                mark_broken(connection)
        elif self._own and root == self.root:
            connection.savepoint_commit(root)

    def _encloses_test(self) -> bool:
        # setUpTestData() left the transaction open, and a test has begun since.
        return depth_of_testcase(self.connection) > self._depth
