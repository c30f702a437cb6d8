"""Makes a store's connection: the native backend's for the scheme of its URI, with the layer that joins in front."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.utils import ConnectionHandler

from .. import conf
from ..conf import drivers, entries, limit, pooler, uris
from .schema_editor import ReferenceSchemaEditor
from .testing import StormCreation, StormOperations
from .wrapper import StormWrapper


def connection_of(settings_dict: dict[str, Any], alias: str, *in_front: type[StormWrapper]) -> StormWrapper:
    """The connection of a DATABASES entry, which takes no part in any transaction yet; with these layers in front."""
    location = _resolve(settings_dict, alias)
    layers = (*in_front, *_layers(settings_dict))
    return _wrapper_class(location.backend, layers)(settings_dict, alias)


def connection_to(store: conf.StoreSettings) -> StormWrapper:
    """A connection to the database of a store that is in no DATABASES."""
    return connection_of(entry_of(store), NO_DB_ALIAS)


def entry_of(store: conf.StoreSettings) -> dict[str, Any]:
    """What DATABASES would have of a store that it does not name."""
    entry = {"ENGINE": conf.ENGINE, "NAME": store.name}
    # The handler knows the defaults of the other keys.
    settings: dict[str, Any] = ConnectionHandler({DEFAULT_DB_ALIAS: entry}).settings[DEFAULT_DB_ALIAS]
    return settings


def _resolve(settings_dict: dict[str, Any], alias: str) -> uris.Location:
    # In place: the test runner and other threads read the same dictionary, and put the name of a test database or of a
    # clone there. A key with SECRET in its name is one that Django's error reports do not show.
    with _resolving:
        if "STORM_SECRET_URI" in settings_dict:
            return uris.location(settings_dict["STORM_SECRET_URI"])
        store = entries.store_of(alias, settings_dict)
        location = uris.location(store.uri)
        options = {**location.settings["OPTIONS"], **settings_dict["OPTIONS"]}
        pooler.refuse(store, options)
        limit.refuse(alias, store, settings_dict)
        settings_dict.update(location.settings, OPTIONS=options, STORM_STORE=store.name, STORM_SECRET_URI=store.uri)
        most = store.max_connections
        settings_dict["STORM_LIMIT"] = None if most is None else (most, store.max_wait_seconds)
        if store.pooler == "transaction":
            settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = True
        return location


def _layers(settings_dict: dict[str, Any]) -> Iterator[type[StormWrapper]]:
    """What the settings of a store ask for. Each of these modules is imported for the first store that needs it."""
    if settings_dict["STORM_LIMIT"] is not None:
        from .limit import LimitedWrapper

        yield LimitedWrapper
    name = settings_dict["STORM_STORE"]
    if conf.is_pooled(name):
        from .pooled import PooledTwoPhaseWrapper, PooledWrapper

        yield PooledTwoPhaseWrapper if conf.is_two_phase(name) else PooledWrapper
    elif conf.is_two_phase(name):
        from .two_phase import TwoPhaseWrapper

        yield TwoPhaseWrapper
    else:
        yield StormWrapper


@cache
def _wrapper_class(backend: str, layers: tuple[type[StormWrapper], ...]) -> type[Any]:
    native = drivers.native_wrapper(backend)
    parts = {
        "ops_class": (StormOperations, native.ops_class),
        "creation_class": (StormCreation, native.creation_class),
        "SchemaEditorClass": (ReferenceSchemaEditor, native.SchemaEditorClass),
    }
    own = {name: type(bases[1].__name__, bases, {"__module__": _DOOR}) for name, bases in parts.items()}
    return type("DatabaseWrapper", (*layers, native), {"__module__": _DOOR, **own})


_DOOR = "djintegrate.storm_backend.base"
_resolving = threading.Lock()
