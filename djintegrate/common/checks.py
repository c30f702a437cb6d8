"""The system checks of settings that are declared: each given value fits, and no name is a slip of the pen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, is_valid_path
from django.utils.module_loading import import_string

from .engine import MIDDLEWARE, is_to_be_engines
from .settings import Declared, Setting
from .types import did_you_mean

CLOSE = 0.8
"""How much a path has to be like one of ours: many of other apps begin and end alike."""


def wrong_values(settings: Iterable[Setting[Any]], check_id: str) -> Iterator[CheckMessage]:
    """An error for each of these whose value does not fit."""
    for setting in settings:
        try:
            setting()
        except ImproperlyConfigured as error:
            yield Error(str(error), hint=f"Correct {setting.name}.", id=check_id)


def unknown_names(declared: Declared, check_id: str) -> Iterator[CheckMessage]:
    """A warning for each of the site's settings that looks like one of the app's, and is not."""
    for name, question in declared.strangers():
        yield Warning(
            f"{name} is not a setting of djintegrate.{declared.app}. {question}".rstrip(),
            hint="Correct the name, or remove the setting. If something else reads it: "
            f'SILENCED_SYSTEM_CHECKS = ["{check_id}"]',
            id=check_id,
        )


def requests_without_transaction(alias: str, what: str, check_id: str) -> Iterator[CheckMessage]:
    """A warning if a request that fails leaves what it has written to this alias, and `what` with it."""
    connection = connections[alias]
    if connection.settings_dict["ATOMIC_REQUESTS"]:
        return
    if is_to_be_engines(connection):
        if any(_is_or_extends(path) for path in settings.MIDDLEWARE):
            return
        remedy = f"Put {MIDDLEWARE!r} first in MIDDLEWARE."
    else:
        remedy = f'Set DATABASES["{alias}"]["ATOMIC_REQUESTS"] = True.'
    yield Warning(
        f"A request is no transaction of the database {alias!r}: {what}",
        hint=f'{remedy} If your views begin transactions of their own: SILENCED_SYSTEM_CHECKS = ["{check_id}"]',
        id=check_id,
    )


def slip_of(path: object, ours: Collection[str]) -> str:
    """The question whether a path that cannot be imported was to be one of these; nothing where it hardly was."""
    try:
        import_string(path)
    except Exception:  # whatever the module does when it is imported
        return did_you_mean(path, ours) if get_close_matches(str(path), ours, n=1, cutoff=CLOSE) else ""
    return ""


def leads_nowhere(name: str) -> bool:
    """Whether this setting, such as LOGIN_URL, names no page of this site, and no other site."""
    try:
        address = resolve_url(getattr(settings, name) or "")
        return not urlsplit(address).netloc and not _is_page(address)
    except NoReverseMatch:
        return True
    except Exception:
        # URLs that cannot be loaded, for whatever reason, are Django's to tell.
        return False


def _is_page(address: str) -> bool:
    """Also below a prefix, which only the server may know."""
    path = urlsplit(address).path
    if not path.startswith("/"):
        # A browser would look for it below the page that it is at.
        return False
    ends = [path[begin:] for begin, letter in enumerate(path) if letter == "/"]
    return any(is_valid_path(end) or is_valid_path(f"{end}/") for end in ends if end == path or end != "/")


def _is_or_extends(path: str) -> bool:
    try:
        found = import_string(path)
    except ImportError:
        # Django says so itself when it makes its handler.
        return False
    return any(f"{kind.__module__}.{kind.__qualname__}" == MIDDLEWARE for kind in getattr(found, "__mro__", ()))
