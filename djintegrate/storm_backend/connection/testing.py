"""What the engine adds where Django makes and empties test databases: Storm's tables are in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connections
from django.dispatch import Signal

from djintegrate.common.engine import is_engines

if TYPE_CHECKING:
    from .wrapper import StormWrapper

# Sent when Django has made, or kept, a test database. sender: the connection's class; connection.
test_database_made = Signal()

# Sent before Django deletes the rows of a database. sender: the connection's class; connection. A receiver returns the
# statements that delete Storm's.
emptying_database = Signal()


def abort_what_is_open() -> None:
    """A test may have left a transaction open, a statement of Storm's suffices; what empties a database comes after it.

    That is to be committed, and not to become part of the open one, which the databases share.
    """
    for connection in connections.all(initialized_only=True):
        if is_engines(connection):
            connection.abort_transaction(even_begun=True)


class StormOperations:
    """Mixed in before the DatabaseOperations of a native backend."""

    connection: StormWrapper

    def execute_sql_flush(self, sql_list: list[str]) -> None:
        # Where a test's `available_apps` lack the engine's, `flush` is Django's own command, and has aborted nothing.
        abort_what_is_open()
        deletes = self._storm_deletes()
        with self.connection.in_one_phase():
            super().execute_sql_flush(self._in_order(deletes, sql_list))  # type: ignore[misc]

    def sql_flush(self, style: Any, tables: Any, *, reset_sequences: bool = False, allow_cascade: bool = False) -> Any:
        # PostgreSQL does not truncate a table that an empty one refers to, as Storm's may.
        cascade = allow_cascade or (self.connection.vendor == "postgresql" and bool(self._storm_deletes()))
        return super().sql_flush(  # type: ignore[misc]
            style, tables, reset_sequences=reset_sequences, allow_cascade=cascade
        )

    def _in_order(self, deletes: list[str], sql_list: list[str]) -> list[str]:
        # Rows of both sides may point at each other's. After the deletion of rows that others point at, PostgreSQL does
        # not truncate the others; where there is nothing to delete any more, it does not matter.
        if not deletes or self.connection.vendor == "postgresql":
            return [*sql_list, *deletes]
        if self.connection.vendor == "mysql":
            return ["SET FOREIGN_KEY_CHECKS = 0", *deletes, *sql_list, "SET FOREIGN_KEY_CHECKS = 1"]
        return [*deletes, *sql_list]

    def _storm_deletes(self) -> list[str]:
        answers = emptying_database.send(type(self.connection), connection=self.connection)
        return [statement for _, statements in answers for statement in statements]


class StormCreation:
    """Mixed in before the DatabaseCreation of a native backend."""

    connection: StormWrapper

    def create_test_db(self, *args: Any, **kwargs: Any) -> str:
        name: str = super().create_test_db(*args, **kwargs)  # type: ignore[misc]
        test_database_made.send(type(self.connection), connection=self.connection)
        return name
