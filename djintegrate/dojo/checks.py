"""System checks: what is wrong with the settings, with the value and the remedy. They read settings only."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from . import conf

MIDDLEWARE = "djintegrate.dojo.middleware.DojoMiddleware"


def check_configuration(**kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for number, read in enumerate((conf.url, conf.theme, conf.dj_config, conf.form_function), 1):
        if read is conf.url and not conf.enabled():
            continue
        try:
            read()
        except ImproperlyConfigured as error:
            found.append(Error(str(error), hint="Correct the setting.", id=f"dojo.E{number:03}"))
    if MIDDLEWARE not in settings.MIDDLEWARE:
        found.append(
            checks.Warning(
                "DojoMiddleware is not in MIDDLEWARE: requests have no attribute `dojo`.",
                hint=f"Add {MIDDLEWARE!r}, anywhere in MIDDLEWARE.",
                id="dojo.W001",
            )
        )
    return found
