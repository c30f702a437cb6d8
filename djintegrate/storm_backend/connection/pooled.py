"""The connection of a store behind a pooler in transaction mode: each transaction may have another session.

What a transaction changes of its session is undone before it ends, since the session goes to others then. What would
change one outside of a transaction is refused. Nothing here runs for a store without `POOLER`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from functools import lru_cache
from typing import Any

from django.db import Error, NotSupportedError
from django.db.backends.base.base import BaseDatabaseWrapper

from ..sql.effects import Effect
from ..transactions.manager import DataManager
from ..two_phase.branches import run
from ..two_phase.decision_log import another
from ..two_phase.manager import TwoPhaseDataManager
from .two_phase import TwoPhaseWrapper
from .wrapper import StormWrapper

FOLLOWED = ("client_encoding", "DateStyle", "TimeZone", "standard_conforming_strings", "application_name")
"""What a pooler keeps apart for each of its clients, because the server tells of each change."""

FREE = "CLOSE ALL; DEALLOCATE ALL; SELECT pg_advisory_unlock_all()"
"""What no rollback undoes."""
RESTORE = f"RESET SESSION AUTHORIZATION; RESET ALL; {FREE}"
SECONDS_TO_ANSWER = 2


class PooledDataManager(DataManager):
    """Notes what may change the session, and has it restored where the transaction ends."""

    connection: Any
    notes_all = True

    def note(self, sql: object) -> Effect:
        effect = super().note(sql)
        # What is not plainly a read may do, within the server, whatever there is.
        if (effect.everything and not effect.undoes) or may_change_session(sql):
            self.connection.changes_session(sql)
        return effect

    def note_unseen(self) -> None:
        super().note_unseen()
        self.connection.changes_session()

    def _vote(self) -> None:
        self.connection.restore_session()
        super()._vote()

    def _rollback(self, goes_on: bool) -> None:
        self.connection.free_session()
        super()._rollback(goes_on)


class PooledTwoPhaseDataManager(PooledDataManager, TwoPhaseDataManager):
    """The same, for a store that prepares."""


class PooledWrapper(StormWrapper):
    """Mixed in before the DatabaseWrapper of PostgreSQL's native backend."""

    is_lent = True
    data_manager_class = PooledDataManager
    # Whether the transaction may have changed its session, made tables that end with a session, and listened.
    _changed = _has_temporary_tables = _listens = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The statements by which this client of the pooler has what is its own again.
        self._own = ""

    def take_part(self) -> None:
        super().take_part()
        # A data manager is to see every statement.
        self.counts_writes = True

    def run(self, execute: Callable[[Any, Any], Any], sql: Any, params: Any) -> Any:
        outside = self.data_manager is None and self.autocommit and not self.in_atomic_block
        if outside and may_change_session(sql) and not _FOLLOWED.match(sql):
            raise NotSupportedError(
                f"{str(sql)[:60]!r} is for a session, and the store {self.store_name!r} has one only for the length of "
                "a transaction: POOLER is 'transaction'. Run it in a transaction, with SET LOCAL or "
                "pg_advisory_xact_lock(); a setting that is always to be so belongs in ALTER ROLE … SET."
            )
        return super().run(execute, sql, params)

    # ##### Django's hooks #####

    def get_connection_params(self) -> Any:
        params = super().get_connection_params()
        if "prepare_threshold" in params:
            # A prepared statement is in one session, and the next transaction may be in another.
            params["prepare_threshold"] = None
        return params

    def get_new_connection(self, conn_params: Any) -> Any:
        raw = super().get_new_connection(conn_params)
        if self._sets_isolation_itself():
            raw.isolation_level = None
        return raw

    def init_connection_state(self) -> None:
        super().init_connection_state()
        own = {name: str(self.connection.info.parameter_status(name) or "") for name in FOLLOWED}
        self._own = "".join("; SET {} TO '{}'".format(name, own[name].replace("'", "''")) for name in FOLLOWED)

    def _set_autocommit(self, autocommit: bool) -> None:
        sets_isolation = self._sets_isolation_itself()
        if autocommit and sets_isolation:
            self.connection.isolation_level = None
        super()._set_autocommit(autocommit)
        if not autocommit and sets_isolation:
            self.connection.isolation_level = self.isolation_level

    # ##### The session #####

    def changes_session(self, sql: object = None) -> None:
        """A statement may have done so, or something that was not seen, without one."""
        text = str(sql).lower()
        self._changed = True
        self._has_temporary_tables |= sql is None or "temp" in text
        # PostgreSQL does not prepare a transaction that has listened, or ceased to.
        self._listens |= not self.two_phase or "listen" in text

    def restore_session(self) -> None:
        """Before a commit, or before preparing: the session as it was."""
        if not self._changed:
            return
        further = "; DISCARD TEMP" * self._has_temporary_tables + "; UNLISTEN *" * self._listens
        self._changed = self._has_temporary_tables = self._listens = False
        # RESET ALL has forgotten what is this client's own as well.
        run(self, RESTORE + self._own + further, self.connection)

    def free_session(self) -> None:
        """Roll back, and give up what a rollback leaves. In one text, which one session runs to its end."""
        if self._changed and self.connection is not None:
            # If it fails, the session is dead.
            with contextlib.suppress(Error):
                run(self, f"ROLLBACK; {FREE}", self.connection)
        self._changed = self._has_temporary_tables = self._listens = False

    def _sets_isolation_itself(self) -> bool:
        # psycopg2 sets a default of the session's where autocommit is turned off and on; as long as it is off, it says
        # the level with BEGIN, as psycopg does in any case.
        return self.Database.__name__ == "psycopg2" and "isolation_level" in self.settings_dict["OPTIONS"]


class PooledTwoPhaseWrapper(PooledWrapper, TwoPhaseWrapper):
    """The same, for a store that is TWO_PHASE."""

    data_manager_class = PooledTwoPhaseDataManager


@lru_cache(maxsize=1024)
def may_change_session(sql: object) -> bool:
    """Whether it is plain from its text that a statement does something that would outlive its transaction."""
    return isinstance(sql, str) and _OF_SESSION.search(sql) is not None


def shares_sessions(connection: BaseDatabaseWrapper) -> bool:
    """Whether something stands before PostgreSQL that lends one session to several connections by turns.

    This connection and another are asked for theirs at once. What is true is certain; what is false may be chance.
    """
    connection.ensure_connection()
    before = _session(connection)
    # A pooler tells its clients numbers of its own. In a transaction, each has one session.
    if before == connection.connection.info.backend_pid or not connection.get_autocommit():
        return False
    with ThreadPoolExecutor(1) as thread:
        try:
            during = thread.submit(_session_of_transaction, connection).result(SECONDS_TO_ANSWER)
        except TooLate:
            # A pooler with a session for each connection may have no other before this one is closed.
            connection.close()
            return False
    return before == during or _session(connection) != before


def _session_of_transaction(connection: BaseDatabaseWrapper) -> int:
    with contextlib.closing(another(connection)) as other:
        other.set_autocommit(False)
        return _session(other)


def _session(connection: BaseDatabaseWrapper) -> int:
    return int(run(connection, "SELECT pg_backend_pid()")[0][0])


_OF_SESSION = re.compile(
    r"""
    ^\s*(?:
        SET\s+(?!LOCAL\b|TRANSACTION\b|CONSTRAINTS\b)
        | RESET\b | LISTEN\b | LOAD\b | DISCARD\b | PREPARE\s+(?!TRANSACTION\b)
        | CREATE\s+(?:(?:GLOBAL|LOCAL)\s+)?TEMP(?:ORARY)?\b | CREATE\b[^(]*\bpg_temp\b | DECLARE\b.*\bWITH\s+HOLD\b
    )
    | \bset_config\s*\((?![^()]*,\s*true\s*\))
    | \bpg_(?:try_)?advisory_lock(?:_shared)?\s*\(
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_FOLLOWED = re.compile(rf"\s*SET\s+(?:SESSION\s+)?(?:{'|'.join(FOLLOWED)}|TIME\s+ZONE|NAMES)\b", re.IGNORECASE)
