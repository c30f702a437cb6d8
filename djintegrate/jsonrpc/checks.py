"""System checks: what is wrong with the settings and with the methods, with the value and the remedy."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_backends, get_permission_codename
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.urls import get_resolver

from djintegrate.common.checks import unknown_names, wrong_values
from djintegrate.common.urls import import_urls

from . import conf
from .methods import Method
from .site import JSONRPCSite, jsonrpc_site

NEARLY = 0.85
"""How like a known permission one has to be for a slip of the keyboard."""


def check_configuration(**kwargs: Any) -> list[CheckMessage]:
    unknown = list(unknown_names(conf.DECLARED, "jsonrpc.W001"))
    wrong = list(wrong_values(conf.DECLARED, "jsonrpc.E001"))
    methods = [method for site in _sites() for method in site.own_methods]
    return [*unknown, *(wrong or [*_passwords(), *_authenticate()]), *_methods(methods), *_permissions(methods)]


def _sites() -> list[JSONRPCSite]:
    """The one that is always there, and those that the URLconf includes, each once."""
    # The URLs often are what imports the modules with the methods.
    broken = import_urls()
    included = () if broken else _included(get_resolver().url_patterns)
    return list(dict.fromkeys([jsonrpc_site, *included]))


def _included(patterns: Iterable[Any]) -> Iterator[JSONRPCSite]:
    for each in patterns:
        try:
            inner = getattr(each, "url_patterns", ())
        except ImproperlyConfigured:
            continue  # Django's own check tells of it.
        yield from _included(inner)
        callback = getattr(each, "callback", None)
        view = inspect.unwrap(callback) if callable(callback) else None
        for owner in (getattr(view, "__self__", None), getattr(view, "view_initkwargs", {}).get("site")):
            if isinstance(owner, JSONRPCSite):
                yield owner


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


def _authenticate() -> Iterator[CheckMessage]:
    """What can be told of the function without calling it."""
    function = conf.authenticate()
    if function is None:
        return
    if iscoroutinefunction(function):
        why = "is async"
    elif isinstance(function, type):
        why = "is a class"
    elif not _takes_one(function):
        why = "cannot be called with the request alone"
    else:
        return
    yield Error(
        f"JSONRPC_AUTHENTICATE is {conf.authenticate.given!r}, which {why}.",
        hint="Make it a plain function(request) that returns a user or None.",
        id="jsonrpc.E003",
    )


def _takes_one(function: Any) -> bool:
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:
        return True  # One of C's, which does not say.
    return True


def _methods(methods: list[Method]) -> Iterator[CheckMessage]:
    """Their hints are read here, so that a wrong one is found before the first call."""
    for method in methods:
        try:
            takes_anything = method.signature.takes_anything
        except ImproperlyConfigured as error:
            yield Error(
                str(error),
                hint="Correct the function's parameters, their type hints or its decorator.",
                id="jsonrpc.E002",
            )
            continue
        if takes_anything:
            yield Warning(
                f"The method {method.name!r} takes whatever parameters there are, and none of them is checked: its "
                f"function is {method.function.__qualname__}{inspect.signature(method.function)}.",
                hint="If it was made by a decorator, use functools.wraps in that. If it is meant: "
                'SILENCED_SYSTEM_CHECKS = ["jsonrpc.W005"]',
                id="jsonrpc.W005",
            )


def _permissions(methods: list[Method]) -> Iterator[CheckMessage]:
    """Those that are nearly one that is known. One that is like none may be the site's own, made in the database."""
    known = _known_permissions()
    for method in methods:
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
