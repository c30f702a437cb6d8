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

    def undo_to(self, sid: Any) -> None: ...

    def close_after_request(self) -> None: ...

    def close_at_end_of_thread(self, identifier: int) -> None: ...


class Scope(Protocol):
    """What the database transaction is, and how it is begun and ended."""

    # The savepoint that the transaction is, where it is not the whole database transaction.
    root: str | None
    # Whether PostgreSQL may answer the commit of a failed transaction by rolling back without a word, as natively.
    is_djangos_own: bool
    # Whether the transaction is undone by somebody else in the end: then no commit in it makes a difference that lasts.
    is_undone: bool

    def pretend(self) -> None: ...

    def begin(self) -> None: ...

    def commit(self) -> None: ...

    def rollback(self, goes_on: bool) -> None: ...

    def finished(self, txn: Any) -> None: ...

    def failed(self) -> None: ...

    def forgotten(self) -> None: ...

    def lost(self, callbacks: list[Any]) -> None: ...

    def is_inside(self, savepoint: str | None) -> bool: ...

    def open_blocks(self) -> list[Any]: ...


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
