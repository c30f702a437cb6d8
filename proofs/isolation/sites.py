"""The databases of these proofs, each at every isolation level that it offers, and Django's settings for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from os import environ
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.db.utils import ConnectionHandler

from djintegrate.storm_backend.conf import uris
from tools.drivers import driver_of, kind_of
from tools.servers import running

from .tables import TABLES

LEVELS = {
    "sqlite": {"rollback journal": "timeout=0", "write-ahead log": "timeout=0&journal_mode=wal"},
    "postgres": {level: f"isolation={level}" for level in ("read-committed", "repeatable-read", "serializable")},
    "mysql": {
        level: f"isolation={level}"
        for level in ("read-uncommitted", "read-committed", "repeatable-read", "serializable")
    },
}
"""By their names, with the options of the URI. PostgreSQL takes read-uncommitted for read-committed."""


@dataclass(frozen=True)
class Site:
    """A database under test. Each level is an alias of Django's, and a store."""

    database: str
    kind: str
    uri: str

    @property
    def levels(self) -> list[str]:
        return list(LEVELS[self.kind])

    def uri_at(self, level: str) -> str:
        # A file keeps its journal, so each has a file of its own.
        own = f"-{self.levels.index(level)}" if self.kind == "sqlite" else ""
        return f"{self.uri}{own}?{LEVELS[self.kind][level]}"

    def native(self, level: str) -> Any:
        """A connection of Django's native backend, for plain SQL: neither ORM, and nothing of the engine."""
        return native(self.uri_at(level))


@contextmanager
def site(database: str) -> Iterator[Site]:
    """A server of its own, or that of TEST_POSTGRES_URI or TEST_MYSQL_URI, with the tables, and Django set up."""
    kind = kind_of(database)
    with ExitStack() as stack:
        stack.enter_context(driver_of(database))
        uri = environ.get(f"TEST_{kind.upper()}_URI") or stack.enter_context(running(kind, durable=False)).uri()
        made = Site(database, kind, urlsplit(uri)._replace(query="").geturl())
        configure({level: made.uri_at(level) for level in made.levels})
        for level in made.levels:
            make_tables(made.native(level))
        try:
            yield made
        finally:
            for level in made.levels:
                drop_tables(made.native(level))


def native(uri: str) -> Any:
    """A connection of Django's native backend to the database of a store."""
    location = uris.location(uri)
    entry = {"ENGINE": location.backend, **location.settings}
    return ConnectionHandler({"default": entry}).create_connection("default")


def configure(stores: dict[str, Any], first: str = "") -> None:
    """Each store is an alias of its name, but for the first, which is Django's default."""
    aliases = {name: {"ENGINE": "djintegrate.storm_backend", "NAME": name} for name in stores}
    first = first or next(iter(aliases))
    settings.configure(
        STORM_STORES=stores,
        DATABASES={"default": aliases.pop(first), **aliases},
        INSTALLED_APPS=["djintegrate.storm_backend", "proofs.isolation"],
        LOGGING_CONFIG=None,
    )
    django.setup()


def make_tables(connection: Any) -> None:
    drop_tables(connection)
    with connection.cursor() as cursor:
        for name, columns in TABLES.items():
            cursor.execute(f"CREATE TABLE {name} ({columns})")
    connection.close()


def drop_tables(connection: Any) -> None:
    with connection.cursor() as cursor:
        for name in TABLES:
            cursor.execute(f"DROP TABLE IF EXISTS {name}")
    connection.close()
