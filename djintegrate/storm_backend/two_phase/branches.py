"""One store's branch of a two-phase commit, in the words of its database: the driver's tpc calls, or XA.

Only what carries this project's format number is ever seen here. What is to become of a branch is decided elsewhere.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import time
from typing import Any, NamedTuple

from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper

from ..sql import verbs

FORMAT_ID = 25674
"""Marks our identifiers among those of other programs: the letters dJ."""

SECONDS_TO_DETACH = 5
XAER_NOTA = 1397
XA_RBROLLBACK = 1402


class Xid(NamedTuple):
    """The name of a branch: `transaction` is common to all branches, `branch` says whose this one is."""

    transaction: str
    branch: str

    def quoted(self) -> str:
        """As XA statements have it. Both parts are made of letters, digits and a few signs, here and in `conf.site`."""
        return f"'{self.transaction}','{self.branch}',{FORMAT_ID}"

    def for_driver(self, raw: Any) -> Any:
        """As the DB-API calls of a driver's connection take it."""
        return raw.xid(FORMAT_ID, self.transaction, self.branch)


def new_transaction(site: str) -> str:
    """A name for a transaction, that says where and when it began."""
    return f"{site}:{int(time.time()):x}:{secrets.token_hex(8)}"


def begun_at(transaction: str) -> int:
    """When the transaction began, in seconds since the epoch."""
    return int(transaction.split(":")[1], 16)


def is_of_site(transaction: str, site: str) -> bool:
    return re.fullmatch(re.escape(site) + r":[0-9a-f]{1,16}:[0-9a-f]{16}", transaction) is not None


def branch_of(store: str, wrapper: BaseDatabaseWrapper) -> str:
    """What the branches of a store are called. A test database on the same server has another name."""
    digest = hashlib.sha256(f"{store}\0{wrapper.settings_dict['NAME']}".encode()).hexdigest()[:10]
    return re.sub(r"[^A-Za-z0-9_.-]", "_", store)[:40] + ":" + digest


class Branch:
    """The branch that a connection works in, through the calls that DB-API has for it, as with PostgreSQL."""

    def __init__(self, wrapper: BaseDatabaseWrapper, xid: Xid) -> None:
        self.xid = xid
        # Asked, and not prepared: the connection was lost before the answer came.
        self.asked = self.prepared = False
        self.ended = False
        self._wrapper = wrapper
        # The branch belongs to this connection of the driver's, and is lost with it.
        self._raw: Any = wrapper.connection

    def begin(self) -> None:
        with self._wrapper.wrap_database_errors:
            self._raw.tpc_begin(self.xid.for_driver(self._raw))

    def is_unchanged(self) -> bool:
        """Whether the database is certain that nothing was written."""
        # PostgreSQL assigns a number with the first change, whoever makes it: a function that a SELECT calls, too.
        [(unchanged,)] = run(self._wrapper, "SELECT pg_current_xact_id_if_assigned() IS NULL", self._raw)
        return bool(unchanged)

    def cannot_have(self, statement: object) -> bool:
        """Whether the database refuses this kind of statement in a branch."""
        return False

    def prepare(self) -> None:
        """From here on the branch survives a crash, and holds its locks until it is ended."""
        self.asked = True
        with self._wrapper.wrap_database_errors:
            self._prepare()
        self.prepared = True

    def end(self, commit: bool) -> None:
        """Commit, in one phase unless it is prepared; or roll back."""
        with self._wrapper.wrap_database_errors:
            (self._commit if commit else self._rollback)()
        self.ended = True

    # Branches that somebody else left prepared, as another connection sees and ends them, in autocommit mode.

    @staticmethod
    def found(wrapper: BaseDatabaseWrapper) -> list[Xid]:
        wrapper.ensure_connection()
        with wrapper.wrap_database_errors:
            found = wrapper.connection.tpc_recover()
        here = wrapper.settings_dict["NAME"]
        # The server names those of all its databases.
        return [Xid(xid.gtrid, xid.bqual) for xid in found if xid.format_id == FORMAT_ID and xid.database == here]

    @staticmethod
    def end_found(wrapper: BaseDatabaseWrapper, xid: Xid, commit: bool) -> None:
        wrapper.ensure_connection()
        raw = wrapper.connection
        with wrapper.wrap_database_errors:
            (raw.tpc_commit if commit else raw.tpc_rollback)(xid.for_driver(raw))

    def _prepare(self) -> None:
        self._raw.tpc_prepare()

    def _commit(self) -> None:
        self._raw.tpc_commit()

    def _rollback(self) -> None:
        self._raw.tpc_rollback()


class MariaDBBranch(Branch):
    """Through XA statements. MariaDB has to be told of the branch before its first statement."""

    def begin(self) -> None:
        self._xa("XA START %s")

    def is_unchanged(self) -> bool:
        # MariaDB does not tell. To prepare a branch without changes is cheap there: nothing is written to its log.
        return False

    def cannot_have(self, statement: object) -> bool:
        return isinstance(statement, str) and verbs.ends_a_transaction(statement)

    @staticmethod
    def found(wrapper: BaseDatabaseWrapper) -> list[Xid]:
        found = []
        for format_id, length, _, data in run(wrapper, "XA RECOVER"):
            text = data.decode("ascii", "replace") if isinstance(data, bytes) else str(data)
            if format_id == FORMAT_ID:
                found.append(Xid(text[:length], text[length:]))
        return found

    @staticmethod
    def end_found(wrapper: BaseDatabaseWrapper, xid: Xid, commit: bool) -> None:
        statement = f"XA {'COMMIT' if commit else 'ROLLBACK'} {xid.quoted()}"
        deadline = time.monotonic() + SECONDS_TO_DETACH
        while True:
            try:
                run(wrapper, statement)
                return
            except Error as error:
                code = error.args[0] if error.args else None
                if code == XA_RBROLLBACK:
                    # The branch had changed nothing, and its connection is gone: MariaDB has nothing to commit.
                    return
                # A branch is unknown to others as long as the server has not noticed that its connection has ended.
                if code != XAER_NOTA or time.monotonic() > deadline or xid not in MariaDBBranch.found(wrapper):
                    raise
            time.sleep(0.05)

    def _prepare(self) -> None:
        self._xa("XA END %s")
        self._xa("XA PREPARE %s")

    def _commit(self) -> None:
        if not self.prepared:
            self._xa("XA END %s")
        self._xa("XA COMMIT %s" if self.prepared else "XA COMMIT %s ONE PHASE")

    def _rollback(self) -> None:
        if not self.prepared:
            # XA END came already; or a deadlock has rolled the branch back, and only XA ROLLBACK is missing.
            with contextlib.suppress(Error):
                self._xa("XA END %s")
        self._xa("XA ROLLBACK %s")

    def _xa(self, statement: str) -> None:
        run(self._wrapper, statement % self.xid.quoted(), self._raw)


KINDS: dict[str, type[Branch]] = {"postgresql": Branch, "mysql": MariaDBBranch}


def branch(wrapper: BaseDatabaseWrapper, xid: Xid) -> Branch:
    """A branch that is to begin on the connection of `wrapper`."""
    return KINDS[wrapper.vendor](wrapper, xid)


def all_prepared(wrapper: BaseDatabaseWrapper) -> list[Xid]:
    """The engine's branches that are prepared in the database of `wrapper`, of other sites and stores too."""
    return KINDS[wrapper.vendor].found(wrapper) if wrapper.vendor in KINDS else []


def end(wrapper: BaseDatabaseWrapper, xid: Xid, commit: bool) -> None:
    """Commit, or roll back, a prepared branch from another connection. One that has ended already is not an error."""
    try:
        KINDS[wrapper.vendor].end_found(wrapper, xid, commit)
    except Error:
        if xid in all_prepared(wrapper):
            raise


def run(wrapper: BaseDatabaseWrapper, sql: str, raw: Any = None) -> list[Any]:
    """Run a statement unseen by what counts and logs the site's own. `raw` is the connection that must run it."""
    if raw is None:
        wrapper.ensure_connection()
        raw = wrapper.connection
    with wrapper.wrap_database_errors, contextlib.closing(raw.cursor()) as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall()) if cursor.description else []
