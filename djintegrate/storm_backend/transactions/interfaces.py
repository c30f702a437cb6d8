"""What a data manager asks of those on the floors above it: the connection, its scope, its store, a common decision."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import Any, Protocol

from django.db.backends.base.base import BaseDatabaseWrapper

# What the package `transaction` calls the states of a transaction.
OPEN = ("Active", "Doomed")
COMMITTED = "Committed"
COMMIT_FAILED = "Commit failed"


class Connection(BaseDatabaseWrapper):
    """A Django connection that takes part in Zope's transaction. How it joins is in `connection.joining`."""

    # The Storm store on this connection, once somebody asked for it.
    store: Store | None = None
    # SQLAlchemy's sessions on this connection, once somebody asked for its engine.
    sessions: Any = None
    # What this connection is in Zope's transaction, if it is in one: a `manager.DataManager`.
    data_manager: Any = None
    # Whether transactions on this connection are branches of a two-phase commit.
    two_phase = False
    # Whether a data manager looks at each statement from the first one on, to know if anything was written.
    counts_writes = False
    # Whether the connection is given to others when a request has ended.
    goes_round = False
    # Whether a pooler lends the server's session for the length of a transaction.
    is_lent = False
    # Whether somebody called set_rollback(True). After an error Django asks for a rollback as well.
    rollback_requested = False

    @cached_property
    def store_name(self) -> str:
        return str(self.settings_dict["STORM_STORE"])

    def changes_session(self, sql: object = "") -> None:
        """What runs may change the session; told by those who set something that no statement shows."""

    @cached_property
    def key(self) -> str:
        """By what this thread knows the connection: its alias, unless others share that."""
        return str(self.alias)

    # `connections[alias]` may be a pair that stands for one of several connections: `replicas.pair`. What
    # both have is this.

    @property
    def itself(self) -> Connection:
        """The very connection."""
        return self

    def members(self) -> dict[str, Connection]:
        """The connections that are behind the alias, by their keys."""
        return {self.key: self}

    def note_write(self) -> None:
        """Something may be written just now."""

    def note_alteration(self) -> None:
        """Tables, functions or triggers may be changed just now."""

    def alterations_undone(self) -> None:
        """What was done since a savepoint may be gone."""

    def note_error(self, error: BaseException) -> None:
        """A statement, or the connection, has failed with this error of the driver's."""


class Scope:
    """What a database transaction is, and how it is begun and ended. `connection.scopes` has the three kinds."""

    connection: Any
    # The savepoint that the transaction is, where it is not the whole database transaction: that one is undone in the
    # end, by somebody else.
    root: str | None = None
    # The savepoints around the transaction. Rolling back one of them undoes it.
    around: Collection[str | None] = ()
    # How many of the open atomic() blocks are the engine's.
    blocks_of_engine = 0
    # Whether the transaction is Django's own. Then PostgreSQL may answer the commit of a failed one by rolling back
    # without a word, as natively.
    is_djangos_own = False

    @property
    def test(self) -> str | None:
        """The test of a TestCase that runs, by the name of its savepoint. An abort undoes nothing from before that."""
        return None

    def is_root(self, sid: str | None) -> bool:
        """Whether the end of this savepoint is the transaction's. None is what Django has where it takes none."""
        return sid is not None and sid == self.root

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


class Store(Protocol):
    """The Storm store on a connection, or SQLAlchemy's sessions."""

    @property
    def has_pending(self) -> bool: ...

    def flush(self) -> None: ...

    def committed(self) -> None: ...

    def forget_changes(self) -> None: ...

    def reset(self) -> None: ...

    # Whether it does something around each read as well, and not only flush before it.
    watches_reads: bool

    def watch(self, effect: Any, execute: Any, sql: Any, params: Any) -> Any: ...

    def flush_before_reading(self) -> None: ...

    def wrote_unseen(self) -> None: ...


class Decision(Protocol):
    """What the two-phase stores of a transaction agree on."""

    def vote_last(self, data_manager: Any) -> None: ...


class Request(Protocol):
    """A request that is open: the middleware ends its transaction."""

    def is_in(self, txn: Any) -> None:
        """The request is in this transaction, the first one or one that has followed."""

    def before_commit(self) -> None:
        """It is about to commit a transaction by itself. Raises if it must not."""

    def has_committed(self) -> None:
        """It has, and what was to wait for the commit comes now."""
