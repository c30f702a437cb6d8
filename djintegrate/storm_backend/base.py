"""The database engine: Django loads `DatabaseWrapper` from here."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS

from .connection.factory import connection_of
from .connection.wrapper import StormWrapper


def DatabaseWrapper(settings_dict: dict[str, Any], alias: str = DEFAULT_DB_ALIAS) -> StormWrapper:
    """The connection of a DATABASES entry. Django calls this, once for each thread."""
    connection = connection_of(settings_dict, alias)
    connection.take_part()
    return connection
