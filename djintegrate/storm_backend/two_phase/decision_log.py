"""The decision log: the table in which a store records that a two-phase transaction was committed.

The record is a row of the transaction itself, so that it is there exactly when the store has committed.
"""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import Error, IntegrityError
from django.db.backends.base.base import BaseDatabaseWrapper

from ..sql import catalogue
from .branches import run

TABLE = "storm_backend_decision"
COLUMNS = "(xid VARCHAR(100) NOT NULL PRIMARY KEY, committed SMALLINT NOT NULL)"
OPTIONS = {"mysql": " ENGINE=InnoDB CHARACTER SET ascii COLLATE ascii_bin"}
# In milliseconds, or in seconds. A pooler may lend the session to others, so the setting ends with the statement:
# PostgreSQL has a transaction around statements that come in one text.
WAITING = {
    "postgresql": "SET LOCAL lock_timeout = {0}; {2}",
    "mysql": "SET STATEMENT innodb_lock_wait_timeout = {1} FOR {2}",
    "sqlite": "{2}",
}

FORGOTTEN_TOGETHER = 20
"""So many records that are no longer needed come together before they are deleted."""


def record(wrapper: BaseDatabaseWrapper, store: str, transaction: str) -> None:
    """Write, in the open transaction of `wrapper`, that its commit is that of `transaction`."""
    _make_table_once(wrapper)
    run(wrapper, _insert(transaction, committed=True))
    if len(_done[store]) >= FORGOTTEN_TOGETHER:
        # If this transaction is rolled back, the records stay until storm_indoubt finds them.
        forget(wrapper, _done.pop(store, ()))


def is_done(store: str, transaction: str) -> None:
    """Every branch has ended: the record is no longer needed, and is deleted when one of the next is written."""
    _done[store].append(transaction)


def outcomes(wrapper: BaseDatabaseWrapper) -> dict[str, bool]:
    """What is recorded: whether a transaction was committed, or refused by `settle`."""
    if not _has_table(wrapper):
        return {}
    return {str(xid): bool(committed) for xid, committed in run(wrapper, f"SELECT xid, committed FROM {TABLE}")}


def settle(wrapper: BaseDatabaseWrapper, transaction: str, wait: bool = True) -> bool:
    """Whether `transaction` has committed here, asked on a connection of its own. If not, it never will.

    That it was refused is recorded under the same key: if its process should still be alive, its own record fails, and
    its commit with it. If it is just committing, this waits for the result, and in the end raises the error of a lock.
    """
    _make_table(wrapper)
    milliseconds, seconds = (5000, 5) if wait else (100, 0)
    if wrapper.vendor == "sqlite":
        # This need not end with the statement: no pooler lends the connection of a file.
        run(wrapper, f"PRAGMA busy_timeout = {milliseconds}")
    try:
        run(wrapper, WAITING[wrapper.vendor].format(milliseconds, seconds, _insert(transaction, committed=False)))
    except IntegrityError:
        return bool(run(wrapper, f"SELECT committed FROM {TABLE} WHERE xid = '{transaction}'")[0][0])
    return False


def forget(wrapper: BaseDatabaseWrapper, transactions: Iterable[str]) -> None:
    """Delete records. No branch of these transactions may still be prepared anywhere."""
    names = ", ".join(f"'{transaction}'" for transaction in transactions)
    if names:
        run(wrapper, f"DELETE FROM {TABLE} WHERE xid IN ({names})")


def create_statement(vendor: str) -> str:
    return f"CREATE TABLE {TABLE} {COLUMNS}{OPTIONS.get(vendor, '')}"


def another(wrapper: BaseDatabaseWrapper) -> Any:
    """A connection like this one, outside of transactions and of any pool."""
    other = wrapper.copy()
    other.settings_dict["OPTIONS"].pop("pool", None)
    return other


def _insert(transaction: str, committed: bool) -> str:
    return f"INSERT INTO {TABLE} (xid, committed) VALUES ('{transaction}', {int(committed)})"


def _make_table_once(wrapper: BaseDatabaseWrapper) -> None:
    if wrapper.vendor == "sqlite":
        # Another connection would wait for the lock of this one. SQLite makes tables in a transaction.
        run(wrapper, f"CREATE TABLE IF NOT EXISTS {TABLE} {COLUMNS}")
        return
    place = catalogue.place(wrapper)
    with _making:
        if place not in _made:
            # MariaDB makes no table in a two-phase transaction.
            with contextlib.closing(another(wrapper)) as other:
                _make_table(other)
            _made.add(place)


def _make_table(wrapper: BaseDatabaseWrapper) -> None:
    if _has_table(wrapper):
        return
    try:
        run(wrapper, create_statement(wrapper.vendor))
    except Error as error:
        # Another process may have been faster.
        if not _has_table(wrapper):
            raise type(error)(
                f"The database {wrapper.settings_dict['NAME']!r} has no table {TABLE}, which a two-phase commit needs, "
                f"and it could not be made ({error}). Have its owner run: {create_statement(wrapper.vendor)}"
            ) from error


def _has_table(wrapper: BaseDatabaseWrapper) -> bool:
    return TABLE in wrapper.introspection.table_names()


_made: set[tuple[str, ...]] = set()
_making = threading.Lock()
_done: defaultdict[str, list[str]] = defaultdict(list)
