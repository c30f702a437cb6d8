"""System checks: what is wrong with the settings, with the value and the remedy. They never touch the database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from openid.extensions import sreg

from djintegrate.common.checks import leads_nowhere, unknown_names, wrong_values
from djintegrate.common.types import did_you_mean

from . import conf, connect
from .auth import OpenIDBackend
from .conf import config
from .people import membership, sessions
from .people.handover import OLD
from .protocol.library import default_fetcher
from .site import issuers
from .site.fetcher import FetchRefused, parse
from .upkeep import left_over

BACKEND = "djintegrate.openid_auth.auth.OpenIDBackend"
KNOWN_BACKENDS = (BACKEND, "django.contrib.auth.backends.ModelBackend")
HOST = re.compile(r"[a-zA-Z0-9_.-]+")
HOST_AND_PORT = re.compile(r"(\[[0-9a-f:.]+\]|[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f.]*|[a-z0-9_.-]+(?=:|$))(:[0-9]+)?")
"""A host is compared in lower case; an address of IPv6 may have brackets."""
SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"


def check_configuration(**kwargs: Any) -> list[CheckMessage]:
    """Everything about the settings of the OpenID app."""
    found = [*unknown_names(conf.DECLARED, "openid_auth.W005"), *wrong_values(conf.DECLARED, "openid_auth.E001")]
    for part in PARTS:
        # A part that needs a setting whose value does not fit, which has been said, has nothing to add.
        with suppress(ImproperlyConfigured):
            for message in part():
                found.append(message)
    return found


def _sso_server() -> Iterator[CheckMessage]:
    if config.sso_server_url:
        yield from _address("OPENID_SSO_SERVER_URL", config.sso_server_url)


def _endpoints() -> Iterator[CheckMessage]:
    for url in config.teams_trusted_endpoints or ():
        yield from _address("OPENID_TEAMS_TRUSTED_ENDPOINTS", url)


def _address(name: str, url: str) -> Iterator[CheckMessage]:
    try:
        parse(url)
    except (FetchRefused, ValueError):
        yield Error(
            f"{name} has {url!r}, which is not an address that could be fetched.",
            hint="Write it whole, as in https://login.launchpad.net/",
            id="openid_auth.E002",
        )


def _patterns() -> Iterator[CheckMessage]:
    for pattern in config.email_whitelist:
        try:
            re.compile(pattern)
        except re.error as error:
            yield Error(
                f"OPENID_EMAIL_WHITELIST_REGEXP_LIST has {pattern!r}, which is not a regular expression: {error}.",
                hint="Correct the expression.",
                id="openid_auth.E003",
            )


def _required_fields() -> Iterator[CheckMessage]:
    return _fields("OPENID_SREG_REQUIRED_FIELDS", config.sreg_required_fields)


def _extra_fields() -> Iterator[CheckMessage]:
    return _fields("OPENID_SREG_EXTRA_FIELDS", config.sreg_extra_fields)


def _fields(setting: str, names: Iterable[str]) -> Iterator[CheckMessage]:
    for name in dict.fromkeys(names):
        if name not in sreg.data_fields:
            yield Error(
                f"{name!r} is not a field of simple registration, which has {', '.join(sorted(sreg.data_fields))}.",
                hint=f"Correct {setting}.",
                id="openid_auth.E004",
            )


def _fetched_hosts() -> Iterator[CheckMessage]:
    return _hosts("OPENID_FETCH_ALLOWED_HOSTS", config.fetch_allowed_hosts, HOST_AND_PORT, '"host:port"')


def _redirect_hosts() -> Iterator[CheckMessage]:
    return _hosts("ALLOWED_EXTERNAL_OPENID_REDIRECT_DOMAINS", config.redirect_domains, HOST, "a host's name alone")


def _hosts(name: str, values: Iterable[str], form: re.Pattern[str], should_be: str) -> Iterator[CheckMessage]:
    for value in values:
        if not form.fullmatch(value):
            netloc = re.sub(r"^\w+://|[/?#].*$", "", value).lower()
            better = netloc if form.fullmatch(netloc) else netloc.partition(":")[0]
            yield Error(
                f"{name} has {value!r}, which no host is called: it is never found.",
                hint=f"Write {better!r}." if form.fullmatch(better) else f"Write {should_be}, in lower case.",
                id="openid_auth.E010",
            )


def _group_model() -> Iterator[CheckMessage]:
    if config.user_group_model is not None:
        try:
            membership.get_user_group_model()
        except ImproperlyConfigured as error:
            yield Error(str(error), hint="Correct AUTH_USER_GROUP_MODEL.", id="openid_auth.E005")


def _sessions() -> Iterator[CheckMessage]:
    if SESSIONS not in settings.MIDDLEWARE:
        yield Warning(
            "MIDDLEWARE has no SessionMiddleware, and who has signed in is remembered in the session.",
            hint=f"Add {SESSIONS!r}, or one of your own that does the same.",
            id="openid_auth.W001",
        )
    with suppress(ImportError):  # Django says itself which middleware cannot be imported.
        if sessions.is_too_early():
            yield Error(
                "OpenIDSessionMiddleware comes too early in MIDDLEWARE: no page of the site would work.",
                hint="Put it after SessionMiddleware and AuthenticationMiddleware.",
                id="openid_auth.E014",
            )
    try:
        import_string(settings.SESSION_SERIALIZER)
    except ImportError:
        yield Error(
            f"SESSION_SERIALIZER is {settings.SESSION_SERIALIZER!r}, which cannot be imported: no request would have a "
            "session.",
            hint="Remove the setting. django-openid-auth needed it, and this app does not.",
            id="openid_auth.E012",
        )


def _backends() -> Iterator[CheckMessage]:
    # Those of the old app are said where its name is left over.
    backends = [path for path in settings.AUTHENTICATION_BACKENDS if not path.startswith(f"{OLD}.")]
    wrong = [(path, error) for path in backends if (error := _import_error(path))]
    for path, error in wrong:
        yield Error(
            f"AUTHENTICATION_BACKENDS has {path!r}, which cannot be imported, so that nobody can sign in: {error}.",
            hint=did_you_mean(path, KNOWN_BACKENDS) or "Correct the path.",
            id="openid_auth.E013",
        )
    if not wrong and len(backends) == len(settings.AUTHENTICATION_BACKENDS) and not any(map(_is_ours, backends)):
        yield Warning(
            "AUTHENTICATION_BACKENDS has no OpenIDBackend: no sign-in by OpenID will find a user.",
            hint=f"Add {BACKEND!r}, or a class derived from it.",
            id="openid_auth.W002",
        )
    first = 0 if wrong else next((number for number, path in enumerate(backends) if _is_ours(path)), 0)
    if first:
        yield Warning(
            f"AUTHENTICATION_BACKENDS has {backends[0]!r} before OpenIDBackend, and so account_verified outlives a "
            "change of the account's address.",
            hint=f"Put {backends[first]!r} first.",
            id="openid_auth.W010",
        )


def _left_over() -> Iterator[CheckMessage]:
    for name, value in left_over.in_settings():
        yield Error(
            f"{name} still has {value!r}, of the app that this one replaces.",
            hint="Remove it." if value == OLD else f"Replace it with {left_over.replacement(value)!r}.",
            id="openid_auth.E011",
        )


def _login_url() -> Iterator[CheckMessage]:
    if settings.is_overridden("LOGIN_URL") and leads_nowhere("LOGIN_URL"):
        named = str(settings.LOGIN_URL) == "openid-login"
        yield Warning(
            f"LOGIN_URL is {str(settings.LOGIN_URL)!r}, and this site has no page there: who has to sign in sees an "
            "error.",
            hint='Put path("openid/", include("djintegrate.openid_auth.urls")) into the URLs.'
            if named
            else 'This app\'s login is called "openid-login".',
            id="openid_auth.W008",
        )


def _afterwards() -> Iterator[CheckMessage]:
    for name, what in (("LOGIN_REDIRECT_URL", "sign-in"), ("LOGOUT_REDIRECT_URL", "sign-out")):
        # None is Django's own default, and the front page may be another server's.
        if settings.is_overridden(name) and getattr(settings, name) not in (None, "/") and leads_nowhere(name):
            yield Warning(
                f"{name} is {str(getattr(settings, name))!r}, and this site has no page there: a {what} ends at an "
                "error, or at the front page instead.",
                hint="Name a view of yours, or write an address from its first slash on. If another server answers "
                'there: SILENCED_SYSTEM_CHECKS = ["openid_auth.W009"]',
                id="openid_auth.W009",
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


def _import_error(path: str) -> ImportError | None:
    try:
        import_string(path)
    except ImportError as error:
        return error
    return None


def _is_ours(path: str) -> bool:
    return issubclass(import_string(path), OpenIDBackend)


def _fetcher() -> Iterator[CheckMessage]:
    if config.fetcher is None and default_fetcher() is not None:
        yield Warning(
            "Something has called python3-openid's setDefaultFetcher(). That fetcher is used, and our rules "
            "about addresses and redirects do not hold for it.",
            hint="Take the call out, or name the fetcher in OPENID_FETCHER, if it keeps such rules itself.",
            id="openid_auth.W006",
        )


def _unsolicited() -> Iterator[CheckMessage]:
    if config.allow_unsolicited:
        yield Warning(
            "OPENID_ALLOW_UNSOLICITED is on: any page can sign a visitor in as somebody else, whose account then gets "
            "what the visitor writes.",
            hint="Leave it off, unless a provider of yours cannot do without.",
            id="openid_auth.W003",
        )


def _teams() -> Iterator[CheckMessage]:
    wanted = config.teams_mapping or config.teams_mapping_auto or config.staff_teams or config.teams_required
    if wanted and config.teams_trusted_endpoints is not None and not config.teams_trusted_endpoints:
        yield Warning(
            "OPENID_TEAMS_TRUSTED_ENDPOINTS is empty: nobody is in any team.",
            hint="Name the endpoints whose word on teams counts, or remove the setting.",
            id="openid_auth.W004",
        )


PARTS = (
    _sso_server, _endpoints, _patterns, _required_fields, _extra_fields, _fetched_hosts, _redirect_hosts, _group_model,
    _sessions, _backends, _left_over, _login_url, _afterwards, _fetcher, _unsolicited, _teams, _connect,
)  # fmt: skip
"""Each reads as few settings as it can: a wrong one silences only the parts that need it."""
