"""What a DATABASES entry on this engine may say; for the system check, and for a connection that is made without it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import connections

from djintegrate.common.errors import Misconfigured
from djintegrate.common.types import Type, Unfit, boolean, dictionary, number, optional, text

from . import ENGINE, StoreSettings, named_by, stores, unknown

WRONG_TYPE = "storm_backend.E011"
PLACE = ("HOST", "PORT", "USER", "PASSWORD")
TYPES: dict[str, Type[Any]] = {
    "ATOMIC_REQUESTS": boolean,
    "AUTOCOMMIT": boolean,
    "CONN_HEALTH_CHECKS": boolean,
    "CONN_MAX_AGE": optional(number("a number of seconds, 0, or None", least=0)),
    "DISABLE_SERVER_SIDE_CURSORS": boolean,
    "OPTIONS": dictionary("a dictionary"),
    "TEST": dictionary("a dictionary"),
    "TIME_ZONE": optional(text('the name of a time zone, such as "Europe/London", or None')),
}
"""Keys whose values Django takes as they come, to fail later or to take "False" for true."""


OTHERS = ("ENGINE", "NAME", *PLACE)


@register
def check_app(**kwargs: Any) -> Iterator[CheckMessage]:
    """That the app is there. All other checks are registered by the app, and this one by who uses the engine."""
    aliases = [alias for alias, entry in connections.settings.items() if entry["ENGINE"] == ENGINE]
    if aliases and not apps.is_installed(ENGINE):
        yield Error(
            f"DATABASES[{aliases[0]!r}] is on {ENGINE}, which is not in INSTALLED_APPS: nothing is checked, no "
            "transaction that a request leaves open is aborted, and references do not heed what is deleted.",
            hint=f"Add {ENGINE!r} to INSTALLED_APPS.",
            id="storm_backend.E014",
        )


def slips(alias: str, entry: Mapping[str, Any]) -> Iterator[Warning]:
    """Keys that look like one of Django's. It does not look at those that it does not know."""
    for key in entry:
        near = get_close_matches(str(key), (*TYPES, *OTHERS), n=1, cutoff=0.8)
        if near and near[0] != key:
            yield Warning(
                f"DATABASES[{alias!r}] has the unknown key {key!r}. Did you mean {near[0]!r}?",
                hint="Correct the key, or remove it.",
                id="storm_backend.W013",
            )


def store_of(alias: str, entry: Mapping[str, Any]) -> StoreSettings:
    """The store that an entry names; Misconfigured if anything about that is wrong."""
    for mistake in mistakes(alias, entry):
        raise Misconfigured(f"{mistake.msg} {mistake.hint}")
    return stores()[entry["NAME"]]


def name_test_databases() -> None:
    """Write into DATABASES what Django takes the test database of SQLite for where no name is given: one in memory.

    pytest-django, which gives each worker of pytest-xdist a name of its own, knows that only of Django's own engine.
    """
    for entry in connections.settings.values():
        if entry["ENGINE"] == ENGINE and isinstance(entry["TEST"], dict) and not entry["TEST"].get("NAME"):
            with contextlib.suppress(Misconfigured):
                store = stores().get(named_by(entry))
                if store is not None and store.uri.startswith("sqlite:"):
                    entry["TEST"]["NAME"] = ":memory:"


def mistakes(alias: str, entry: Mapping[str, Any]) -> Iterator[Error]:
    """What is wrong with an entry. One that the engine has already turned into the native backend's is right."""
    if "STORM_STORE" in entry:
        return
    where, name = f"DATABASES[{alias!r}]", str(entry["NAME"])
    if entry["NAME"] not in list(stores()):
        yield Error(
            f"{where}['NAME'] is {name!r}, but {unknown(name)}",
            hint='Make NAME the name of a store, whose URI says where the database is, such as "main" with '
            'STORM_STORES = {"main": "sqlite:/srv/site/db.sqlite3"}.',
            id="storm_backend.E004",
        )
    if given := [key for key in PLACE if entry.get(key)]:
        yield Error(
            f"{where} has {', '.join(given)}, but only the store's URI says where the database is.",
            hint=f"Move {'it' if len(given) == 1 else 'them'} to the URI in STORM_STORES[{name!r}].",
            id="storm_backend.E005",
        )
    for key in filter(entry.__contains__, TYPES):
        try:
            TYPES[key](entry[key])
        except Unfit as unfit:
            yield Error(f"{where}[{key!r}]{unfit}", hint=f"Correct {key}.", id=WRONG_TYPE)
