"""Storm's connection for SQLite, with statements whose text does not change with the row."""

from __future__ import annotations

from typing import Any

from storm.databases.sqlite import SQLiteConnection, SQLiteResult
from storm.expr import SQL


class SteadyResult(SQLiteResult):
    def get_insert_identity(self, primary_key: Any, primary_variables: Any) -> SQL:
        # Storm writes the number into the text, so that each statement is a new one: to be prepared, and to be read
        # for what it may have written.
        return SQL("(OID=?)", (self._raw_cursor.lastrowid,))


class SteadyConnection(SQLiteConnection):
    result_factory = SteadyResult
