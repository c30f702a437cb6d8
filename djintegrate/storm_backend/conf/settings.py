"""The settings of the Storm backend, read in one place, with their defaults."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from .uris import parse, without_password

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

ENGINE = "djintegrate.storm_backend"

STORE_KEYS = frozenset({"URI", "TWO_PHASE", "SCHEMA"})

Veto = Callable[["HttpRequest", "HttpResponseBase"], bool]


@dataclass(frozen=True)
class StoreSettings:
    """One entry of STORM_STORES."""

    name: str
    uri: str
    two_phase: bool = False
    schema: str | None = None


def stores() -> dict[str, StoreSettings]:
    """Every configured store by its name."""
    configured = getattr(settings, "STORM_STORES", {})
    if not isinstance(configured, dict):
        raise ImproperlyConfigured(
            f"STORM_STORES is {without_password(repr(configured))}. Make it a dictionary from a store's "
            'name to its URI, for instance {"main": "sqlite:db.sqlite3"}.'
        )
    return {name: _store(name, value) for name, value in configured.items()}


def store(name: str) -> StoreSettings:
    """The store called `name`; ImproperlyConfigured if there is none."""
    known = stores()
    if name not in known:
        raise ImproperlyConfigured(
            f"STORM_STORES names no store {name!r}. It names: "
            f"{', '.join(map(repr, known)) or 'none'}. Add {name!r} there, or use one "
            "of those."
        )
    return known[name]


def is_two_phase(name: str) -> bool:
    """Whether the store prepares its commits. SQLite cannot, which a check tells."""
    entry = stores().get(name)
    return entry is not None and entry.two_phase and parse(entry.uri).scheme != "sqlite"


def site() -> str:
    """What this site is called in the names of its two-phase transactions."""
    return configured_site() or _site_of_databases()


def configured_site() -> str | None:
    """What STORM_SITE says, if it is set."""
    name = getattr(settings, "STORM_SITE", None)
    if name is not None and not (isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9_.-]{1,30}", name)):
        raise ImproperlyConfigured(
            f"STORM_SITE is {name!r}. Make it a name of at most 30 letters, digits, dots, hyphens and low lines."
        )
    return name


def commit_safe_methods() -> bool:
    """False: a GET, HEAD or OPTIONS request never commits."""
    return bool(getattr(settings, "STORM_COMMIT_SAFE_METHODS", True))


def commit_veto() -> Veto | None:
    """The function that may refuse a commit, if STORM_COMMIT_VETO names one."""
    path = getattr(settings, "STORM_COMMIT_VETO", None)
    if path is None:
        return None
    try:
        veto: Veto = import_string(path)
    except (ImportError, TypeError, AttributeError) as error:
        raise ImproperlyConfigured(
            f"STORM_COMMIT_VETO is {path!r}, which cannot be imported ({error}). Make "
            "it the dotted path of a function veto(request, response)."
        ) from error
    if not callable(veto):
        raise ImproperlyConfigured(
            f"STORM_COMMIT_VETO is {path!r}, which is no function. Make it the dotted "
            "path of a function veto(request, response)."
        )
    return veto


def retry_attempts() -> int:
    """How often a request may run in all, when the database asks for a retry."""
    attempts = getattr(settings, "STORM_RETRY_ATTEMPTS", 1)
    if isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 1:
        raise ImproperlyConfigured(
            f"STORM_RETRY_ATTEMPTS is {attempts!r}. Make it a whole number, 1 or more: "
            "how often a request may run in all."
        )
    return attempts


def _site_of_databases() -> str:
    # Not hosts and users, which may differ between the machines of one site, nor files, which may move.
    uris = {name: parse(entry.uri) for name, entry in stores().items()}
    places = sorted((name, uri.scheme, str(uri.database)) for name, uri in uris.items() if uri.scheme != "sqlite")
    return hashlib.sha256(repr(places).encode()).hexdigest()[:12]


def _store(name: str, value: Any) -> StoreSettings:
    entry = {"URI": value} if isinstance(value, str) else value
    if not isinstance(entry, dict) or not isinstance(entry.get("URI"), str):
        raise ImproperlyConfigured(
            f"STORM_STORES[{name!r}] is {without_password(repr(value))}. Make it a URI such as "
            '"postgres://user@host/db", or a dictionary with the key "URI".'
        )
    unknown = sorted(set(entry) - STORE_KEYS)
    if unknown:
        raise ImproperlyConfigured(
            f"STORM_STORES[{name!r}] has the unknown key {unknown[0]!r}. The keys are {', '.join(sorted(STORE_KEYS))}."
        )
    return StoreSettings(name, entry["URI"], bool(entry.get("TWO_PHASE", False)), entry.get("SCHEMA"))
