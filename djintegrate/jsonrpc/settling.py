"""Before a call is answered: what it did has reached the database, and is nothing that a commit would refuse or undo.

Django leaves a block that an error has broken without a word, if that error was caught: it rolls back. PostgreSQL
answers the COMMIT of such a transaction in the same way. A client that has a result would never know.
"""

from __future__ import annotations

from typing import Any

from django.db.transaction import TransactionManagementError

POSTGRES_IN_ERROR = 3
"""`transaction_status` of both psycopg2 and psycopg."""


def settle(connection: Any) -> None:
    """Send what Storm has not sent yet. Raise if what was done on this connection cannot be committed."""
    if connection.needs_rollback:
        raise TransactionManagementError(
            f"What the call did on {connection.alias!r} cannot be committed: an error of the database was caught "
            "outside of an atomic() block, or set_rollback(True) was called. Wrap what may fail, or what is to be "
            "undone, in an atomic() block of its own, and catch the error outside of that block."
        ) from getattr(connection, "rollback_exc", None)
    if _is_given_up(connection.connection):
        raise TransactionManagementError(
            f"What the call did on {connection.alias!r} cannot be committed: PostgreSQL gave the transaction up at an "
            "error that was caught. Wrap what may fail in an atomic() block, and catch the error outside of it."
        )
    # Of the engine's connections, while they are in a transaction.
    for store in getattr(getattr(connection, "data_manager", None), "stores", ()):
        store.flush()


def _is_given_up(raw_connection: Any) -> bool:
    info = getattr(raw_connection, "info", None)
    return getattr(info, "transaction_status", None) == POSTGRES_IN_ERROR
