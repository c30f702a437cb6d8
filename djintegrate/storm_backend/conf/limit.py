"""What goes against MAX_CONNECTIONS in a DATABASES entry; for the system check, and for a connection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from djintegrate.common.errors import Misconfigured

from . import StoreSettings


def objections(store: StoreSettings, entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is against it, and what to do."""
    if store.max_connections is None:
        return
    if (age := entry["CONN_MAX_AGE"]) != 0:
        yield f"has CONN_MAX_AGE = {age!r}: its connections go round after each request", "Remove CONN_MAX_AGE."
    if entry["OPTIONS"].get("pool"):
        yield "has the option 'pool', which has a limit of its own", "Remove 'pool', or MAX_CONNECTIONS."


def refuse(alias: str, store: StoreSettings, entry: Mapping[str, Any]) -> None:
    """Misconfigured if there is an objection."""
    for what, remedy in objections(store, entry):
        raise Misconfigured(f"{said(alias, store, what)} {remedy}")


def said(alias: str, store: StoreSettings, what: str) -> str:
    return f"The store {store.name!r} has MAX_CONNECTIONS, and DATABASES[{alias!r}] {what}."
