"""System checks: what is wrong with the settings, with the value and the remedy.

They read settings only and never connect.
"""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.utils.module_loading import import_string

from . import conf, uris

MIDDLEWARE = "djintegrate.storm_backend.middleware.ZopeTransactionMiddleware"
VIEW_ERRORS = "djintegrate.storm_backend.middleware.ViewErrorMiddleware"
FILTER = "djintegrate.storm_backend.reports.StoreHidingFilter"
DRIVERS = {
    "postgres": ("psycopg2", "djintegrate[postgresql]"),
    "mysql": ("MySQLdb", "djintegrate[mysql]"),
}
LOCATION_KEYS = ("HOST", "PORT", "USER", "PASSWORD")


def check_configuration(**kwargs: Any) -> list[CheckMessage]:
    """Everything about STORM_STORES, DATABASES and the middleware."""
    try:
        stores = conf.stores()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint="Correct STORM_STORES.", id="storm_backend.E001")]
    return [
        *_stores(stores),
        *_reports(stores),
        *_databases(stores),
        *_middleware(),
    ]


def _stores(stores: dict[str, conf.StoreSettings]) -> Iterator[CheckMessage]:
    for store in stores.values():
        where = f"STORM_STORES[{store.name!r}]"
        try:
            uri = uris.parse(store.uri)
        except ImproperlyConfigured as error:
            yield Error(f"{where}: {error}", hint="Correct the URI.", id="storm_backend.E002")
            continue
        driver, extra = DRIVERS.get(uri.scheme, (None, ""))
        if driver and importlib.util.find_spec(driver) is None:
            yield Error(
                f"{where} is a {uri.scheme} store, but its driver, {driver}, is not installed.",
                hint=f'Run: python -m pip install "{extra}"',
                id="storm_backend.E003",
            )
            continue
        if uri.scheme == "postgres" and importlib.util.find_spec("psycopg") is not None:
            yield checks.Warning(
                f"{where} is used through psycopg 3: where it is installed, Django prefers it to psycopg2. Storm does "
                "not know its errors yet.",
                hint="Run: python -m pip uninstall psycopg",
                id="storm_backend.W006",
            )
        if store.two_phase:
            yield checks.Warning(
                f"{where} has TWO_PHASE, which this version does not have yet: the store commits in one phase.",
                hint="Remove TWO_PHASE.",
                id="storm_backend.W005",
            )
        try:
            uris.location(store.uri)
        except ImproperlyConfigured as error:
            yield Error(f"{where}: {error}", hint="Correct the URI.", id="storm_backend.E002")
            continue
        if uri.scheme == "sqlite" and uri.database and not uri.database.startswith(("/", ":")):
            yield checks.Warning(
                f"{where} is the file {uri.database!r}, relative to the directory that the process is started in.",
                hint="Write an absolute path after one slash: sqlite:/srv/site/db.sqlite3 "
                "(in sqlite:///x, x is relative).",
                id="storm_backend.W001",
            )


def _reports(stores: dict[str, conf.StoreSettings]) -> Iterator[CheckMessage]:
    reporter_filter = import_string(settings.DEFAULT_EXCEPTION_REPORTER_FILTER)
    if reporter_filter.hidden_settings.search("STORM_STORES"):
        return
    for store in stores.values():
        if uris.without_password(store.uri) != store.uri:
            yield checks.Warning(
                f"STORM_STORES[{store.name!r}] has a password in its URI, and Django's error reports, by mail too, "
                "show it.",
                hint=f'Set DEFAULT_EXCEPTION_REPORTER_FILTER = "{FILTER}", or leave the password to ~/.pgpass, or '
                "to a file that the option read_default_file of a mysql URI names.",
                id="storm_backend.W004",
            )


def _databases(stores: dict[str, conf.StoreSettings]) -> Iterator[CheckMessage]:
    aliases = defaultdict(list)
    for alias, entry in connections.settings.items():
        if entry["ENGINE"] != conf.ENGINE:
            continue
        where = f"DATABASES[{alias!r}]"
        resolved = "STORM_STORE" in entry
        name = entry.get("STORM_STORE", entry["NAME"])
        aliases[name].append(alias)
        if name not in stores:
            yield Error(
                f"{where}['NAME'] is {str(name)!r}, which is no store. STORM_STORES names: "
                f"{', '.join(map(repr, stores)) or 'none'}.",
                hint="Make NAME the name of a store; its URI says where the database is.",
                id="storm_backend.E004",
            )
        given = [key for key in LOCATION_KEYS if entry.get(key)]
        if given and not resolved:
            yield Error(
                f"{where} has {', '.join(given)}, but only the store's URI says where the database is.",
                hint=f"Move them to the URI in STORM_STORES[{str(name)!r}].",
                id="storm_backend.E005",
            )
        if entry["ATOMIC_REQUESTS"] and MIDDLEWARE in settings.MIDDLEWARE:
            yield Error(
                f"{where} has ATOMIC_REQUESTS together with ZopeTransactionMiddleware: "
                "both would end the transaction of a request.",
                hint="Remove ATOMIC_REQUESTS: the middleware does the same for both ORMs.",
                id="storm_backend.E006",
            )
        if not entry["AUTOCOMMIT"]:
            yield checks.Warning(
                f"{where} has AUTOCOMMIT = False. Every statement outside of a transaction "
                "then begins one that somebody must commit.",
                hint="Remove AUTOCOMMIT, unless your code calls commit() itself.",
                id="storm_backend.W002",
            )
    for name, names in aliases.items():
        if len(names) > 1:
            yield Error(
                f"The DATABASES entries {', '.join(map(repr, names))} all name the store "
                f"{name!r}. A store shares the connection of one.",
                hint="Give each entry a store of its own in STORM_STORES.",
                id="storm_backend.E007",
            )


def _middleware() -> Iterator[CheckMessage]:
    middleware = list(settings.MIDDLEWARE)
    if MIDDLEWARE in middleware and middleware[0] != MIDDLEWARE:
        yield checks.Warning(
            "ZopeTransactionMiddleware is not the first in MIDDLEWARE: what "
            f"{middleware[0]!r} writes is outside of the request's transaction, and is "
            "kept when the request fails.",
            hint="Move it to the first place.",
            id="storm_backend.W003",
        )
    if MIDDLEWARE in middleware and VIEW_ERRORS not in middleware:
        for path in middleware:
            if path != MIDDLEWARE and hasattr(import_string(path), "process_exception"):
                yield checks.Warning(
                    f"{path!r} may turn a view's exception into a page. ZopeTransactionMiddleware then does not hear "
                    "of the exception, and commits what the view had written.",
                    hint=f"Add {VIEW_ERRORS!r} as the last in MIDDLEWARE.",
                    id="storm_backend.W007",
                )
    for read in (conf.commit_veto, conf.retry_attempts):
        try:
            read()
        except ImproperlyConfigured as error:
            yield Error(str(error), hint="Correct the setting.", id="storm_backend.E008")
