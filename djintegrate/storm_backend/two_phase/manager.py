"""The data manager of a TWO_PHASE store: it prepares in `tpc_vote` and commits in `tpc_finish`.

If nobody votes after it, it commits in `tpc_vote`: then there is nothing that could still go wrong. How several stores
come to one outcome is in `global_transaction`; what their databases are told, in `branches`.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from typing import Any

import django.db

from ..sql.effects import Effect
from ..transactions.manager import DataManager, State
from . import branches, decision_log
from .global_transaction import GlobalTransaction

logger = logging.getLogger("djintegrate.storm_backend")


class TwoPhaseDataManager(DataManager):
    """The variant that can prepare: its database transaction is a branch of a global one."""

    connection: Any
    notes_all = True
    branch: branches.Branch | None = None
    # Whether the connection was lost, so that what was prepared on it was ended on another.
    ended_elsewhere = False
    decision: GlobalTransaction | None
    _key: str | None = None

    def sortKey(self) -> str:
        if not self.two_phase:
            return super().sortKey()
        # "}" is the last before "~": after everybody who can take back, before everybody who cannot. Who has written
        # comes last, since the last one can often do without preparing.
        if self._key is None:
            writes = int(self.wrote or self.has_pending)
            self._key = f"}}djintegrate.storm_backend:{writes}:{self.connection.vendor}:{self.name}"
        return self._key

    def tpc_finish(self, txn: Any) -> None:
        if self.decision is not None:
            self.decision.finish()
        super().tpc_finish(txn)

    def abort(self, txn: Any) -> None:
        if self.decision is not None and self.branch is not None and self.branch.asked and not self.branch.ended:
            self.decision.abandon(self)
        else:
            super().abort(txn)

    def note(self, sql: object) -> Effect:
        if self.branch is not None and not self.wrote and self.branch.cannot_have(sql):
            # MariaDB commits what is open before such a statement. The branch has no changes, or the database refuses.
            self.branch.end(commit=True)
            self.branch, self.two_phase = None, False
        return super().note(sql)

    def has_changes(self) -> bool:
        return self.wrote or (self.branch is not None and not self.branch.is_unchanged())

    def may_still_prepare(self) -> bool:
        return self.branch is not None and self.state is State.OPEN and not self.branch.asked

    def end_branch(self, commit: bool) -> Exception | None:
        """End what is prepared, on another connection if its own is lost; the error if that cannot be done."""
        branch = self.branch
        if branch is None or branch.ended:
            return None
        callbacks = list(self.connection.run_on_commit) if commit else []
        try:
            branch.end(commit)
        except Exception:
            self.ended_elsewhere = True
            self.leave_branch(callbacks)
            try:
                with contextlib.closing(decision_log.another(self.connection)) as other:
                    branches.end(other, branch.xid, commit)
            except Exception as error:
                return error
            return None
        try:
            self._finish(commit)
        except Exception:
            # The branch has ended, which is what counts; the connection died after that.
            logger.exception("The connection of the store %r is given up.", self.name)
            self.leave_branch(callbacks)
        return None

    def _begin(self) -> None:
        super()._begin()
        if self.connection.two_phase:
            self._begin_branch()

    def _begin_branch(self) -> None:
        connection = self.connection
        known = [each.decision for each in self.all if isinstance(each.decision, GlobalTransaction)]
        self.decision = known[0] if known else GlobalTransaction(connection.site)
        name = branches.branch_of(connection.store_name, connection)
        branch = branches.branch(connection, branches.Xid(self.decision.name, name))
        try:
            branch.begin()
        except django.db.Error as error:
            # The connection is dead, as the statement that follows will find; or something ran on it before this.
            self.two_phase = False
            logger.info("The store %r takes part in one phase: %s", self.name, error)
        else:
            self.branch, self.two_phase = branch, True

    def _vote(self) -> None:
        if self.branch is None or self.decision is None or self._votes_last():
            super()._vote()
        else:
            self.decision.vote(self, self.branch)

    def _votes_last(self) -> bool:
        key = self._key
        if key is None:
            # Django ends this store's transaction alone.
            return True
        return not any(
            other.sortKey() > key
            for other in self.txn._resources
            if other is not self and not (isinstance(other, DataManager) and other.state is State.ENDED)
        )

    def _commit(self) -> None:
        if self.branch is not None and not self.branch.ended:
            self.branch.end(commit=True)
        super()._commit()

    def _rollback(self, goes_on: bool) -> None:
        if self.branch is not None and not self.branch.ended:
            # If this fails, the connection is dead, or is closed by what follows; then the server rolls back.
            with contextlib.suppress(Exception):
                self.branch.end(commit=False)
        super()._rollback(goes_on)

    def leave_branch(self, callbacks: Sequence[Any] = ()) -> None:
        """Let go of a connection that is lost, or has a prepared branch on it. The callbacks run all the same."""
        connection = self.connection
        self.state = State.ENDED
        if self.branch is not None:
            self.branch.ended = True
        if connection.is_pooled() and connection.connection is not None:
            # The pool would lend it to others as it is.
            connection.connection.close()
        with contextlib.suppress(django.db.Error):
            connection.close()
        with contextlib.suppress(django.db.Error):
            self._finish(commit=False)
        if callbacks:
            self.scope.lost(list(callbacks))
