"""The native backend of a store's database, with the driver that Django picks; and what to do where there is none."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db import OperationalError

from djintegrate.common.errors import Misconfigured
from djintegrate.common.sqlite import missing_folder

EXTRAS = {"django.db.backends.postgresql": "postgresql", "django.db.backends.mysql": "mysql"}


class DriverMissing(Misconfigured):
    """No driver for a native backend can be imported."""

    def __init__(self, reason: str, backend: str) -> None:
        self.reason = reason
        self.remedy = f'Run: python -m pip install "djintegrate[{EXTRAS[backend]}]"'
        super().__init__(f"{reason}. {self.remedy}")


class FolderMissing(OperationalError, CommandError):
    """The error of a connection that Django knows; a management command ends with its one line."""


class NamesItsFolder:
    """Mixed in before Django's DatabaseWrapper for SQLite, whose error does not say which file it cannot open."""

    settings_dict: dict[str, Any]

    def get_new_connection(self, conn_params: Any) -> Any:
        try:
            return super().get_new_connection(conn_params)  # type: ignore[misc]
        except sqlite3.OperationalError:
            file = str(self.settings_dict["NAME"])
            folder = missing_folder(file)
            if folder is None:
                raise
            message = f"The folder {str(folder)!r} is not there, and the SQLite store {file!r} is to be in it. Make it."
            # Storm's callers get the driver's error, which is the cause.
            raise FolderMissing(message) from sqlite3.OperationalError(message)


def native_base(backend: str) -> ModuleType:
    """The module with the DatabaseWrapper of a native backend; it imports the driver."""
    try:
        return import_module(f"{backend}.base")
    except ImproperlyConfigured as error:
        # Where there are two drivers, each has its own reason; the first is in the context of the second.
        reason, *others = [str(each).partition("\n")[0] for each in _chain(error)]
        raise DriverMissing(f"{reason} ({'; '.join(reversed(others))})" if others else reason, backend) from error


def native_wrapper(backend: str) -> type[Any]:
    """The DatabaseWrapper of a native backend."""
    wrapper: type[Any] = native_base(backend).DatabaseWrapper
    if backend != "django.db.backends.sqlite3":
        return wrapper
    return type("DatabaseWrapper", (NamesItsFolder, wrapper), {"__module__": wrapper.__module__})


def unknown_to_libpq(names: Collection[str]) -> Iterator[str]:
    """Those that PostgreSQL's own library does not take as options of a connection."""
    if not names:
        return
    driver: Any = native_base("django.db.backends.postgresql").Database
    parse = driver.conninfo.conninfo_to_dict if driver.__name__ == "psycopg" else driver.extensions.parse_dsn
    for name in names:
        try:
            parse(f"{name}=''")
        except driver.ProgrammingError:
            yield name


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
