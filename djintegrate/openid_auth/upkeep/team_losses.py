"""Who of django-openid-auth's people would lose something: the way in, or what teams gave them.

What teams gave goes where their provider is not trusted with teams here; the way in, where OPENID_SSO_SERVER_URL lets
only another provider sign people in.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ..conf import config
from ..people import membership
from ..site.pages import issuers
from .adoption import old_models
from .references import batches
from .tables import names_of_tables

BATCH = 500


class Losses(NamedTuple):
    """How many people, by the host of an identity of theirs."""

    locked_out: Counter[str]
    without_teams: Counter[str]


def at_next_sign_in(using: str) -> Losses:
    hosts = _hosts_of_people(using)
    only = _the_only_host()
    locked_out: Counter[str] = Counter()
    untrusted: dict[Any, str] = {}
    trusted = {host_of(endpoint) for endpoint in _trusted_endpoints()}
    for owner, all_hosts in hosts.items():
        usable = [host for host in all_hosts if only is None or _belong_together(host, only)]
        if not usable:
            locked_out[all_hosts[0]] += 1
        elif not any(_belong_together(host, each) for host in usable for each in trusted):
            untrusted[owner] = usable[0]
    return Losses(locked_out, Counter(untrusted[owner] for owner in _who_have_something(list(untrusted), using)))


def _hosts_of_people(using: str) -> dict[Any, list[str]]:
    old = old_models().identity
    hosts: dict[Any, list[str]] = {}
    if old._meta.db_table in names_of_tables(using):
        for batch in batches(old, using, BATCH):
            for row in batch:
                hosts.setdefault(row.owner, []).append(host_of(row.claimed_id))
    return hosts


def _who_have_something(people: list[Any], using: str) -> set[Any]:
    """Those whom teams gave groups, or the staff flag."""
    found: set[Any] = set()
    for begin in range(0, len(people), BATCH):
        found |= membership.holders(people[begin : begin + BATCH], using)
    return found


def _the_only_host() -> str | None:
    """The host of the one provider that signs people in, if there is one, and it speaks OpenID 2.0."""
    only = config.sso_server_url
    return host_of(only) if only and only not in issuers() else None


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
