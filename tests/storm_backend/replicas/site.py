"""A site whose one database has a replica: two servers, and the alias `extra`, as in production no test database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import connections
from django.db.utils import ConnectionHandler

from djintegrate.storm_backend import store_policy
from djintegrate.storm_backend.conf import uris
from tests.apps.people.models import Person, Visit
from tests.apps.sprints.models import Comment, SessionRow
from tests.support.helpers import wait_until
from tools.servers import Server

TABLES = [ContentType, Permission, Group, User, Session, Person, Visit, SessionRow, Comment]
STICKY, LAG = 6, 2

# For `pytestmark`. No test database is made: the aliases that have one are not used.
REPLICAS = [pytest.mark.urls("tests.storm_backend.replicas.views"), pytest.mark.usefixtures("site")]

WHATEVER_DRIVER = pytest.mark.skipif(
    connections["default"].Database.__name__ == "psycopg2",
    reason="Where the driver makes no difference, psycopg 3 does.",
)


class Router:
    """Everything is in the database that has a replica."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "extra"

    db_for_write = db_for_read

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True


class Look:
    """A look at one of the servers from outside, by Django's native backend."""

    def __init__(self, server: Server) -> None:
        location = uris.location(server.uri())
        entry = {"ENGINE": location.backend, **location.settings}
        self.connection = ConnectionHandler({"default": entry}).create_connection("default")

    def rows(self, sql: str) -> list[Any]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def names(self) -> list[str]:
        return [name for (name,) in self.rows("SELECT name FROM people_person ORDER BY name")]


@dataclass
class Servers:
    """The two of them, and a look at each."""

    primary: Server
    standby: Server
    there: Look
    behind: Look

    def catch_up(self) -> None:
        """Wait until the standby has what the primary has."""
        self.there.rows("SELECT pg_logical_emit_message(true, 'the end', '')")
        (end,) = self.there.rows("SELECT pg_current_wal_flush_lsn()")[0]
        wait_until(lambda: self.behind.rows(f"SELECT pg_last_wal_replay_lsn() >= '{end}'")[0][0])

    @contextmanager
    def standby_is_down(self) -> Iterator[None]:
        """Afterwards it is up, and follows."""
        self.behind.connection.close()
        self.standby.stop()
        try:
            yield
        finally:
            self.standby.start()
            self.wait_for_receiver()

    def wait_for_receiver(self) -> None:
        asked = "SELECT pid FROM pg_stat_wal_receiver WHERE status = 'streaming'"
        wait_until(lambda: bool(self.behind.rows(asked)))

    def pause(self) -> None:
        self.behind.rows("SELECT pg_wal_replay_pause()")

    def resume(self) -> None:
        self.behind.rows("SELECT pg_wal_replay_resume()")


class Clock:
    """The time of day and the monotonic clock, as the engine reads them, ahead by what the test says."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def passes(self, seconds: float) -> None:
        self.ahead += seconds

    def time(self) -> float:
        return time.time() + self.ahead

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


def replica_serves() -> bool:
    """Whether it does, asked anew."""
    for state in connections["extra"]._states:
        state.has_failed()
    with store_policy("replica"):
        return bool(connections["extra"].itself.key != "extra")


Send = Callable[..., Any]
