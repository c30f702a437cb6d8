"""Storm's connection for SQLite, with statements whose text does not change with the row, and Django's values."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from storm.databases.sqlite import SQLiteConnection, SQLiteResult
from storm.exceptions import Error
from storm.expr import SQL
from storm.variables import Variable

from . import values


class SteadyResult(SQLiteResult):
    """Has what is left of it fetched where its transaction ends, as the drivers of the other databases fetch all.

    A statement that goes on would keep others from writing, and show what was there when it began.
    """

    set_variable = staticmethod(values.set_variable)
    _rest: list[Any] | None = None

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        self._connection._wrapper.open_results.add(self)
        while rows := self._next_rows():
            for row in rows:
                yield tuple(self.from_database(row))

    def fetch_rest(self) -> None:
        """Be through with the database."""
        if self._rest is None and not self._closed:
            # If that fails, whoever wants the next row is told.
            with contextlib.suppress(Error):
                self._rest = self._raw_cursor.fetchall()

    def _next_rows(self) -> list[Any]:
        if self._rest is None:
            return self._connection._check_disconnect(self._raw_cursor.fetchmany)
        rows, self._rest = self._rest, []
        return rows

    def get_insert_identity(self, primary_key: Any, primary_variables: Any) -> SQL:
        # Storm writes the number into the text, so that each statement is a new one: to be prepared, and to be read
        # for what it may have written.
        return SQL("(OID=?)", (self._raw_cursor.lastrowid,))


class SteadyConnection(SQLiteConnection):
    result_factory = SteadyResult

    @staticmethod
    def to_database(params: Iterable[Any]) -> Iterator[Any]:
        for param in params:
            value = param.get(to_db=True) if isinstance(param, Variable) else param
            if isinstance(value, (datetime, date, time, timedelta)):
                value = values.duration(param, value) if isinstance(value, timedelta) else str(value)
            yield value
