"""What a database's error means: whether to try the transaction again, and whether it can still be committed."""

from __future__ import annotations

import sqlite3
from typing import Any

from django.db.transaction import TransactionManagementError

# The same number in psycopg2 and in psycopg.
POSTGRES_IN_ERROR = 3

# Never a lost connection: whether its transaction was committed is not known.
POSTGRES_STATES = frozenset(
    {
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        "55P03",  # lock_not_available
    }
)
REFUSED_BY_REPLICA = frozenset(
    {
        "25006",  # read_only_sql_transaction
        "55000",  # object_not_in_prerequisite_state: "recovery is in progress", for LOCK TABLE say
    }
)
MYSQL_CODES = frozenset(
    {
        1020,  # ER_CHECKREAD: the record has changed since it was read
        1205,  # ER_LOCK_WAIT_TIMEOUT
        1213,  # ER_LOCK_DEADLOCK
        1613,  # ER_XA_RBTIMEOUT: 1205, told by an XA statement
        1614,  # ER_XA_RBDEADLOCK: 1213, told by an XA statement
    }
)
MYSQL_LOST = frozenset(
    {
        2006,  # CR_SERVER_GONE_ERROR
        2013,  # CR_SERVER_LOST
    }
)
NO_SUCH_SAVEPOINT = {
    "postgresql": "3B001",  # invalid_savepoint_specification
    "mysql": 1305,  # ER_SP_DOES_NOT_EXIST
    "sqlite": "no such savepoint",
}
SQLITE_MESSAGES = ("database is locked", "database table is locked", "database schema is locked")


def is_retryable(vendor: str, error: BaseException) -> bool:
    """Whether running the transaction of `error` again may succeed."""
    check = {"postgresql": _postgres, "mysql": _mysql, "sqlite": _sqlite}[vendor]
    # Django and Storm both raise their own error from the driver's.
    return check(error) or (error.__cause__ is not None and is_retryable(vendor, error.__cause__))


def is_lost(vendor: str, error: BaseException, raw_connection: Any) -> bool:
    """Whether the connection has gone with this error."""
    if vendor == "mysql":
        return bool(error.args) and error.args[0] in MYSQL_LOST
    return bool(getattr(raw_connection, "closed", False))


def says_savepoint_is_gone(vendor: str, error: BaseException) -> bool:
    """Whether the database says with this error of Django's that it has no such savepoint."""
    cause, wanted = error.__cause__, NO_SUCH_SAVEPOINT[vendor]
    if vendor == "postgresql":
        return cause is not None and _state(cause) == wanted
    if vendor == "mysql":
        return error.args[:1] == (wanted,)
    return str(error).startswith(str(wanted))


def name_store(error: BaseException, store: str) -> None:
    """Have the text of an error say which of many stores it comes from."""
    said = f"(the store {store!r})"
    if error.args and isinstance(error.args[-1], str) and said not in error.args[-1]:
        error.args = (*error.args[:-1], f"{error.args[-1].rstrip()} {said}")


def is_refused_by_replica(error: BaseException) -> bool:
    """Whether PostgreSQL says that what was asked cannot be done where nothing can be written."""
    refused = _state(error) in REFUSED_BY_REPLICA
    # Storm raises an error of its own from the driver's.
    return refused or (error.__cause__ is not None and is_refused_by_replica(error.__cause__))


def refuse_failed(store: str, raw_connection: Any) -> None:
    """Raise if PostgreSQL has given the transaction up: it would answer a COMMIT by rolling back."""
    info = getattr(raw_connection, "info", None)
    if getattr(info, "transaction_status", None) == POSTGRES_IN_ERROR:
        raise TransactionManagementError(
            f"The transaction on the store {store!r} cannot be committed: PostgreSQL gave it up at an error that was "
            "caught. Abort it; or take a transaction.savepoint() before, or an atomic() block around, what may fail."
        )


def _postgres(error: BaseException) -> bool:
    return _state(error) in POSTGRES_STATES


def _state(error: BaseException) -> str | None:
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    return state if isinstance(state, str) else None


def _mysql(error: BaseException) -> bool:
    # By its module: MySQLdb may not be installed where another database is used.
    if not any(base.__module__.startswith("MySQLdb") for base in type(error).__mro__):
        return False
    return bool(error.args) and error.args[0] in MYSQL_CODES


def _sqlite(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and str(error).startswith(SQLITE_MESSAGES)
