"""Storm's connection for MariaDB, with Django's values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from storm.databases.mysql import MySQLConnection, MySQLResult
from storm.variables import Variable

from . import values


class MariaDBResult(MySQLResult):
    set_variable = staticmethod(values.set_variable)


class MariaDBConnection(MySQLConnection):
    result_factory = MariaDBResult

    def to_database(self, params: Iterable[Any]) -> Iterator[Any]:
        for param in params:
            value = param.get(to_db=True) if isinstance(param, Variable) else param
            yield values.duration(param, value) if isinstance(value, timedelta) else value
