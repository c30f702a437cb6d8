"""What keeps Django from starting with a site's settings, for the doctor; and what does not keep it from the rest."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from traceback import walk_tb
from typing import Any

from djintegrate.common.examination import Finding, first_line, ill
from djintegrate.common.types import did_you_mean

VARIABLE = "DJANGO_SETTINGS_MODULE"
SUCCESSORS = {"django_openid_auth": "djintegrate.openid_auth", "dojango": "djintegrate.dojo"}
APPS = [f"djintegrate.{app}" for app in ("acl", "dojo", "files", "jobs", "jsonrpc", "openid_auth", "storm_backend")]
ENGINES = [
    "djintegrate.storm_backend",
    *(f"django.db.backends.{name}" for name in ("mysql", "oracle", "postgresql", "sqlite3")),
]


def set_up() -> Iterator[Finding]:
    """What keeps Django from starting. An app that cannot be made ready does not keep the others from it."""
    import django
    from django.apps import apps

    try:
        django.setup()
    except Exception as error:
        # Whatever the settings, and the modules of the apps, may raise.
        said = f"{type(error).__name__}: {first_line(error)}"
        app = _app_at_hand(error)
        if app is None or not apps.models_ready:
            yield ill("settings", f"{os.environ[VARIABLE]}: {said}", _how_to_import(error, app and app.name))
            return
        yield _unready(app, error)
        configs = list(apps.get_app_configs())
        for config in configs[configs.index(app) + 1 :]:
            try:
                config.ready()
            except Exception as another:
                yield _unready(config, another)
        apps.ready = True


def _app_at_hand(error: Exception) -> Any:
    """The configuration of the app whose models, or whose ready(), Django was at."""
    from django.apps import AppConfig

    each = (frame.f_locals.get("self") for frame, _ in walk_tb(error.__traceback__))
    # isinstance() would ask a lazy object, such as the settings, for its class, and that may be what has failed.
    return next((found for found in each if issubclass(type(found), AppConfig)), None)


def _unready(config: Any, error: Exception) -> Finding:
    from django.core.exceptions import ImproperlyConfigured

    # Whoever raises that one says what to do, on as many lines as it takes.
    said = " ".join(str(error).split()) if isinstance(error, ImproperlyConfigured) else first_line(error)
    return ill(
        "apps", f"{config.name} is not ready: {type(error).__name__}: {said}", _how_to_import(error, config.name)
    )


def _how_to_import(error: Exception, app: str | None = None) -> str:
    if remedy := how_to_succeed(error):
        return remedy
    with contextlib.suppress(Exception):
        remedy = _meant_in_settings(_missing_module(error), str(error))
    is_of_the_site = app is not None and not app.startswith("django.")
    what = f"the settings, or the app {app!r}." if is_of_the_site else "the settings, or their name."
    return remedy or f"Correct {what} `python manage.py check` has the traceback."


def how_to_succeed(error: Exception) -> str:
    """What to write where somebody imports a package that one of ours takes the place of."""
    successor = SUCCESSORS.get(_missing_module(error).partition(".")[0])
    return f'Write "{successor}" instead, in INSTALLED_APPS, the URLs and what is imported.' if successor else ""


def _missing_module(error: Exception) -> str:
    return (error.name or "") if isinstance(error, ImportError) else ""


def _meant_in_settings(missing: str, said: str) -> str:
    """The entry of INSTALLED_APPS, or of DATABASES, that an error is about, with what it may be a slip of."""
    from django.conf import settings

    for app in settings.INSTALLED_APPS:
        if missing and f"{app}.".startswith(f"{missing}."):
            return f"Correct {app!r} in INSTALLED_APPS. {did_you_mean(app, APPS)}".rstrip()
    for alias, entry in settings.DATABASES.items():
        if said.startswith(repr(entry.get("ENGINE"))):
            return how_to_name_engine(alias, entry)
    return ""


def how_to_name_engine(alias: str, entry: dict[str, Any]) -> str:
    return f"Correct DATABASES[{alias!r}]['ENGINE']. {did_you_mean(entry['ENGINE'], ENGINES)}".rstrip()
