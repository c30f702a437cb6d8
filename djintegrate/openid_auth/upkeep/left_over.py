"""Where a site that has moved from django-openid-auth still names it: in settings and migrations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db.migrations.exceptions import NodeNotFoundError
from django.db.migrations.loader import MigrationLoader

from ..people.handover import OLD

MODULES = ("admin", "auth", "exceptions", "forms", "models", "signals", "store", "teams", "urls", "views")
DOTTED = re.compile(rf"{OLD}\.(\w+)[\w.]*")


def in_settings() -> Iterator[tuple[str, str]]:
    """Each setting that names something of the old app, and what."""
    if OLD in settings.INSTALLED_APPS:
        yield "INSTALLED_APPS", OLD
    for name in sorted(set(dir(settings))):
        if name.isupper() and settings.is_overridden(name):
            for value in _texts(getattr(settings, name)):
                if DOTTED.fullmatch(value):
                    yield name, value


def replacement(value: str) -> str:
    """What is called here as `value` was there: a module's name, or the app's label before a permission or a model."""
    found = DOTTED.fullmatch(value)
    prefix = "djintegrate.openid_auth" if not found or found[1] in MODULES else "openid_auth"
    return prefix + value.removeprefix(OLD)


def in_migrations() -> tuple[str, str] | None:
    """The first migration of the site's own that depends on one of the old app's which is not here, and that one."""
    try:
        MigrationLoader(None)
    except NodeNotFoundError as error:
        if error.node[0] == OLD:
            return str(error.origin), error.node[1]
    return None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for each in value:
            yield from _texts(each)
