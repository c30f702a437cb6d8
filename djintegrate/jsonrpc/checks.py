"""System checks: what is wrong with the settings and with the methods, with the value and the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured

from djintegrate.common.checks import unknown_names, wrong_values

from . import conf
from .site import jsonrpc_site


def check_configuration(**kwargs: Any) -> list[CheckMessage]:
    unknown = list(unknown_names(conf.DECLARED, "jsonrpc.W001"))
    wrong = list(wrong_values(conf.DECLARED, "jsonrpc.E001"))
    return [*unknown, *(wrong or _passwords()), *_methods()]


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
            assert method.signature
        except ImproperlyConfigured as error:
            yield Error(str(error), hint="Correct the function's type hints or its decorator.", id="jsonrpc.E002")
