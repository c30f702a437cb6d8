"""The settings of the Storm backend, each declared once with its type and its default, and what follows from them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import connections

from djintegrate.common.engine import ENGINE as ENGINE
from djintegrate.common.errors import Misconfigured
from djintegrate.common.settings import Declared, Setting
from djintegrate.common.types import (
    boolean,
    dictionary,
    did_you_mean,
    function,
    number,
    one_of,
    optional,
    record,
    sequence,
    text,
    unfit,
    whole_number,
)

from .uris import canonical, parse

STORES = 'a dictionary from a store\'s name to its URI, for instance {"main": "sqlite:/srv/site/db.sqlite3"}'
URI = 'a URI such as "postgres://user@host/db"'
SITE = "a name of at most 30 letters, digits, dots, hyphens and underscores, or None"
VETO = "the dotted path of a function veto(request, response), or None"
REPLICAS = 'a list of URIs such as ["postgres://user@standby/db"]'
ATTEMPTS = "a whole number, 1 or more: how often a request may run in all"

REQUIRED_KEYS = {"URI": text(URI)}
FURTHER_KEYS = {
    "TWO_PHASE": boolean,
    "MAX_CONNECTIONS": optional(whole_number("a whole number, 1 or more, or None", least=1)),
    "MAX_WAIT_SECONDS": number("a number of seconds above 0", above=0),
    "POOLER": optional(one_of("session", "transaction")),
    "SCHEMA": optional(text('the dotted path of a package, such as "shop.ledger_schema", or None')),
    "REPLICAS": sequence(REPLICAS, text(URI)),
    "STICKY_SECONDS": number("a number of seconds: how long a browser that wrote reads from the primary"),
    "MAX_LAG_SECONDS": number("a number of seconds: how far a replica may be behind"),
}
STORE = f'{URI}, or a dictionary with the key "URI", and with {", ".join(FURTHER_KEYS)} as needed'


class StoreSettings(NamedTuple):
    """One entry of STORM_STORES."""

    name: str
    uri: str
    two_phase: bool = False
    schema: str | None = None
    pooler: str | None = None
    # How many connections a process may have, and how long a thread waits for one.
    max_connections: int | None = None
    max_wait_seconds: float = 10
    replicas: tuple[str, ...] = ()
    sticky_seconds: float = 120
    max_lag_seconds: float = 10

    @classmethod
    def from_entry(cls, name: str, entry: dict[str, Any]) -> StoreSettings:
        given = {key.lower(): value for key, value in entry.items()}
        given["replicas"] = tuple(map(canonical, given.get("replicas", ())))
        return cls(name, canonical(given.pop("uri")), **given)


def _entry(value: Any) -> dict[str, Any]:
    return record(STORE, REQUIRED_KEYS, **FURTHER_KEYS)({"URI": value} if isinstance(value, str) else value)


def _site(value: Any) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,30}", text(SITE)(value)):
        raise unfit(value, SITE, "")
    return str(value)


configured_stores = Setting("STORM_STORES", dictionary(STORES, text(STORES), _entry), {})
configured_site = Setting("STORM_SITE", optional(_site), None)
commit_safe_methods = Setting("STORM_COMMIT_SAFE_METHODS", boolean, True)
"""False: a GET, HEAD or OPTIONS request never commits."""
commit_veto = Setting("STORM_COMMIT_VETO", optional(function(VETO, only_path=True)), None)
"""The function that may refuse a commit."""
retry_attempts = Setting("STORM_RETRY_ATTEMPTS", whole_number(ATTEMPTS, least=1), 1)
"""How often a request may run in all, when the database asks for a retry."""

DECLARED = Declared("storm_backend", "STORM_", globals())


def stores() -> dict[str, StoreSettings]:
    """Every configured store by its name."""
    return {name: StoreSettings.from_entry(name, entry) for name, entry in configured_stores().items()}


def store(name: str) -> StoreSettings:
    """The store called `name`; Misconfigured if there is none."""
    known = stores()
    if name not in known:
        remedy = "" if _store_of_alias(name) else f" Add {name!r} there, or use one of those."
        raise Misconfigured(f"{unknown(name)}{remedy}")
    return known[name]


def unknown(name: object) -> str:
    """What to say of a store that STORM_STORES does not name."""
    if its := _store_of_alias(name):
        return f"STORM_STORES names no store {name!r}: that is an alias of DATABASES, whose store is {its!r}. Use it."
    known = [repr(each) for each in stores()]
    others = f"It names: {', '.join(known)}. {did_you_mean(repr(name), known)}" if known else "It names none."
    return f"STORM_STORES names no store {name!r}. {others}".rstrip()


def named_by(entry: Mapping[str, Any]) -> str:
    """The name of the store that a DATABASES entry is on, whether or not the engine has filled the entry in."""
    return str(entry.get("STORM_STORE", entry["NAME"]))


def _store_of_alias(alias: object) -> str | None:
    """The store that a DATABASES entry names, if there are both."""
    entry = connections.settings.get(str(alias))
    if entry is None or entry["ENGINE"] != ENGINE:
        return None
    name = named_by(entry)
    return name if name in stores() else None


def is_two_phase(name: str) -> bool:
    """Whether the store prepares its commits. SQLite cannot, and a check says so."""
    entry = stores().get(name)
    return entry is not None and entry.two_phase and parse(entry.uri).scheme != "sqlite"


def is_pooled(name: str) -> bool:
    """Whether the store has a session of the server's only for the length of a transaction."""
    entry = stores().get(name)
    return entry is not None and entry.pooler == "transaction" and parse(entry.uri).scheme == "postgres"


def site() -> str:
    """What this site is called in the names of its two-phase transactions: STORM_SITE, or a digest of its databases."""
    if configured := configured_site():
        return configured
    # Not hosts and users, which may differ between the machines of one site, nor files, which may move.
    uris = {name: parse(entry.uri) for name, entry in stores().items()}
    places = sorted((name, uri.scheme, str(uri.database)) for name, uri in uris.items() if uri.scheme != "sqlite")
    return hashlib.sha256(repr(places).encode()).hexdigest()[:12]
