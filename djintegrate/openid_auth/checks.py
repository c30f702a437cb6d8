"""System checks: what is wrong with the settings, with the value and the remedy. They never touch the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from openid.extensions import sreg

from djintegrate.common.checks import unknown_names, wrong_values

from . import conf, connect
from .auth import OpenIDBackend
from .conf import config
from .people import membership, sessions
from .protocol.library import default_fetcher
from .site import issuers
from .site.fetcher import FetchRefused, parse

BACKEND = "djintegrate.openid_auth.auth.OpenIDBackend"
SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"


def check_configuration(**kwargs: Any) -> list[CheckMessage]:
    """Everything about the settings of the OpenID app."""
    unknown = list(unknown_names(conf.DECLARED, "openid_auth.W005"))
    wrong = list(wrong_values(conf.DECLARED, "openid_auth.E001"))
    return unknown + (wrong or [*_addresses(), *_fields(), *_group_model(), *_surroundings(), *_trust(), *_connect()])


def _addresses() -> Iterator[CheckMessage]:
    named = [("OPENID_SSO_SERVER_URL", config.sso_server_url)] if config.sso_server_url else []
    named += [("OPENID_TEAMS_TRUSTED_ENDPOINTS", url) for url in config.teams_trusted_endpoints or ()]
    for name, url in named:
        try:
            parse(url)
        except (FetchRefused, ValueError):
            yield Error(
                f"{name} has {url!r}, which is not an address that could be fetched.",
                hint="Write it whole, as in https://login.launchpad.net/",
                id="openid_auth.E002",
            )
    for pattern in config.email_whitelist:
        try:
            re.compile(pattern)
        except re.error as error:
            yield Error(
                f"OPENID_EMAIL_WHITELIST_REGEXP_LIST has {pattern!r}, which is not a regular expression: {error}.",
                hint="Correct the expression.",
                id="openid_auth.E003",
            )


def _fields() -> Iterator[CheckMessage]:
    for name in dict.fromkeys([*config.sreg_required_fields, *config.sreg_extra_fields]):
        if name not in sreg.data_fields:
            yield Error(
                f"{name!r} is not a field of simple registration, which has {', '.join(sorted(sreg.data_fields))}.",
                hint="Correct OPENID_SREG_REQUIRED_FIELDS or OPENID_SREG_EXTRA_FIELDS.",
                id="openid_auth.E004",
            )


def _group_model() -> Iterator[CheckMessage]:
    if config.user_group_model is not None:
        try:
            membership.get_user_group_model()
        except ImproperlyConfigured as error:
            yield Error(str(error), hint="Correct AUTH_USER_GROUP_MODEL.", id="openid_auth.E005")


def _surroundings() -> Iterator[CheckMessage]:
    if SESSIONS not in settings.MIDDLEWARE:
        yield Warning(
            "MIDDLEWARE has no SessionMiddleware, and a sign-in that was begun is remembered in the session.",
            hint=f"Add {SESSIONS!r}, or one of your own that does the same.",
            id="openid_auth.W001",
        )
    if not any(map(_is_ours, settings.AUTHENTICATION_BACKENDS)):
        yield Warning(
            "AUTHENTICATION_BACKENDS has no OpenIDBackend: no sign-in by OpenID will find a user.",
            hint=f"Add {BACKEND!r}, or a class derived from it.",
            id="openid_auth.W002",
        )


def _connect() -> Iterator[CheckMessage]:
    entries = [entry for entry in config.providers if "issuer" in entry]
    if not entries:
        return
    if not connect.is_installed():
        yield Error(
            "OPENID_PROVIDERS has an issuer, and what OpenID Connect needs is not installed.",
            hint="Install djintegrate[oidc].",
            id="openid_auth.E006",
        )
        return
    for entry in entries:
        yield from _client(entry)
    for name, values in (("issuer", [entry["issuer"] for entry in entries]), ("key", list(map(issuers.key, entries)))):
        for value in dict.fromkeys(each for each in values if values.count(each) > 1):
            yield Error(
                f"OPENID_PROVIDERS has the {name} {value!r} twice.",
                hint="Give each entry an issuer and a key of its own; without a key, it is made of the name.",
                id="openid_auth.E009",
            )
    if not sessions.is_watched():
        yield Warning(
            "OPENID_PROVIDERS has an issuer, and MIDDLEWARE no OpenIDSessionMiddleware: no provider can end a session.",
            hint=f"Add {sessions.MIDDLEWARE!r} after AuthenticationMiddleware.",
            id="openid_auth.W007",
        )


def _client(entry: dict[str, Any]) -> Iterator[CheckMessage]:
    for wrong, hint in connect.mistakes(entry):
        yield Error(f"OPENID_PROVIDERS, {entry['name']!r}: {wrong}", hint=hint, id="openid_auth.E007")
    if "private_key" in entry and (wrong := connect.unreadable(entry)):
        yield Error(
            f"OPENID_PROVIDERS, {entry['name']!r}: its private_key cannot be read: {wrong}.",
            hint="Make it a private key of RSA, of an elliptic curve or of Ed25519, as text in PEM, unencrypted.",
            id="openid_auth.E008",
        )


def _is_ours(path: str) -> bool:
    try:
        return issubclass(import_string(path), OpenIDBackend)
    except ImportError:
        # Django tells of it at the first sign-in.
        return False


def _trust() -> Iterator[CheckMessage]:
    if config.fetcher is None and default_fetcher() is not None:
        yield Warning(
            "Something has called python3-openid's setDefaultFetcher(). That fetcher is used, and our rules "
            "about addresses and redirects do not hold for it.",
            hint="Take the call out, or name the fetcher in OPENID_FETCHER, if it keeps such rules itself.",
            id="openid_auth.W006",
        )
    if config.allow_unsolicited:
        yield Warning(
            "OPENID_ALLOW_UNSOLICITED is on: any page can sign a visitor in as somebody else, whose account then gets "
            "what the visitor writes.",
            hint="Leave it off, unless a provider of yours cannot do without.",
            id="openid_auth.W003",
        )
    wanted = config.teams_mapping or config.teams_mapping_auto or config.staff_teams or config.teams_required
    if wanted and config.teams_trusted_endpoints is not None and not config.teams_trusted_endpoints:
        yield Warning(
            "OPENID_TEAMS_TRUSTED_ENDPOINTS is empty: nobody is in any team.",
            hint="Name the endpoints whose word on teams counts, or remove the setting.",
            id="openid_auth.W004",
        )
