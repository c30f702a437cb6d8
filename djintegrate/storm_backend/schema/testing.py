"""Where Django makes, empties and migrates databases, Storm's tables come along: receivers of signals."""

from __future__ import annotations

import sys
from typing import Any

from django.apps import apps
from django.db import connections

from ..conf import uris
from ..connection.wrapper import StormWrapper
from ..transactions import thread, unbegun
from .package import load, with_schema
from .steps import StoreSchema


def tell_of_pending_patches(sender: Any, using: str, verbosity: int, stdout: Any = sys.stdout, **kwargs: Any) -> None:
    """The hint at the end of `migrate`: Django's tables are up to date now, but Storm's are not."""
    store = with_schema(getattr(connections[using], "store_name", ""))
    if verbosity < 1 or store is None or thread.current().begun is not None:
        return
    # The signal comes for each app that has models; the end is the last one's.
    *_, last = (app for app in apps.get_app_configs() if app.models_module is not None)
    if sender is not last:
        return
    # Another receiver may have used a store, and to look at the status begins a transaction.
    unbegun.commit()
    if not StoreSchema(store.name).status().up_to_date:
        name = store.name
        stdout.write(f"The schema of the store {name!r} is not up to date; run: manage.py storm_schema apply {name}\n")


def prepare_test_database(sender: Any, connection: StormWrapper, **kwargs: Any) -> None:
    """Storm's tables in a test database that Django has just made, or kept."""
    store = with_schema(connection.store_name)
    if store is not None:
        StoreSchema(store.name).apply(lambda line: None)


def deletes_of_test_database(sender: Any, connection: StormWrapper, **kwargs: Any) -> list[str]:
    """What empties Storm's tables between the tests; nothing for a database that is not a test database."""
    store = with_schema(connection.store_name)
    if store is None or connection.settings_dict["NAME"] == uris.location(store.uri).settings["NAME"]:
        return []
    deletes: list[str] = load(store)[0]._deletes
    return deletes
