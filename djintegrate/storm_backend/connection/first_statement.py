"""A request's first statement on PostgreSQL is the health check of its connection, which so costs no round trip.

Only where nothing was done in the transaction, and where the connection is lost, is the statement repeated on another.
"""

from __future__ import annotations

from typing import Any

from django.db import Error

from ..sql.errors import POSTGRES_IDLE
from ..transactions.manager import DataManager


class FirstStatement:
    """An execute wrapper for one statement: the first one of a transaction, whoever's."""

    def __init__(self, connection: Any, data_manager: DataManager) -> None:
        self._connection = connection
        self._data_manager = data_manager
        connection.execute_wrappers.insert(0, self)

    def withdraw(self) -> None:
        """Be gone, whether or not there was a statement."""
        if self in self._connection.execute_wrappers:
            self._connection.execute_wrappers.remove(self)

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.withdraw()
        connection = self._connection
        # Not so after callproc() or COPY, which no wrapper sees.
        is_first = connection.connection.info.transaction_status == POSTGRES_IDLE
        try:
            return execute(sql, params, many, context)
        except Error:
            if not (is_first and connection.connection is not None and connection.connection.closed):
                raise
        connection.discard()
        self._data_manager.start_anew()
        cursor = context["cursor"]
        cursor.cursor = connection.create_cursor(getattr(cursor.cursor, "name", None))
        return execute(sql, params, many, context)
