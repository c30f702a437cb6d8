"""The database engine: Django loads `DatabaseWrapper` from here.

The wrapper is the native backend's for the scheme of the store's URI, with the thin
layer of `engine` in front.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS
from django.db.utils import ConnectionHandler

from . import conf
from .conf import drivers, entries, uris
from .conf.stand_in import StandIn
from .connection.schema_editor import ReferenceSchemaEditor
from .connection.wrapper import StormEngine
from .two_phase.manager import TwoPhaseEngine


def DatabaseWrapper(settings_dict: dict[str, Any], alias: str = DEFAULT_DB_ALIAS) -> StormEngine | StandIn:
    """The connection of a DATABASES entry. Django calls this, once for each thread."""
    try:
        location = _resolve(settings_dict, alias)
        wrapper_class = _wrapper_class(location.backend, conf.is_two_phase(settings_dict["STORM_STORE"]))
    except ImproperlyConfigured as error:
        return StandIn(settings_dict, alias, error)
    connection: StormEngine = wrapper_class(settings_dict, alias)
    connection.take_part()
    return connection


def wrapper_for(store: conf.StoreSettings) -> StormEngine:
    """A connection to a store's database that is in no DATABASES, and takes no part."""
    entry = {"ENGINE": conf.ENGINE, "NAME": store.name}
    # The handler knows the defaults of the other keys.
    settings_dict = ConnectionHandler({DEFAULT_DB_ALIAS: entry}).settings[DEFAULT_DB_ALIAS]
    alias = f"store {store.name}"
    backend = _resolve(settings_dict, alias).backend
    connection: StormEngine = _wrapper_class(backend, conf.is_two_phase(store.name))(settings_dict, alias)
    return connection


class StormOperations:
    """Mixed in before the DatabaseOperations of a native backend."""

    connection: StormEngine

    def execute_sql_flush(self, sql_list: list[str]) -> None:
        # A test may end with a transaction left open, a statement of Storm's suffices. The flush after it is to be
        # committed, not to become part of that; and it deletes everything in any case.
        self.connection.abort_transaction(even_begun=True)
        deletes = self._storm_deletes()
        with self.connection.in_one_phase():
            super().execute_sql_flush(self._in_order(deletes, sql_list))  # type: ignore[misc]

    def sql_flush(self, style: Any, tables: Any, *, reset_sequences: bool = False, allow_cascade: bool = False) -> Any:
        # PostgreSQL does not truncate a table that an empty one refers to, as Storm's may.
        cascade = allow_cascade or (self.connection.vendor == "postgresql" and bool(self._storm_deletes()))
        return super().sql_flush(  # type: ignore[misc]
            style, tables, reset_sequences=reset_sequences, allow_cascade=cascade
        )

    def _in_order(self, deletes: list[str], sql_list: list[str]) -> list[str]:
        # Rows of both sides may point at each other's. After the deletion of rows that others point at, PostgreSQL does
        # not truncate the others; where there is nothing to delete any more, it does not matter.
        if not deletes or self.connection.vendor == "postgresql":
            return [*sql_list, *deletes]
        if self.connection.vendor == "mysql":
            return ["SET FOREIGN_KEY_CHECKS = 0", *deletes, *sql_list, "SET FOREIGN_KEY_CHECKS = 1"]
        return [*deletes, *sql_list]

    def _storm_deletes(self) -> list[str]:
        from .schema import deletes_of_test_database

        return deletes_of_test_database(self.connection)


class StormCreation:
    """Mixed in before the DatabaseCreation of a native backend."""

    connection: StormEngine

    def create_test_db(self, *args: Any, **kwargs: Any) -> str:
        from .schema import prepare_test_database

        name: str = super().create_test_db(*args, **kwargs)  # type: ignore[misc]
        prepare_test_database(self.connection)
        return name


def _resolve(settings_dict: dict[str, Any], alias: str) -> uris.Location:
    # In place: the test runner and other threads read the same dictionary, and put the
    # name of a test database or of a clone there. A key with SECRET in its name is one
    # that Django's error reports do not show.
    with _resolving:
        if "STORM_SECRET_URI" in settings_dict:
            return uris.location(settings_dict["STORM_SECRET_URI"])
        store = entries.store_of(alias, settings_dict)
        location = uris.location(store.uri)
        options = {**location.settings["OPTIONS"], **settings_dict["OPTIONS"]}
        settings_dict.update(location.settings, OPTIONS=options, STORM_STORE=store.name, STORM_SECRET_URI=store.uri)
        return location


@cache
def _wrapper_class(backend: str, two_phase: bool) -> type[Any]:
    native = drivers.native_wrapper(backend)
    operations = type("DatabaseOperations", (StormOperations, native.ops_class), {"__module__": __name__})
    creation = type("DatabaseCreation", (StormCreation, native.creation_class), {"__module__": __name__})
    editor = type("DatabaseSchemaEditor", (ReferenceSchemaEditor, native.SchemaEditorClass), {"__module__": __name__})
    own = {
        "__module__": __name__,
        "ops_class": operations,
        "creation_class": creation,
        "SchemaEditorClass": editor,
    }
    return type("DatabaseWrapper", (TwoPhaseEngine if two_phase else StormEngine, native), own)


_resolving = threading.Lock()
