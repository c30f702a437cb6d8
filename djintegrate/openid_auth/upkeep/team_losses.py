"""Who loses something at the next sign-in, the way in or what teams gave them; and who may become staff by it.

What teams gave goes where their provider is not trusted with teams here; the way in, where OPENID_SSO_SERVER_URL lets
only another provider sign people in. It is about identities of OpenID 2.0, here and in django-openid-auth's tables.
Who has one of OpenID Connect as well has another way in, and another trust.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.contrib.auth import get_user_model

from ..conf import config
from ..models import UserOpenID
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
    only, trusted = _the_only_host(), _trusted_hosts()
    locked_out: Counter[str] = Counter()
    untrusted: dict[Any, str] = {}
    for owner, all_hosts in _hosts_of_people(using).items():
        usable = _usable(all_hosts, only)
        if not usable:
            locked_out[all_hosts[0]] += 1
        elif not _is_any_of(trusted, usable):
            untrusted[owner] = usable[0]
    # Those whom teams gave groups, or the staff flag.
    losers = {owner for some in _some(list(untrusted)) for owner in membership.holders(some, using)}
    return Losses(locked_out, Counter(untrusted[owner] for owner in losers))


def may_become_staff(using: str) -> int:
    """How many are no staff, and have an identity at a provider whose word on teams would make them that."""
    users = get_user_model()._default_manager.using(using).filter(is_active=True, is_staff=False)
    only, trusted = _the_only_host(), _trusted_hosts()
    people = [owner for owner, hosts in _hosts_of_people(using).items() if _is_any_of(trusted, _usable(hosts, only))]
    return sum(users.filter(pk__in=some).count() for some in _some(people))


def an_identity_at(host: str, using: str) -> str:
    for model in _identities(using):
        if found := model.objects.using(using).filter(claimed_id__contains=f"//{host}").first():
            return str(found.claimed_id)
    return ""


def _identities(using: str) -> list[Any]:
    """The models of identities, here and of django-openid-auth, whose tables there are."""
    there = names_of_tables(using)
    return [model for model in (old_models().identity, UserOpenID) if model._meta.db_table in there]


def _hosts_of_people(using: str) -> dict[Any, list[str]]:
    hosts: dict[Any, list[str]] = {}
    connected: set[Any] = set()
    for model in _identities(using):
        for row in (row for batch in batches(model, using, BATCH) for row in batch):
            owner = row.user_id if model is UserOpenID else row.owner
            if " " in row.claimed_id:
                connected.add(owner)
            hosts.setdefault(owner, []).append(host_of(row.claimed_id))
    return {owner: found for owner, found in hosts.items() if owner not in connected}


def _usable(hosts: list[str], only: str | None) -> list[str]:
    return [host for host in hosts if only is None or _belong_together(host, only)]


def _trusted_hosts() -> set[str]:
    return {host_of(endpoint) for endpoint in _trusted_endpoints()}


def _is_any_of(trusted: set[str], hosts: list[str]) -> bool:
    return any(_belong_together(host, each) for host in hosts for each in trusted)


def _some(people: list[Any]) -> Iterator[list[Any]]:
    for begin in range(0, len(people), BATCH):
        yield people[begin : begin + BATCH]


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
