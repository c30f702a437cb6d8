"""A connection on which Django has opened a transaction, and where nothing was begun."""

from __future__ import annotations

from typing import Any

from django.db import Error

from ..transactions.parts import ConnectionPart
from .atomic_state import leave_broken, show_no_block


class DjangoBlock(ConnectionPart):
    """A user's outermost atomic() block, or manual mode, is the database transaction."""

    def open_blocks(self) -> list[Any]:
        return self.connection.atomic_blocks

    def _is_shared(self) -> bool:
        return self.store is not None

    def _start(self) -> None:
        # Django has started it; but SQLite's manual mode starts nothing before the first
        # write, and a savepoint taken before that would commit when it is released.
        connection = self.connection
        if not (connection.in_atomic_block and connection.commit_on_exit):
            connection.begin_explicitly()

    def _commit_database(self) -> None:
        self.connection.commit_database()

    def _rollback_database(self) -> None:
        connection = self.connection
        open_blocks = self.open_blocks()
        goes_on = self._goes_on()
        show_no_block(connection)
        try:
            connection.rollback()
        except Error:
            # As Django does: what cannot even roll back is dead, and the server has rolled back.
            connection.close()
            goes_on = False
        if goes_on:
            connection.begin_explicitly()
            connection.in_atomic_block = True
            connection.atomic_blocks = open_blocks
        else:
            leave_broken(connection, open_blocks)
