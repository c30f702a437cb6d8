"""What a data manager asks of those on the floors above it: the connection, its scope, its store, a common decision."""

from __future__ import annotations

from typing import Any, Protocol


class Connection(Protocol):
    """A Django connection that takes part in Zope's transaction."""

    alias: str
    vendor: str
    store_name: str
    connection: Any  # the driver's
    store: Store | None
    data_manager: Any  # transactions.manager.DataManager, or None
    in_atomic_block: bool
    atomic_blocks: list[Any]
    run_on_commit: list[Any]
    needs_rollback: bool
    rollback_exc: BaseException | None
    rollback_requested: bool
    execute_wrappers: list[Any]
    counts_writes: bool
    wrap_database_errors: Any

    def expect(self, txn: Any) -> None: ...

    def open_blocks(self) -> list[Any]: ...

    def unjoined_block(self) -> Any | None: ...

    def join_block(self, txn: Any) -> None: ...

    def savepoint(self) -> Any: ...

    def undo_to(self, sid: Any, callbacks: int) -> None: ...

    def break_blocks(self) -> None: ...

    def close_after_request(self) -> None: ...

    def leave_to_parent(self) -> None: ...

    def close_at_end_of_thread(self, identifier: int) -> None: ...


class Scope:
    """What a database transaction is, and how it is begun and ended. `connection.scopes` has the three kinds."""

    # The savepoint that the transaction is, where it is not the whole database transaction.
    root: str | None = None
    # Whether PostgreSQL may answer the commit of a failed transaction by rolling back without a word, as natively.
    is_djangos_own = False
    # Whether the transaction is undone by somebody else in the end: then no commit in it makes a difference that lasts.
    is_undone = False

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def pretend(self) -> None:
        """Have the connection look as if the transaction had begun, and touch nothing."""

    def begin(self) -> None:
        raise NotImplementedError

    def commit(self) -> None:
        raise NotImplementedError

    def rollback(self, goes_on: bool) -> None:
        """Undo; `goes_on` if the outermost block is the user's, is open, and shall have a new transaction."""
        raise NotImplementedError

    def finished(self, txn: Any) -> None:
        """The commit has succeeded, everybody's."""

    def forgotten(self) -> None:
        """The transaction has ended before it was begun."""

    def lost(self, callbacks: list[Any]) -> None:
        """The transaction was committed, but the connection is gone: on_commit() still has these callbacks to run."""

    def is_inside(self, savepoint: str | None) -> bool:
        """Whether the transaction is undone when `savepoint` is rolled back."""
        return False

    def open_blocks(self) -> list[Any]:
        """The atomic() blocks that a user opened inside of the transaction."""
        raise NotImplementedError


class Store(Protocol):
    """The Storm store on a connection."""

    @property
    def has_pending(self) -> bool: ...

    def flush(self) -> None: ...

    def committed(self) -> None: ...

    def forget_changes(self) -> None: ...

    def reset(self) -> None: ...

    def watch(self, effect: Any, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any: ...

    def wrote_unseen(self) -> None: ...


class Decision(Protocol):
    """What the two-phase stores of a transaction agree on."""

    def vote_last(self, data_manager: Any) -> None: ...
