"""What Django remembers of the atomic() blocks on a connection: the only file that writes it.

Reading it is everybody's; Django has no other words for what is changed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import TransactionManagementError


def depth_of_testcase(connection: BaseDatabaseWrapper) -> int:
    """How many atomic() blocks of a TestCase enclose what runs now."""
    blocks = connection.atomic_blocks
    if not blocks or not blocks[0]._from_testcase:
        return 0
    return sum(block._from_testcase for block in blocks)


def show(connection: BaseDatabaseWrapper, blocks: list[Any], savepoints: list[Any] | None = None) -> None:
    """Have the connection look as if these blocks were open, of which the outermost is the transaction."""
    connection.in_atomic_block = bool(blocks)
    connection.atomic_blocks = blocks
    connection.savepoint_ids = [] if savepoints is None else savepoints
    connection.commit_on_exit = True
    connection.needs_rollback = False


@contextmanager
def aside(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """No block is open; then those are again that were."""
    blocks, savepoints, broken = connection.atomic_blocks, connection.savepoint_ids, connection.needs_rollback
    show(connection, [])
    try:
        yield
    finally:
        show(connection, blocks, savepoints)
        connection.needs_rollback = broken


def leave_broken(connection: BaseDatabaseWrapper, blocks: list[Any]) -> None:
    """The transaction of these blocks is gone: have them, if there are any, refuse every further query."""
    # The outermost of them finds nothing to roll back when it is left.
    show(connection, blocks, [None] * (len(blocks) - 1))
    if blocks:
        mark_aborted(connection)


def mark_aborted(connection: BaseDatabaseWrapper) -> None:
    """Have the open blocks refuse every further query, and roll back."""
    mark_broken(
        connection, TransactionManagementError("The transaction was aborted while this atomic() block was open.")
    )


def mark_broken(connection: BaseDatabaseWrapper, error: BaseException | None) -> None:
    """Have the innermost block refuse every further query because of `error`, and roll back."""
    connection.needs_rollback = True
    connection.rollback_exc = error


def unmark(connection: BaseDatabaseWrapper) -> None:
    """Rolling back is what such a mark asks for, and Django refuses it while the mark is set."""
    connection.needs_rollback = False


def set_savepoints(connection: BaseDatabaseWrapper, depth: int, savepoints: list[Any]) -> None:
    """The blocks inside of the first `depth` ones roll back to these savepoints."""
    connection.savepoint_ids[depth:] = savepoints


def take_callbacks(connection: BaseDatabaseWrapper) -> list[Any]:
    """What was given to on_commit(), which Django forgets."""
    callbacks, connection.run_on_commit = connection.run_on_commit, []
    return callbacks


def keep_callbacks(connection: BaseDatabaseWrapper, number: int) -> None:
    """Forget those of them that were given after the first `number`."""
    del connection.run_on_commit[number:]


def run_callbacks(connection: BaseDatabaseWrapper, callbacks: list[Any]) -> None:
    # Zope logs an error of a hook and goes on, and so do these.
    connection.run_on_commit = [(savepoints, callback, True) for savepoints, callback, _ in callbacks]
    connection.run_and_clear_commit_hooks()


def run_callbacks_with_autocommit(connection: BaseDatabaseWrapper, callbacks: list[Any]) -> None:
    """Django runs these as soon as it turns autocommit on: where it leaves the outermost block."""
    connection.run_on_commit = callbacks
    connection.run_commit_hooks_on_set_autocommit_on = True


def turn_autocommit_on(connection: BaseDatabaseWrapper) -> None:
    """As Django does where it leaves the outermost block, but without running what was given to on_commit()."""
    connection._set_autocommit(True)
    connection.autocommit = True
