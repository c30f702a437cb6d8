"""What the doctor is told of the sign-in: what a move has left over, and whether the named providers can be found."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS
from openid.consumer.discover import DiscoveryFailure

from djintegrate.common.examination import Finding, ill, tried

from . import connect
from .conf import config
from .people import verified
from .protocol.discovery import discover
from .site.egress import make_fetcher
from .upkeep import adoption, left_over, tables
from .upkeep.tables import counted

SUBJECT = "sign-in"
LOOK = "See whether this machine may reach that address, and whether it is right."


def examine() -> Iterator[Finding]:
    """Never raises: a part that cannot be looked at is itself a finding."""
    for part in (_urls, _migrations, _adoption, _providers):
        with _quietly():
            yield from tried(SUBJECT, part)


def _urls() -> Iterator[Finding]:
    if left_over.in_urls():
        yield ill(
            SUBJECT, f"The URLs still name {verified.OLD}, which is not here any more.",
            'Write "djintegrate.openid_auth" instead, there and in what they import.',
        )  # fmt: skip


def _migrations() -> Iterator[Finding]:
    if migration := left_over.in_migrations():
        yield ill(
            SUBJECT, f"The migration {migration} depends on {verified.OLD}, which is not here any more.",
            'Add "djintegrate.openid_auth.old_tables" to INSTALLED_APPS, and read about foreign keys in the how-to '
            "on moving from django-openid-auth.",
        )  # fmt: skip


def _adoption() -> Iterator[Finding]:
    """Whether openid_adopt has not been run, or has been interrupted."""
    if not tables.are_here(DEFAULT_DB_ALIAS):
        return
    run = "Run: python manage.py openid_adopt"
    if waiting := adoption.waiting(DEFAULT_DB_ALIAS):
        identities = counted(waiting, "identity", "identities")
        yield ill(SUBJECT, f"{identities} of django-openid-auth cannot sign in here yet.", run)
    if verified.find(verified.OLD, DEFAULT_DB_ALIAS):
        yield ill(SUBJECT, f"The permission {verified.CODENAME} is still django-openid-auth's.", run)


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
