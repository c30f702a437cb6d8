"""The database engine: Django loads `DatabaseWrapper` from here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS

from .conf.stand_in import StandIn
from .connection.wrapper import StormWrapper
from .replicas.connecting import connection_or_pair

if TYPE_CHECKING:
    from .replicas.pair import Pair


def DatabaseWrapper(settings_dict: dict[str, Any], alias: str = DEFAULT_DB_ALIAS) -> StormWrapper | Pair | StandIn:
    """The connection of a DATABASES entry. Django calls this, once for each thread."""
    try:
        return connection_or_pair(settings_dict, alias)
    except ImproperlyConfigured as error:
        return StandIn(settings_dict, alias, error)
