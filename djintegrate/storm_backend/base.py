"""The database engine: Django loads `DatabaseWrapper` from here."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS

from .conf.stand_in import StandIn
from .connection.factory import connection_of
from .connection.wrapper import StormWrapper


def DatabaseWrapper(settings_dict: dict[str, Any], alias: str = DEFAULT_DB_ALIAS) -> StormWrapper | StandIn:
    """The connection of a DATABASES entry. Django calls this, once for each thread."""
    try:
        connection = connection_of(settings_dict, alias)
    except ImproperlyConfigured as error:
        return StandIn(settings_dict, alias, error)
    connection.take_part()
    return connection
