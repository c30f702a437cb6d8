"""What a store behind a pooler in transaction mode cannot have; for the system check, and for a connection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from djintegrate.common.errors import Misconfigured

from . import StoreSettings
from .uris import parse


def objections(store: StoreSettings, options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What stands against POOLER = "transaction", and what to do. `options` are the URI's and OPTIONS together."""
    if store.pooler != "transaction":
        return
    if parse(store.uri).scheme != "postgres":
        yield "it is no PostgreSQL store", "Remove POOLER: it is for PgBouncer and its like."
        return
    if options.get("options"):
        yield (
            f"its connections are opened with options={options['options']!r}, which a pooler refuses or ignores",
            "Set this on the server, for the user or the database: ALTER ROLE … SET, or ALTER DATABASE … SET.",
        )
    if options.get("assume_role"):
        yield (
            f"it has assume_role={options['assume_role']!r}, which is for a session",
            "Set this on the server: ALTER ROLE … SET role TO …; or connect as that role.",
        )
    if options.get("prepare_threshold") is not None:
        yield (
            f"it has prepare_threshold={options['prepare_threshold']!r}: a prepared statement is in one session",
            "Remove prepare_threshold.",
        )


def refuse(store: StoreSettings, options: Mapping[str, Any]) -> None:
    """Misconfigured if there is an objection."""
    for what, remedy in objections(store, options):
        raise Misconfigured(f"STORM_STORES[{store.name!r}] has POOLER = 'transaction', but {what}. {remedy}")
