"""A request's first statement on PostgreSQL is the health check of its connection, which so costs no round trip.

Only where nothing was done in the transaction, and where the connection is lost, is the statement repeated on another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import Error

if TYPE_CHECKING:
    from .wrapper import StormEngine
    from .zope_block import ZopeBlock

# The same number in psycopg2 and in psycopg.
POSTGRES_IDLE = 0


def is_check_due(connection: StormEngine) -> bool:
    """Whether Django would now ask the connection whether it works."""
    return connection.connection is not None and connection.health_check_enabled and not connection.health_check_done


class FirstStatement:
    """An execute wrapper for one statement: the first one of a transaction, whoever's."""

    def __init__(self, part: ZopeBlock) -> None:
        self._part = part
        part.connection.execute_wrappers.insert(0, self)

    def withdraw(self) -> None:
        """Be gone, whether or not there was a statement."""
        wrappers = self._part.connection.execute_wrappers
        if self in wrappers:
            wrappers.remove(self)

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.withdraw()
        connection = self._part.connection
        # Not so after callproc() or COPY, which no wrapper sees.
        is_first = connection.connection.info.transaction_status == POSTGRES_IDLE
        try:
            return execute(sql, params, many, context)
        except Error:
            if not (is_first and connection.connection is not None and connection.connection.closed):
                raise
        self._part.start_anew()
        cursor = context["cursor"]
        cursor.cursor = connection.create_cursor(getattr(cursor.cursor, "name", None))
        return execute(sql, params, many, context)
