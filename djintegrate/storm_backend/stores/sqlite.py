"""Storm's connection for SQLite, with statements whose text does not change with the row, and Django's values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from storm.databases.sqlite import SQLiteConnection, SQLiteResult
from storm.expr import SQL
from storm.variables import Variable

from . import values


class SteadyResult(SQLiteResult):
    set_variable = staticmethod(values.set_variable)

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
