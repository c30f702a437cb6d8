"""The data manager: the steps of a commit, and of an abort, of one store in one phase.

One per store and transaction. What the steps do to a Django connection is in `parts`;
here is what they do to a store of Storm's own.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import transaction
from django.db.transaction import TransactionManagementError
from transaction.interfaces import IRetryDataManager, ISavepointDataManager
from zope.interface import implementer

from ..sql import errors as retry
from . import thread as coordinator

if TYPE_CHECKING:
    from ..connection.wrapper import StormEngine
    from ..stores import PlainStore
    from ..two_phase.agreement import Agreement

logger = logging.getLogger("djintegrate.storm_backend")

# The same number in psycopg2 and in psycopg.
POSTGRES_IN_ERROR = 3
READS = ("SELECT", "WITH", "SHOW", "SET", "PRAGMA", "EXPLAIN", "SAVEPOINT", "RELEASE", "ROLLBACK")


@implementer(ISavepointDataManager, IRetryDataManager)
class DataManager:
    """One-phase commit of one store: the order of steps, whatever the connection is."""

    transaction_manager = transaction.manager
    joined = False
    # No statement yet: there is no database transaction to end.
    waiting = False
    wrote = False
    ended = False
    two_phase = False
    # Why it has refused to commit, when Zope's transaction was made only after that.
    refusal: BaseException | None = None
    # With the two-phase stores of the transaction, once one of them is prepared.
    agreement: Agreement | None = None

    def __init__(self, txn: Any) -> None:
        self.txn = txn
        # All of this kind in the transaction, from when this has joined.
        self.parts: list[DataManager] = []

    @property
    def name(self) -> str:
        """The store's name."""
        raise NotImplementedError

    @property
    def vendor(self) -> str:
        """What Django calls the store's database."""
        raise NotImplementedError

    @property
    def wrapper(self) -> Any:
        """The Django connection, be it shared or a plain store's own."""
        raise NotImplementedError

    def join(self) -> None:
        """Take part in the transaction."""
        if not self.joined:
            self.txn.join(self)
            self.joined = True
            self.parts = coordinator.current().parts(self.txn)
            self.parts.append(self)

    def sortKey(self) -> str:
        # "~" sorts last. A one-phase commit cannot be taken back, so everybody who can
        # still refuse must have voted before this one commits.
        return f"~djintegrate.storm_backend:{self.name}:{id(self)}"

    def tpc_begin(self, txn: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        # Flushing before anybody commits lets a failing flush abort everybody.
        if not (self.ended or self.waiting):
            self._check()
            self._flush()

    def commit(self, txn: Any) -> None:
        # The commit itself comes last, in `tpc_vote`. By now everybody has flushed.
        if len(self.parts) > 1:
            self._warn_of_several()

    def tpc_vote(self, txn: Any) -> None:
        if self.ended or self.waiting:
            return
        # Another data manager's commit() may have changed Storm's objects.
        self._flush()
        self._check()
        if self.agreement is None:
            self.commit_now()
        else:
            self.agreement.vote_last(self)

    def tpc_finish(self, txn: Any) -> None:
        """Nothing: what there was to commit was committed in `tpc_vote`."""

    def tpc_abort(self, txn: Any) -> None:
        self.abort(txn)

    def abort(self, txn: Any) -> None:
        # Called again by Zope after hooks and after a commit, which it cannot undo.
        if not (self.ended or self.waiting):
            self.ended = True
            self._rollback()

    def should_retry(self, error: BaseException) -> bool:
        return retry.is_retryable(self.vendor, error)

    def savepoint(self) -> Any:
        """A savepoint of this store alone, as transaction.savepoint() asks for."""
        raise NotImplementedError

    def note_write(self, statement: str) -> None:
        """Remember whether anything but reading was done."""
        self.wrote = self.wrote or not statement.lstrip("( \n\t").upper().startswith(READS)

    def commit_now(self) -> None:
        """Commit for good."""
        self._commit()
        self.ended = True

    def has_changes(self) -> bool:
        """Whether its commit makes a difference that lasts."""
        return self.wrote

    def may_still_prepare(self) -> bool:
        """Whether its vote may be a prepared transaction."""
        return False

    def _warn_of_several(self) -> None:
        # A failure between two commits in one phase would leave one without the other.
        writers = [part for part in self.parts if part.wrote and not (part.ended or part.two_phase)]
        if len(writers) > 1 and self is writers[0]:
            logger.warning(
                "One transaction writes to several stores that commit in one phase: %s. If the commit of one fails "
                "after that of another, they differ.",
                ", ".join(sorted(repr(writer.name) for writer in writers)),
            )

    def _check(self) -> None:
        """Raise if this transaction must not be committed."""

    def _flush(self) -> None:
        raise NotImplementedError

    def _commit(self) -> None:
        raise NotImplementedError

    def _rollback(self) -> None:
        raise NotImplementedError


class PlainStorePart(DataManager):
    """A store that no alias names: Storm's own connection, in Storm's own transaction."""

    def __init__(self, store: PlainStore, txn: Any) -> None:
        super().__init__(txn)
        self.store = store
        self._savepoints = 0

    @property
    def name(self) -> str:
        return self.store.name

    @property
    def vendor(self) -> str:
        return self.store.vendor

    @property
    def wrapper(self) -> StormEngine:
        return self.store.wrapper

    def savepoint(self) -> PlainStoreSavepoint:
        self._savepoints += 1
        return PlainStoreSavepoint(self.store, f"djintegrate_{self._savepoints}")

    def _check(self) -> None:
        refuse_failed(self.name, self.store.raw_connection)

    def _flush(self) -> None:
        self.store.flush()

    def _commit(self) -> None:
        self.store.commit_connection()
        self.store.part = None

    def _rollback(self) -> None:
        self.store.part = None
        self.store.rollback_connection()


class PlainStoreSavepoint:
    """transaction.savepoint() on a plain store."""

    def __init__(self, store: PlainStore, name: str) -> None:
        self._store = store
        self._name = name
        store.execute(f"SAVEPOINT {name}", noresult=True)

    def rollback(self) -> None:
        self._store.forget_changes()
        self._store.execute(f"ROLLBACK TO SAVEPOINT {self._name}", noresult=True)


def refuse_failed(name: str, raw_connection: Any) -> None:
    """Raise if PostgreSQL has given the transaction up: it would answer a COMMIT by rolling back."""
    info = getattr(raw_connection, "info", None)
    if getattr(info, "transaction_status", None) == POSTGRES_IN_ERROR:
        raise TransactionManagementError(
            f"The transaction on the store {name!r} cannot be committed: PostgreSQL gave it up at an error that was "
            "caught. Abort it; or take a transaction.savepoint() before, or an atomic() block around, what may fail."
        )
