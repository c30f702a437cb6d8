"""Makes a store's connection: the native backend's for the scheme of its URI, with the layer that joins in front."""

from __future__ import annotations

import threading
from functools import cache, cached_property
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.utils import ConnectionHandler

from .. import conf
from ..conf import drivers, entries, uris
from ..two_phase.manager import TwoPhaseDataManager
from .schema_editor import ReferenceSchemaEditor
from .testing import StormCreation, StormOperations
from .wrapper import StormWrapper


class TwoPhaseWrapper(StormWrapper):
    """The connection of a store that is TWO_PHASE."""

    two_phase = True
    data_manager_class = TwoPhaseDataManager

    @cached_property
    def site(self) -> str:
        """What this site is called in the names of its two-phase transactions."""
        return conf.site()


def connection_of(settings_dict: dict[str, Any], alias: str) -> StormWrapper:
    """The connection of a DATABASES entry, which takes no part in any transaction yet."""
    location = _resolve(settings_dict, alias)
    two_phase = conf.is_two_phase(settings_dict["STORM_STORE"])
    return _wrapper_class(location.backend, two_phase)(settings_dict, alias)


def connection_to(store: conf.StoreSettings, alias: str = NO_DB_ALIAS) -> StormWrapper:
    """A connection to the database of a store that is in no DATABASES."""
    entry = {"ENGINE": conf.ENGINE, "NAME": store.name}
    # The handler knows the defaults of the other keys.
    return connection_of(ConnectionHandler({DEFAULT_DB_ALIAS: entry}).settings[DEFAULT_DB_ALIAS], alias)


def _resolve(settings_dict: dict[str, Any], alias: str) -> uris.Location:
    # In place: the test runner and other threads read the same dictionary, and put the name of a test database or of a
    # clone there. A key with SECRET in its name is one that Django's error reports do not show.
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
    parts = {
        "ops_class": (StormOperations, native.ops_class),
        "creation_class": (StormCreation, native.creation_class),
        "SchemaEditorClass": (ReferenceSchemaEditor, native.SchemaEditorClass),
    }
    own = {name: type(bases[1].__name__, bases, {"__module__": _DOOR}) for name, bases in parts.items()}
    layer = TwoPhaseWrapper if two_phase else StormWrapper
    return type("DatabaseWrapper", (layer, native), {"__module__": _DOOR, **own})


_DOOR = "djintegrate.storm_backend.base"
_resolving = threading.Lock()
