"""Who of django-openid-auth's people would lose what teams gave them: their provider is not trusted with teams here."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from ..conf import config
from ..people import membership
from .adoption import old_models
from .references import batches
from .tables import names_of_tables

BATCH = 500


def at_next_sign_in(using: str) -> Counter[str]:
    """How many people, by the host of their identity."""
    old = old_models().identity
    if old._meta.db_table not in names_of_tables(using):
        return Counter()
    trusted = {host_of(endpoint) for endpoint in _trusted_endpoints()}
    safe: set[Any] = set()
    elsewhere: dict[Any, str] = {}
    for batch in batches(old, using, BATCH):
        for row in batch:
            host = host_of(row.claimed_id)
            if any(_belong_together(host, each) for each in trusted):
                safe.add(row.owner)
            else:
                elsewhere.setdefault(row.owner, host)
    people = [owner for owner in elsewhere if owner not in safe]
    losers: set[Any] = set()
    for begin in range(0, len(people), BATCH):
        losers |= membership.holders(people[begin : begin + BATCH], using)
    return Counter(elsewhere[owner] for owner in losers)


def host_of(address: str) -> str:
    try:
        return urlsplit(address).hostname or address
    except ValueError:
        return address


def _trusted_endpoints() -> list[str]:
    if config.teams_trusted_endpoints is not None:
        return list(config.teams_trusted_endpoints)
    return [config.sso_server_url or "", membership.LAUNCHPAD_ENDPOINT, membership.UBUNTU_ONE_ENDPOINT]


def _belong_together(host: str, other: str) -> bool:
    """Whether one is the other, or a part of it, as login.launchpad.net of launchpad.net."""
    return host == other or host.endswith(f".{other}") or other.endswith(f".{host}")
