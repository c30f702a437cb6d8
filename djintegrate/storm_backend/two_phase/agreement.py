"""How the stores of one two-phase transaction come to one outcome.

The last of them to vote records the decision in its own database, as part of its own transaction: the commit of that
record is the decision. Nothing is recorded where only one store has changes. `indoubt` goes by the same rule.
"""

from __future__ import annotations

import enum
import logging
from typing import TYPE_CHECKING

import django.db
from storm.exceptions import IntegrityError as StormIntegrityError

from . import branches
from . import decision_log as decisions

if TYPE_CHECKING:
    from ..transactions.manager import DataManager
    from .manager import TwoPhase

# What a database answers that has not committed. After another error it is asked whether it has.
REFUSALS = (django.db.IntegrityError, StormIntegrityError)

logger = logging.getLogger("djintegrate.storm_backend")


class Outcome(enum.Enum):
    """What is to become of a store that is prepared."""

    OPEN = "It is to be rolled back"
    COMMITTED = "It is to be committed"
    UNKNOWN = "Whether it is to be committed cannot be told before all stores can be reached"


class Agreement:
    """The one outcome of the two-phase stores of one transaction."""

    def __init__(self, site: str) -> None:
        self.name = branches.new_transaction(site)
        self._outcome = Outcome.OPEN
        # In the order of their votes: if there are several, the last has the record.
        self._prepared: list[TwoPhase] = []
        self._recorders: list[DataManager] = []
        self._in_doubt = False

    def vote(self, part: TwoPhase, branch: branches.Branch) -> None:
        """A store votes that somebody may still vote after."""
        changed = part.has_changes()
        records = self._is_needed(changed) and not any(
            other.may_still_prepare() for other in part.parts if other != part
        )
        if not (changed or records):
            part.commit_now()
            return
        if records:
            self._record(part)
        try:
            branch.prepare()
        except django.db.Error as error:
            raise type(error)(
                f"The store {part.name!r} cannot prepare its part of a two-phase commit, so none of it is committed "
                f"anywhere: {error}"
            ) from error
        self._prepared.append(part)
        for other in part.parts:
            # Also those that commit in one phase, who vote after all of us.
            other.agreement = other.agreement or self

    def vote_last(self, part: DataManager) -> None:
        """A store votes that commits at once: if others are prepared, its commit is the decision."""
        changed = part.has_changes() if self._prepared else False
        if not (self._is_needed(changed) and (changed or part.two_phase)):
            part.commit_now()
            return
        self._record(part)
        try:
            part.commit_now()
        except BaseException as error:
            part.abort(part.txn)
            if isinstance(error, REFUSALS) or part.should_retry(error):
                raise
            if not self._has_committed(part):
                raise
            self._outcome = Outcome.COMMITTED
            if not isinstance(error, Exception):
                raise
            logger.warning(
                "The store %r lost its connection in the commit of %s, and has committed.", part.name, self.name
            )
        self._outcome = Outcome.COMMITTED

    def finish(self) -> None:
        """Everybody has voted for it: commit whoever is prepared."""
        if self._prepared and self._outcome is Outcome.OPEN:
            self._decide(self._prepared.pop())
            self._outcome = Outcome.COMMITTED
        while self._prepared:
            self._end(self._prepared.pop())
        self._forget()

    def abandon(self, part: TwoPhase) -> None:
        """A prepared store is told to abort, though it may be too late for that."""
        if part in self._prepared:
            self._prepared.remove(part)
        self._end(part)
        if not self._prepared:
            self._forget()

    def _is_needed(self, changed: bool) -> bool:
        return len(self._prepared) + changed > 1

    def _record(self, part: DataManager) -> None:
        decisions.record(part.wrapper, part.name, self.name)
        self._recorders.append(part)

    def _decide(self, part: TwoPhase) -> None:
        # If it fails, so does the transaction, and the others are told to abort.
        error = part.end_branch(commit=True)
        if error is not None:
            self._outcome = Outcome.UNKNOWN
            self._tell_of_doubt(part, error)
            raise error
        if part.ended_elsewhere and part in self._recorders and not self._has_committed(part):
            raise django.db.OperationalError(
                f"The transaction {self.name} was rolled back on the store {part.name!r} by somebody else while it was "
                "being committed."
            )

    def _end(self, part: TwoPhase) -> None:
        if self._outcome is Outcome.UNKNOWN:
            part.leave_branch()
            self._tell_of_doubt(part, None)
            return
        error = part.end_branch(commit=self._outcome is Outcome.COMMITTED)
        if error is not None:
            # The others go on: nothing here can change the outcome any more.
            self._tell_of_doubt(part, error)

    def _has_committed(self, part: DataManager) -> bool:
        """Whether the record is there, asked on another connection. If not, it never will be."""
        try:
            return decisions.on_own_connection(part.wrapper, lambda wrapper: decisions.settle(wrapper, self.name))
        except Exception as error:
            self._outcome = Outcome.UNKNOWN
            logger.critical(
                "The store %r lost its connection while it recorded the decision on the two-phase transaction %s, and "
                "cannot be asked for it (%s). What is prepared in other stores stays so.",
                part.name, self.name, error,
            )  # fmt: skip
            return False

    def _tell_of_doubt(self, part: TwoPhase, error: Exception | None) -> None:
        self._in_doubt = True
        logger.critical(
            "The two-phase transaction %s is in doubt: it stays prepared in the store %r, and its rows locked. %s.%s "
            "Run: manage.py storm_indoubt --all",
            self.name, part.name, self._outcome.value, f" The error was: {error}." if error else "",
        )  # fmt: skip

    def _forget(self) -> None:
        # A record has to outlive every branch that is prepared.
        if not self._in_doubt:
            for part in self._recorders:
                decisions.is_done(part.name, self.name)
        self._recorders = []
