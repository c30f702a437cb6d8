"""What Django remembers of the atomic() blocks on a connection, where the engine has to see or say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.transaction import TransactionManagementError

if TYPE_CHECKING:
    from .wrapper import StormEngine


def depth_of_testcase(connection: StormEngine) -> int:
    """How many atomic() blocks of a TestCase enclose what runs now."""
    blocks = connection.atomic_blocks
    if not blocks or not blocks[0]._from_testcase:
        return 0
    return sum(block._from_testcase for block in blocks)


def show_no_block(connection: StormEngine) -> None:
    """Have the connection look as if no block were open."""
    connection.in_atomic_block = False
    connection.atomic_blocks = []
    connection.savepoint_ids = []
    connection.needs_rollback = False


def leave_broken(connection: StormEngine, open_blocks: list[Any]) -> None:
    """The transaction of `open_blocks` is gone: have them refuse every further query."""
    if open_blocks:
        connection.in_atomic_block = True
        connection.atomic_blocks = open_blocks
        # The outermost of them finds nothing to roll back when it is left.
        connection.savepoint_ids = [None] * (len(open_blocks) - 1)
        connection.commit_on_exit = True
        mark_broken(connection)


def mark_broken(connection: StormEngine) -> None:
    """Have the open blocks refuse every further query, and roll back."""
    connection.needs_rollback = True
    connection.rollback_exc = TransactionManagementError(
        "The transaction was aborted while this atomic() block was open."
    )
