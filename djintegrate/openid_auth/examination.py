"""What the doctor is told of the sign-in: what a move has left over, and whether the named providers can be found."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.apps import apps
from django.contrib.auth.models import Group
from django.db import DEFAULT_DB_ALIAS, router
from openid.consumer.discover import DiscoveryFailure

from djintegrate.common.examination import Finding, ill, run, tried
from djintegrate.common.types import did_you_mean

from . import connect
from .conf import config
from .people import handover, membership
from .people.handover import OLD
from .protocol.discovery import discover
from .site.egress import make_fetcher
from .upkeep import adoption, left_over, tables, team_losses
from .upkeep.tables import counted

SUBJECT = "sign-in"
OLD_TABLES = "djintegrate.openid_auth.old_tables"
MIGRATE, ADOPT = "migrate", "openid_adopt"
HOSTS = 5
"""How many of them are named."""
NAMED = 10
"""How many groups are."""
LOOK = "See whether this machine may reach that address, and whether it is right."


def examine() -> Iterator[Finding]:
    """Never raises: a part that cannot be looked at is itself a finding."""
    for part in (_migrations, _adoption, _losses, _staff, _groups, _providers):
        with _quietly():
            yield from tried(SUBJECT, part)


def before_migrate(alias: str) -> list[str]:
    """Where django-openid-auth's tables are: a foreign key of the site's own wants their identities in ours first."""
    database = "" if alias == DEFAULT_DB_ALIAS else f" --database {alias}"
    if not _are_old_tables_here(alias):
        return []
    if not tables.are_here(alias):
        return [f"{MIGRATE} openid_auth{database}", f"{ADOPT}{database}"]
    is_to_adopt = adoption.waiting(alias).copied or handover.permissions(OLD, alias).exists()
    return [f"{ADOPT}{database}"] if is_to_adopt else []


def _are_old_tables_here(alias: str) -> bool:
    return any(name.startswith(f"{OLD}_") for name in adoption.old_tables(alias))


def _migrations() -> Iterator[Finding]:
    found = left_over.in_migrations()
    if found and apps.is_installed(OLD_TABLES):
        yield ill(
            SUBJECT, f"The migration {found[0]} depends on {OLD}.{found[1]}, which old_tables does not have.",
            "Django once wrote that into the old package by itself. Write '0001_initial' into the dependency.",
        )  # fmt: skip
    elif found:
        yield ill(
            SUBJECT, f"The migration {found[0]} depends on {OLD}, which is not here any more.",
            f'Add "{OLD_TABLES}" to INSTALLED_APPS, write \'0001_initial\' into the dependency if it names another '
            "migration, and read about foreign keys in the how-to on moving from django-openid-auth.",
        )  # fmt: skip


def _adoption() -> Iterator[Finding]:
    """Whether openid_adopt has not been run, or has been interrupted, or has left something to decide."""
    identities = adoption.waiting(DEFAULT_DB_ALIAS)
    is_old_there = _are_old_tables_here(DEFAULT_DB_ALIAS)
    yield from _left_to_decide(identities)
    remedy = run(*before_migrate(DEFAULT_DB_ALIAS), MIGRATE)
    if tables.are_here(DEFAULT_DB_ALIAS):
        yield from _left_to_adopt(identities, remedy)
    elif is_old_there:
        yield ill(SUBJECT, "Here are tables of django-openid-auth, and not all of this app.", remedy)
    if is_old_there and not apps.is_installed(OLD_TABLES):
        yield Finding(
            SUBJECT, "The tables of django-openid-auth are still here: a user who has an identity in them cannot be "
            "deleted. Drop them once you are satisfied with the move.",
        )  # fmt: skip


def _left_to_decide(identities: adoption.Count) -> Iterator[Finding]:
    if number := identities.of_nobody:
        yield ill(
            SUBJECT, f"{counted(number, 'identity', 'identities')} of django-openid-auth without a user: SQLite's "
            "migrate fails over such a row.",
            f"python manage.py {ADOPT} --dry-run names them. To remove them: DELETE FROM {identities.name} WHERE "
            f"{adoption.without_owner(DEFAULT_DB_ALIAS)};",
        )  # fmt: skip
    if number := identities.of_others:
        yield ill(
            SUBJECT, f"{counted(number, 'identity', 'identities')} of django-openid-auth signed in another user there "
            "than here.",
            f"python manage.py {ADOPT} --dry-run names them; the how-to on moving from django-openid-auth says what to "
            "do.",
        )  # fmt: skip


def _left_to_adopt(identities: adoption.Count, remedy: str) -> Iterator[Finding]:
    if number := identities.copied:
        said = f"{counted(number, 'identity', 'identities')} of django-openid-auth cannot sign in here yet."
        yield ill(SUBJECT, said, remedy)
    if number := handover.permissions(OLD, DEFAULT_DB_ALIAS).count():
        yield ill(SUBJECT, f"{counted(number, 'permission is', 'permissions are')} still django-openid-auth's.", remedy)


def _losses() -> Iterator[Finding]:
    """Who cannot sign in, or loses something by it, whether they came from django-openid-auth or not."""
    losses = team_losses.at_next_sign_in(DEFAULT_DB_ALIAS)
    others = losses.locked_out.most_common(HOSTS)
    at_the_only_provider = set(_vouched_for([host for host, _ in others]))
    for host, number in others:
        if host in at_the_only_provider:
            continue
        yield ill(
            SUBJECT, f"{counted(number, 'person', 'people')} with an identity at {host} cannot sign in with it: "
            f"OPENID_SSO_SERVER_URL lets nobody sign in from elsewhere than {config.sso_server_url}.",
            "Give them an identity there, in the admin under OpenID identities, or another way in, such as a password.",
        )  # fmt: skip
    for host, number in losses.without_teams.most_common(HOSTS):
        yield ill(
            SUBJECT, f"{counted(number, 'person', 'people')} with an identity at {host}, which is not trusted with "
            "teams, will lose their mapped groups or the staff flag when they sign in.",
            "If teams come from there, name its endpoint in OPENID_TEAMS_TRUSTED_ENDPOINTS.",
        )  # fmt: skip


def _vouched_for(hosts: list[str]) -> Iterator[str]:
    """Those where the identities are the one provider's too, though its own address is elsewhere."""
    fetcher = make_fetcher()
    with suppress(DiscoveryFailure):
        ours = {each.server_url for each in discover(config.sso_server_url or "", fetcher)[1]} if hosts else set()
        for host in hosts:
            with suppress(DiscoveryFailure):
                theirs = discover(team_losses.an_identity_at(host, DEFAULT_DB_ALIAS), fetcher)[1]
                if any(each.server_url in ours for each in theirs):
                    yield host


def _staff() -> Iterator[Finding]:
    """Teams that make people staff, and that django-openid-auth never asked for: nobody became staff by them."""
    if not config.staff_teams or not _has_groups():
        return
    unmapped = [team for team in dict.fromkeys(config.staff_teams) if team not in membership.teams_mapping()]
    if not unmapped:
        return
    which, them = ("the team", "it") if len(unmapped) == 1 else ("one of the teams", "them")
    said = (
        f"Whoever is in {which} {', '.join(map(repr, unmapped))} becomes staff at the next sign-in. django-openid-auth "
        f"did not ask providers about {them}, as OPENID_LAUNCHPAD_TEAMS_MAPPING does not name {them}, and made nobody "
        f"staff by {them}."
    )
    if not _are_old_tables_here(DEFAULT_DB_ALIAS):
        yield Finding(SUBJECT, said)
        return
    number = counted(team_losses.may_become_staff(DEFAULT_DB_ALIAS), "person", "people")
    yield ill(
        SUBJECT, f"{said} It may concern {number}, who are no staff, and whose provider is trusted with teams.",
        f"If they are not to become staff, take {them} out of OPENID_LAUNCHPAD_STAFF_TEAMS before you open the site. "
        "If they are, this is a problem no more once the old tables are dropped.",
    )  # fmt: skip


def _has_groups() -> bool:
    """Without their table, migrations are to be said first."""
    return Group._meta.db_table in tables.names_of_tables(router.db_for_read(Group))


def _groups() -> Iterator[Finding]:
    """Whether the groups that teams stand for are there."""
    mapping = config.teams_mapping
    if config.teams_mapping_auto or not mapping or not _has_groups():
        return
    for name in membership.missing_groups(mapping)[:NAMED]:
        team = next(team for team, group in mapping.items() if group == name)
        known = Group.objects.values_list("name", flat=True)
        yield ill(
            SUBJECT, f"OPENID_LAUNCHPAD_TEAMS_MAPPING has the group {name!r} for the team {team!r}, and there is no "
            "such group: nobody joins or leaves it.",
            f"Make the group, in the admin say, or correct its name. {did_you_mean(name, list(known))}".rstrip(),
        )  # fmt: skip


def _providers() -> Iterator[Finding]:
    addresses = {entry["url"] for entry in config.providers if "url" in entry}
    issuers = {entry["issuer"] for entry in config.providers if "issuer" in entry}
    if config.sso_server_url and config.sso_server_url not in issuers:
        addresses = {config.sso_server_url}
    for address in sorted(addresses - {""}):
        try:
            _, endpoints = discover(address, make_fetcher())
        except DiscoveryFailure as error:
            reason = error.__cause__
            why = f" {getattr(reason, 'why', None) or reason}." if reason else ""
            yield ill(SUBJECT, f"{error}{why}", LOOK)
        else:
            yield Finding(SUBJECT, f"{address} names {endpoints[0].server_url}.")
    for issuer in sorted(issuers) if connect.is_installed() else ():
        if wrong := connect.undescribed(issuer, make_fetcher()):
            yield ill(SUBJECT, f"{issuer} does not describe itself: {wrong}.", LOOK)
        else:
            yield Finding(SUBJECT, f"{issuer} describes itself.")
    if not addresses and not issuers:
        yield Finding(SUBJECT, "No provider is named: people write their own OpenID.")


@contextmanager
def _quietly() -> Iterator[None]:
    """What the sign-in logs is in the finding."""
    logger = logging.getLogger("djintegrate.openid_auth")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
