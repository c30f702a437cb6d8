"""Since when the rows of which tables are no longer what they were.

Storm makes an object of a row when the row is fetched, which may be long after its query: other statements have written
in between, or the transaction has ended. Never talks to a database.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from storm.database import Result


class History:
    """When the rows that a connection had read became untrue."""

    def __init__(self) -> None:
        self.now = 0
        self._last_of_all = 0
        self._last: dict[str, int] = {}

    def note(self, tables: Collection[str] | None) -> None:
        """What was read of these tables until now, or of all, may be untrue."""
        self.now += 1
        if tables is None:
            self._last_of_all = self.now
            self._last.clear()
        else:
            self._last.update(dict.fromkeys(tables, self.now))

    def since(self, moment: int) -> Collection[str] | None:
        """The tables of which rows that were read then may be untrue. None: of any."""
        if moment < self._last_of_all:
            return None
        return [table for table, last in self._last.items() if last > moment]


class DatedResult(Result):
    """A result that knows when it was read."""

    def __init__(self, connection: Any, raw_cursor: Any) -> None:
        super().__init__(connection, raw_cursor)
        self.read_at = connection.history.now
