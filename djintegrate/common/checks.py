"""The system checks of settings that are declared: each given value fits, and no name is a slip of the pen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured

from .settings import Declared, Setting


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
