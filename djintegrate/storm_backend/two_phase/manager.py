"""What a TWO_PHASE store is in a transaction: it prepares in `tpc_vote` and commits in `tpc_finish`.

If nobody votes after it, it commits in `tpc_vote`: then there is nothing that could still go wrong. How several stores
come to one outcome is in `agreement`; what their databases are told, in `branches`.
"""

from __future__ import annotations

import contextlib
import logging
from functools import cached_property
from typing import Any

import django.db
from storm.exceptions import Error as StormError

from .. import conf
from ..connection.atomic_state import show_no_block
from ..connection.django_block import DjangoBlock
from ..connection.first_statement import is_check_due
from ..connection.wrapper import StormEngine
from ..connection.zope_block import ZopeBlock
from ..transactions.manager import DataManager, PlainStorePart
from ..transactions.parts import ConnectionPart
from . import branches
from . import decision_log as decisions
from .agreement import Agreement

logger = logging.getLogger("djintegrate.storm_backend")


class TwoPhase(DataManager):
    """Mixed in before the part of a store that can prepare."""

    two_phase = True
    branch: branches.Branch | None = None
    # Its own connection was lost.
    ended_elsewhere = False
    _key: str | None = None

    def begin_branch(self) -> None:
        """Call where the database transaction has begun, before its first statement."""
        wrapper = self.wrapper
        if not wrapper.two_phase:
            self.two_phase = False
            return
        agreements = [part.agreement for part in self.parts if part.agreement is not None]
        self.agreement = agreements[0] if agreements else Agreement(wrapper.site)
        branch = branches.branch(wrapper, branches.Xid(self.agreement.name, wrapper.branch_name))
        try:
            branch.begin()
        except django.db.Error as error:
            # The connection is dead, as the statement that follows will find; or something ran on it before it joined.
            self.two_phase = False
            logger.info("The store %r takes part in one phase: %s", self.name, error)
        else:
            self.branch, self.two_phase = branch, True

    def sortKey(self) -> str:
        if not self.two_phase:
            return super().sortKey()
        # "}" is the last before "~": after everybody who can take back, before everybody who cannot. Who has written
        # comes last, since the last one can often do without preparing.
        if self._key is None:
            self._key = (
                f"}}djintegrate.storm_backend:{int(self.wrote or self._has_pending())}:{self.vendor}:{self.name}"
            )
        return self._key

    def tpc_vote(self, txn: Any) -> None:
        if self.ended or self.waiting:
            return
        if self.branch is None or self.agreement is None or self._votes_last():
            super().tpc_vote(txn)
            return
        self._flush()
        self._check()
        self.agreement.vote(self, self.branch)

    def tpc_finish(self, txn: Any) -> None:
        if self.agreement is not None:
            self.agreement.finish()
        super().tpc_finish(txn)

    def abort(self, txn: Any) -> None:
        if self.agreement is not None and self.branch is not None and self.branch.asked and not self.branch.ended:
            self.agreement.abandon(self)
        else:
            super().abort(txn)

    def note_write(self, statement: str) -> None:
        if self.branch is not None and not self.wrote and self.branch.cannot_have(statement):
            # As natively, where it would commit what there is. If that were anything, the database refuses.
            self.branch.end(commit=True)
            self.branch, self.two_phase = None, False
        super().note_write(statement)

    def has_changes(self) -> bool:
        return self.wrote or (self.branch is not None and not self.branch.is_unchanged())

    def may_still_prepare(self) -> bool:
        return self.branch is not None and not (self.ended or self.branch.asked)

    def end_branch(self, commit: bool) -> Exception | None:
        """End what is prepared, on another connection if this one is lost; the error if that cannot be done."""
        self.ended = True
        branch = self.branch
        if branch is None or branch.ended:
            return None
        try:
            branch.end(commit)
        except Exception:
            return self._end_elsewhere(branch.xid, commit)
        try:
            (self._commit if commit else self._rollback)()
        except Exception:
            # The connection died after what counts.
            logger.exception("The connection of the store %r is given up.", self.name)
            self.leave_branch(committed=commit)
        return None

    def leave_branch(self, committed: bool = False) -> None:
        """Let go of the connection, and leave what is prepared as it is."""
        self.ended = True
        if self.branch is not None:
            self.branch.ended = True
        self._lose_connection(committed)

    def _end_elsewhere(self, xid: branches.Xid, commit: bool) -> Exception | None:
        self.ended_elsewhere = True
        self.leave_branch(committed=commit)
        try:
            decisions.on_own_connection(self.wrapper, lambda wrapper: branches.end(wrapper, xid, commit))
        except Exception as error:
            return error
        return None

    def _votes_last(self) -> bool:
        key = self._key
        if key is None:
            # Django ends this store's transaction alone.
            return True
        return not any(
            other.sortKey() > key
            for other in self.txn._resources
            if other is not self and not (isinstance(other, DataManager) and other.ended)
        )

    def _commit(self) -> None:
        if self.branch is not None and not self.branch.ended:
            self.branch.end(commit=True)
        super()._commit()

    def _rollback(self) -> None:
        if self.branch is not None and not self.branch.ended:
            # If it fails, the connection is dead, or is closed by what follows; then the server rolls back.
            with contextlib.suppress(Exception):
                self.branch.end(commit=False)
        super()._rollback()

    def _has_pending(self) -> bool:
        """Whether Storm has changes that it did not flush yet."""
        raise NotImplementedError

    def _lose_connection(self, committed: bool) -> None:
        raise NotImplementedError


class TwoPhaseConnection(TwoPhase, ConnectionPart):
    """A Django connection, with its Storm store, that can prepare."""

    def _has_pending(self) -> bool:
        return self.store is not None and self.store.has_pending

    def _lose_connection(self, committed: bool) -> None:
        connection = self.connection
        callbacks = connection.run_on_commit
        self.busy = True
        if connection.is_pooled():
            # The pool would lend it to others as it is.
            connection.connection.close()
        with contextlib.suppress(django.db.Error):
            connection.close()
        with contextlib.suppress(django.db.Error):
            self._rollback()
        if committed:
            self._keep(callbacks)

    def _keep(self, callbacks: list[Any]) -> None:
        """What was given to on_commit() is to run all the same."""
        raise NotImplementedError


class TwoPhaseZopeBlock(TwoPhaseConnection, ZopeBlock):
    """Zope's transaction is an atomic() block, and a branch."""

    def _enter(self) -> None:
        connection = self.connection
        is_due = is_check_due(connection)
        super()._enter()
        self.begin_branch()
        if is_due and connection.two_phase and self.branch is None and not connection.is_usable():
            # It had died. Nothing was done on it, and here is where the server is first spoken to.
            connection.close()
            show_no_block(connection)
            super()._enter()
            self.begin_branch()

    def _keep(self, callbacks: list[Any]) -> None:
        self._callbacks = self._callbacks or callbacks


class TwoPhaseDjangoBlock(TwoPhaseConnection, DjangoBlock):
    """A user's atomic() block, or manual mode, is the database transaction, and a branch."""

    def _start(self) -> None:
        super()._start()
        self.begin_branch()

    def _keep(self, callbacks: list[Any]) -> None:
        self.connection.run_on_commit = callbacks
        self.connection.run_commit_hooks_on_set_autocommit_on = True


class TwoPhasePlainPart(TwoPhase, PlainStorePart):
    """A store that no alias names, and that can prepare."""

    def _has_pending(self) -> bool:
        return self.store.has_pending

    def _lose_connection(self, committed: bool) -> None:
        self.store.lose_connection()
        with contextlib.suppress(StormError, django.db.Error):
            self._rollback()


class TwoPhaseEngine(StormEngine):
    """The engine of a store that is TWO_PHASE."""

    two_phase = True
    zope_block = TwoPhaseZopeBlock
    django_block = TwoPhaseDjangoBlock

    def take_part(self) -> None:
        super().take_part()
        # Statements are looked at even where this store is the only one.
        self.has_sister_stores = True

    def _is_alone(self, depth: int) -> bool:
        # A branch has to begin before the first statement.
        return False

    def init_connection_state(self) -> None:
        # Django ends with a commit what it does here, so nothing may begin before it is done.
        part = self.part
        busy = part is not None and part.busy
        if part is not None:
            part.busy = True
        try:
            super().init_connection_state()
        finally:
            if part is not None:
                part.busy = busy

    @cached_property
    def site(self) -> str:
        return conf.site()

    @property
    def branch_name(self) -> str:
        return branches.branch_of(self.store_name, self)
