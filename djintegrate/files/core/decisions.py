"""Whether a transaction has committed: a row with its number, in its own database, says so.

The row is written just before the commit. Earlier it would lock SQLite for the length of a request, and inside of a
savepoint it could be lost.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, Error, IntegrityError, connections

from ..exceptions import Undecided

SECONDS = 2
"""How long recovery waits for a transaction that may still commit."""
INSERT = "INSERT INTO {} (number, journal) VALUES (%s, %s)"
AT_ONCE = 100
"""So many rows that are no longer needed are deleted together."""


def record(using: str, name: str, identity: str) -> None:
    """Decide for the commit, in the transaction that is about to commit."""
    connection = connections[using]
    with connection.cursor() as cursor:
        cursor.execute(_sql(connection, INSERT), [_number_of(name), identity])


def exists(using: str, name: str) -> bool:
    """Within a transaction around the one that is asked about: in a TestCase."""
    with connections[using].cursor() as cursor:
        cursor.execute(_sql(connections[using], "SELECT 1 FROM {} WHERE number = %s"), [_number_of(name)])
        return cursor.fetchone() is not None


@contextmanager
def verdict(using: str, name: str, identity: str) -> Iterator[bool]:
    """Whether it has committed. As long as the block runs, it cannot commit any more.

    Asked by inserting the row: what is refused has committed. An insertion that has to wait waits for a transaction
    that is still open, or prepared.
    """
    connection = connections[using].copy()
    connection.settings_dict["OPTIONS"].pop("pool", None)
    try:
        try:
            committed = _is_refused(connection, name, identity)
        except Error as error:
            raise Undecided(
                f"The database {using!r} cannot say yet whether the transaction {name} has committed: {error}"
            ) from error
        yield committed
    finally:
        with suppress(Error):
            connection.rollback()
        connection.close()


def is_through(using: str, name: str, before_deletion: Callable[[], None] | None = None) -> None:
    """The row is no longer needed. Deleted some time after its transaction, which has its commit behind it."""
    with _lock:
        through = _through.setdefault(using, [])
        through.append(_number_of(name))
        if len(through) < AT_ONCE or not _is_idle(connections[using]):
            return
        _through[using] = []
    if before_deletion is not None:
        before_deletion()
    with suppress(DatabaseError):
        _delete(using, through)


def sweep(using: str, identity: str, transactions: Callable[[], set[str]]) -> int:
    """Delete the rows of this folder whose journals are gone; how many there were."""
    with connections[using].cursor() as cursor:
        cursor.execute(_sql(connections[using], "SELECT number FROM {} WHERE journal = %s"), [identity])
        rows = [row[0] for row in cursor.fetchall()]
    # Only now: a journal is older than its row, and outlives the commit.
    living = set(map(_number_of, transactions()))
    gone = [number for number in rows if number not in living]
    for start in range(0, len(gone), AT_ONCE):
        _delete(using, gone[start : start + AT_ONCE])
    return len(gone)


def _is_refused(connection: Any, name: str, identity: str) -> bool:
    connection.set_autocommit(False)
    with connection.cursor() as cursor:
        for statement in _LIMITS.get(connection.vendor, []):
            cursor.execute(statement)
        try:
            cursor.execute(_sql(connection, INSERT), [_number_of(name), identity])
        except IntegrityError:
            return True
    return False


def _delete(using: str, numbers: list[int]) -> None:
    marks = ", ".join(["%s"] * len(numbers))
    with connections[using].cursor() as cursor:
        cursor.execute(_sql(connections[using], f"DELETE FROM {{}} WHERE number IN ({marks})"), numbers)


def _number_of(name: str) -> int:
    """Sixty bits of what made the name, at random; a column has 63."""
    return int(name[:15], 16)


def _sql(connection: Any, sql: str) -> str:
    return sql.format(connection.ops.quote_name(_table()))


@cache
def _table() -> str:
    try:
        return str(apps.get_model("files", "Decision")._meta.db_table)
    except LookupError:
        raise ImproperlyConfigured("Add djintegrate.files to INSTALLED_APPS, and run manage.py migrate.") from None


def _is_idle(connection: Any) -> bool:
    return connection.connection is not None and connection.autocommit and not connection.in_atomic_block


_LIMITS = {
    "postgresql": [f"SET LOCAL lock_timeout = {SECONDS * 1000}"],
    "mysql": [f"SET innodb_lock_wait_timeout = {SECONDS}"],
    "sqlite": [f"PRAGMA busy_timeout = {SECONDS * 1000}"],
}
_lock = threading.Lock()
_through: dict[str, list[int]] = {}
