"""The global transaction: how the two-phase stores of one transaction of Zope's come to one outcome.

The last of them to vote records the decision in its own database, as part of its own transaction: the commit of that
record is the decision. Nothing is recorded where only one store has changes. `recovery` goes by the same rule.
"""

from __future__ import annotations

import contextlib
import enum
import logging
from typing import Any

import django.db
from storm.exceptions import IntegrityError as StormIntegrityError

from ..transactions.manager import DataManager
from . import branches, decision_log

# By these a database says that it has not committed. After any other error it is asked whether it has.
REFUSALS = (django.db.IntegrityError, StormIntegrityError)
Preparer = Any  # manager.TwoPhaseDataManager, a data manager that can prepare

logger = logging.getLogger("djintegrate.storm_backend")


class Outcome(enum.Enum):
    """What is to become of a store that is prepared."""

    OPEN = "It is to be rolled back"
    COMMITTED = "It is to be committed"
    UNKNOWN = "Whether it is to be committed cannot be told before all stores can be reached"


class GlobalTransaction:
    """The one outcome of all branches, and of the store in one phase that may vote after them."""

    def __init__(self, site: str) -> None:
        self.name = branches.new_transaction(site)
        self._outcome = Outcome.OPEN
        # In the order of their votes: if there are several, the last has the record.
        self._prepared: list[Preparer] = []
        self._recorders: list[DataManager] = []
        self._in_doubt = False

    def vote(self, voter: Preparer, branch: branches.Branch) -> None:
        """The vote of a store after which somebody may still vote."""
        changed = voter.has_changes()
        is_last = not any(other.may_still_prepare() for other in voter.all if other is not voter)
        records = is_last and self._is_needed(changed)
        if not (changed or records):
            voter.commit_now()
            return
        if records:
            self._record(voter)
        try:
            branch.prepare()
        except django.db.Error as error:
            raise type(error)(
                f"The store {voter.name!r} cannot prepare its part of a two-phase commit, so none of it is committed "
                f"anywhere: {error}"
            ) from error
        self._prepared.append(voter)
        for other in voter.all:
            # The stores that commit in one phase vote after all that prepare, and ask this transaction as well.
            other.decision = other.decision or self

    def vote_last(self, voter: DataManager) -> None:
        """The vote of a store that commits at once: if others are prepared, its commit is the decision."""
        changed = voter.has_changes() if self._prepared else False
        if not (self._is_needed(changed) and (changed or voter.two_phase)):
            voter.commit_now()
            return
        self._record(voter)
        try:
            voter.commit_now()
        except BaseException as error:
            voter.abort(voter.txn)
            if isinstance(error, REFUSALS) or voter.should_retry(error) or not self._has_committed(voter):
                raise
            self._outcome = Outcome.COMMITTED
            if not isinstance(error, Exception):
                raise
            logger.warning(
                "The store %r lost its connection in the commit of %s, and has committed.", voter.name, self.name
            )
        self._outcome = Outcome.COMMITTED

    def finish(self) -> None:
        """Everybody has voted for the commit: commit the stores that are prepared."""
        if self._prepared and self._outcome is Outcome.OPEN:
            self._decide(self._prepared.pop())
            self._outcome = Outcome.COMMITTED
        while self._prepared:
            self._end(self._prepared.pop())
        self._forget()

    def abandon(self, voter: Preparer) -> None:
        """A prepared store is told to abort, though it may be too late for that."""
        if voter in self._prepared:
            self._prepared.remove(voter)
        self._end(voter)
        if not self._prepared:
            self._forget()

    def _is_needed(self, changed: bool) -> bool:
        return len(self._prepared) + changed > 1

    def _record(self, voter: DataManager) -> None:
        wrapper: Any = voter.connection
        decision_log.record(wrapper, voter.name, self.name)
        self._recorders.append(voter)

    def _decide(self, voter: Preparer) -> None:
        # If this commit fails, so does the transaction, and the other stores are told to abort.
        error = voter.end_branch(commit=True)
        if error is not None:
            self._outcome = Outcome.UNKNOWN
            self._tell_of_doubt(voter, error)
            raise error
        if voter.ended_elsewhere and voter in self._recorders and not self._has_committed(voter):
            raise django.db.OperationalError(
                f"The transaction {self.name} was rolled back on the store {voter.name!r} by somebody else while it "
                "was being committed."
            )

    def _end(self, voter: Preparer) -> None:
        if self._outcome is Outcome.UNKNOWN:
            voter.leave_branch()
            self._tell_of_doubt(voter, None)
            return
        error = voter.end_branch(commit=self._outcome is Outcome.COMMITTED)
        if error is not None:
            # The other stores go on: no error of this one can change the outcome any more.
            self._tell_of_doubt(voter, error)

    def _has_committed(self, voter: DataManager) -> bool:
        """Whether the record is there, asked on another connection. If not, it never will be."""
        wrapper: Any = voter.connection
        try:
            with contextlib.closing(decision_log.another(wrapper)) as other:
                return decision_log.settle(other, self.name)
        except Exception as error:
            self._outcome = Outcome.UNKNOWN
            logger.critical(
                "The store %r lost its connection while it recorded the decision on the two-phase transaction %s, and "
                "cannot be asked for it (%s). What is prepared in other stores stays so.",
                voter.name, self.name, error,
            )  # fmt: skip
            return False

    def _tell_of_doubt(self, voter: Preparer, error: Exception | None) -> None:
        self._in_doubt = True
        logger.critical(
            "The two-phase transaction %s is in doubt: it stays prepared in the store %r, and its rows locked. %s.%s "
            "Run: manage.py storm_indoubt --all",
            self.name, voter.name, self._outcome.value, f" The error was: {error}." if error else "",
        )  # fmt: skip

    def _forget(self) -> None:
        # A record has to outlive every branch that is prepared.
        if not self._in_doubt:
            for voter in self._recorders:
                decision_log.is_done(voter.name, self.name)
        self._recorders = []
