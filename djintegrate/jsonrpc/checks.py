"""System checks: what is wrong with the settings and with the methods, with the value and the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_backends, get_permission_codename
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured

from djintegrate.common.checks import unknown_names, wrong_values
from djintegrate.common.urls import import_urls

from . import conf
from .site import jsonrpc_site

NEARLY = 0.85
"""How like a known permission one has to be for a slip of the keyboard."""


def check_configuration(**kwargs: Any) -> list[CheckMessage]:
    unknown = list(unknown_names(conf.DECLARED, "jsonrpc.W001"))
    wrong = list(wrong_values(conf.DECLARED, "jsonrpc.E001"))
    # They often are what imports the modules with the methods.
    import_urls()
    return [*unknown, *(wrong or _passwords()), *_methods(), *_permissions()]


def _passwords() -> Iterator[CheckMessage]:
    if conf.password_parameters() and conf.throttle() is None:
        yield Warning(
            "JSONRPC_PASSWORD_PARAMETERS is on, and nothing slows down those who guess passwords.",
            hint="Set JSONRPC_THROTTLE, to (10, 60) say.",
            id="jsonrpc.W002",
        )
    if conf.password_parameters() and not (settings.DEBUG or getattr(settings, "SECURE_SSL_REDIRECT", False)):
        yield Warning(
            "JSONRPC_PASSWORD_PARAMETERS is on, and SECURE_SSL_REDIRECT is not: passwords may come in the clear.",
            hint='Set SECURE_SSL_REDIRECT, or if your proxy does so: SILENCED_SYSTEM_CHECKS = ["jsonrpc.W003"]',
            id="jsonrpc.W003",
        )


def _methods() -> Iterator[CheckMessage]:
    """Their hints are read here, so that a wrong one is found before the first call."""
    for method in jsonrpc_site.own_methods:
        try:
            _ = method.signature
        except ImproperlyConfigured as error:
            yield Error(
                str(error),
                hint="Correct the function's parameters, their type hints or its decorator.",
                id="jsonrpc.E002",
            )


def _permissions() -> Iterator[CheckMessage]:
    """Those that are nearly one that is known. One that is like none may be the site's own, made in the database."""
    known = _known_permissions()
    for method in jsonrpc_site.own_methods:
        for asked in dict.fromkeys(filter(None, (method.permission, *method.permissions.values()))):
            near = get_close_matches(asked, known, n=1, cutoff=NEARLY)
            if asked not in known and near:
                yield Warning(
                    f"The method {method.name!r} asks for the permission {asked!r}, which nobody has.",
                    hint=f"Did you mean {near[0]!r}?",
                    id="jsonrpc.W004",
                )


def _known_permissions() -> set[str]:
    """Of all models, and of the authentication backends that can name theirs, as AclBackend can."""
    known = set()
    for options in (model._meta for model in apps.get_models()):
        builtin = [get_permission_codename(action, options) for action in options.default_permissions]
        own = [codename for codename, _ in options.permissions]
        known |= {f"{options.app_label}.{codename}" for codename in (*builtin, *own)}
    for backend in get_backends():
        known |= getattr(backend, "known_permissions", set)()
    return known
