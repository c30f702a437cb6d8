"""The driver of a store's database: whichever Django's native backend picks, or what to install.

For PostgreSQL Django picks psycopg 3 where it can be imported, and psycopg2 otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from djintegrate.common.errors import Misconfigured

from .folders import NamesItsFolder

SQLITE = "django.db.backends.sqlite3"
EXTRAS = {"django.db.backends.postgresql": "postgresql", "django.db.backends.mysql": "mysql"}


class DriverMissing(Misconfigured):
    """No driver for a native backend can be imported."""

    def __init__(self, reason: str, backend: str) -> None:
        super().__init__(f"{reason}. {remedy(backend)}")
        self.reason = reason


def native_base(backend: str) -> ModuleType:
    """The module with the DatabaseWrapper of a native backend; it imports the driver."""
    try:
        return import_module(f"{backend}.base")
    except ImproperlyConfigured as error:
        reasons = "; ".join(_reasons(error.__cause__ or error.__context__))
        reason = _first_line(error) + (f" ({reasons})" if reasons else "")
        raise DriverMissing(reason, backend) from error


def native_wrapper(backend: str) -> type[Any]:
    """The DatabaseWrapper of a native backend."""
    wrapper: type[Any] = native_base(backend).DatabaseWrapper
    if backend != SQLITE:
        return wrapper
    return type("DatabaseWrapper", (NamesItsFolder, wrapper), {"__module__": wrapper.__module__})


def remedy(backend: str) -> str:
    """What to do about a DriverMissing."""
    return f'Run: python -m pip install "djintegrate[{EXTRAS[backend]}]"'


def _reasons(error: BaseException | None) -> Iterator[str]:
    # Where there are two drivers, each has its own reason; the first is in the context of the second.
    if error is not None:
        yield from _reasons(error.__cause__ or error.__context__)
        yield _first_line(error)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
