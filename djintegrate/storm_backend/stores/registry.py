"""The Storm stores of a thread, by their names in STORM_STORES."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.utils import ConnectionDoesNotExist
from django.utils.asyncio import async_unsafe
from storm.uri import URI

from .. import conf
from ..conf import uris
from ..conf.stand_in import StandIn
from ..connection.factory import connection_to, entry_of
from ..connection.wrapper import StormWrapper
from ..replicas.connecting import connection_or_pair
from ..sql.effects import plain_name
from ..transactions import thread
from . import coherence
from .in_tests import warn_of_real_database
from .store import SharedStore, UnsharedStore


@async_unsafe
def get_store(name: str) -> SharedStore:
    """This thread's Storm store called `name`.

    It shares the connection of the Django database that names it; if none does, it has a connection of its own. Either
    way it is in Zope's transaction.
    """
    alias = alias_of(name)
    return _unshared_store(name) if alias is None else store_on(alias)


@async_unsafe
def store_on(alias: str) -> SharedStore:
    """This thread's store on the connection of a Django database."""
    connection = connections[alias]
    if isinstance(connection, StandIn):
        connection.complain()
    if not isinstance(connection, StormWrapper):
        raise ImproperlyConfigured(
            f"DATABASES[{alias!r}] shares no Storm store. Make its ENGINE {conf.ENGINE!r} and its NAME a store's."
        )
    connection = connection.itself
    if not isinstance(connection.store, SharedStore):
        connection.store = SharedStore(connection)
    return connection.store


def get_store_uri(name: str) -> str:
    """The URI of the database that the store called `name` uses, test databases included."""
    configured = conf.store(name).uri
    alias = alias_of(name)
    if alias is None:
        return configured
    used = connections[alias].settings_dict["NAME"]
    if used == uris.location(configured).settings["NAME"]:
        return configured
    uri = URI(configured)
    uri.database = used
    return str(uri)


def alias_of(name: str) -> str | None:
    """The Django database whose NAME is the store `name`, if there is one."""
    for alias, entry in connections.settings.items():
        if entry["ENGINE"] == conf.ENGINE and entry.get("STORM_STORE", entry["NAME"]) == name:
            return str(alias)
    return None


def invalidate(name: str, *tables: str) -> None:
    """Have the objects of the store called `name` read their values anew, where they are of these tables.

    Without tables: all objects. This is for what was written past both ORMs; what is not flushed yet stays.
    """
    names = {name for table in tables for name in (plain_name(table), table.lower())}
    coherence.invalidate(get_store(name), names or None)


def connections_of_all_stores() -> dict[str, StormWrapper]:
    """A new connection to the database of each store, none of which takes part in any transaction."""
    return {name: another_connection(name) for name in conf.stores()}


def forget_unshared(setting: str, **kwargs: Any) -> None:
    """A test has changed a setting: the stores that no alias names go by what it says from now on."""
    if setting == "STORM_STORES":
        for connection in list(thread.current().connections.values()):
            if isinstance(connection.store, UnsharedStore):
                connection.store.close()


def another_connection(name: str) -> StormWrapper:
    """A new connection to the database of a store, which takes no part in any transaction."""
    alias = alias_of(name)
    if alias is None:
        return connection_to(conf.store(name))
    # A site whose stores commit in one phase imports nothing of this.
    from ..two_phase import decision_log

    return decision_log.another(connections[alias])


def _unshared_store(name: str) -> UnsharedStore:
    # A connection of Django's that is not in DATABASES: its loops over `connections` go by the settings, and do not
    # see it.
    alias = f"store {name}"
    try:
        connection = connections[alias].itself
    except ConnectionDoesNotExist:
        connection = None
    if connection is None:
        # Not above: what is wrong with the name is no consequence of that error.
        connections[alias] = connection_or_pair(entry_of(conf.store(name)), alias)
        connection = connections[alias].itself
    if connection.store is None:
        warn_of_real_database(conf.store(name))
        connection.store = UnsharedStore(connection)
    return connection.store
