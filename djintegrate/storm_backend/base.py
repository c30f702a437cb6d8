"""The database engine: Django loads `DatabaseWrapper` from here.

The wrapper is the native backend's for the scheme of the store's URI, with the thin
layer of `engine` in front.
"""

from __future__ import annotations

import threading
from functools import cache
from importlib import import_module
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS
from django.db.utils import ConnectionHandler

from . import conf, uris
from .engine import StormEngine


def DatabaseWrapper(settings_dict: dict[str, Any], alias: str = DEFAULT_DB_ALIAS) -> StormEngine:
    """The connection of a DATABASES entry. Django calls this, once for each thread."""
    location = _resolve(settings_dict, alias)
    connection: StormEngine = _wrapper_class(location.backend)(settings_dict, alias)
    connection.take_part()
    return connection


def wrapper_for(store: conf.StoreSettings) -> StormEngine:
    """A connection to a store's database that is in no DATABASES, and takes no part."""
    entry = {"ENGINE": conf.ENGINE, "NAME": store.name}
    # The handler knows the defaults of the other keys.
    settings_dict = ConnectionHandler({DEFAULT_DB_ALIAS: entry}).settings[DEFAULT_DB_ALIAS]
    alias = f"store {store.name}"
    connection: StormEngine = _wrapper_class(_resolve(settings_dict, alias).backend)(settings_dict, alias)
    return connection


def _resolve(settings_dict: dict[str, Any], alias: str) -> uris.Location:
    # In place: the test runner and other threads read the same dictionary, and put the
    # name of a test database or of a clone there. A key with SECRET in its name is one
    # that Django's error reports do not show.
    with _resolving:
        if "STORM_SECRET_URI" in settings_dict:
            return uris.location(settings_dict["STORM_SECRET_URI"])
        store = _store(settings_dict["NAME"], alias)
        location = uris.location(store.uri)
        options = {**location.settings["OPTIONS"], **settings_dict["OPTIONS"]}
        settings_dict.update(location.settings, OPTIONS=options, STORM_STORE=store.name, STORM_SECRET_URI=store.uri)
        return location


def _store(name: Any, alias: str) -> conf.StoreSettings:
    stores = conf.stores()
    if name not in stores:
        raise ImproperlyConfigured(
            f"DATABASES[{alias!r}]['NAME'] is {str(name)!r}, which is no store. STORM_STORES names: "
            f"{', '.join(map(repr, stores)) or 'none'}. Make NAME one of these; the database itself is named by "
            "the store's URI."
        )
    return stores[name]


class StormOperations:
    """Mixed in before the DatabaseOperations of a native backend."""

    connection: StormEngine

    def execute_sql_flush(self, sql_list: list[str]) -> None:
        # A test may end with a transaction left open, a statement of Storm's suffices. The flush after it is to be
        # committed, not to become part of that; and it deletes everything in any case.
        self.connection.abort_transaction(even_begun=True)
        super().execute_sql_flush(sql_list)  # type: ignore[misc]


@cache
def _wrapper_class(backend: str) -> type[Any]:
    native = import_module(f"{backend}.base").DatabaseWrapper
    operations = type("DatabaseOperations", (StormOperations, native.ops_class), {"__module__": __name__})
    return type("DatabaseWrapper", (StormEngine, native), {"__module__": __name__, "ops_class": operations})


_resolving = threading.Lock()
