"""What the tests of following share: a native alias beside the engine's, and a follower that says what it was told."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from django.db import connections
from django.db.utils import ConnectionHandler

from djintegrate.common import following
from tests.apps.people.models import Person
from tests.support.helpers import native


@contextlib.contextmanager
def native_alias(listed: bool = False) -> Iterator[str]:
    """An alias of Django's native backend for the database behind `default`.

    Django guards those that are `listed` in tests, and does so without the others.
    """
    handler = ConnectionHandler({"default": {}, "native": native("default")})
    connections["native"] = handler.create_connection("native")
    if listed:
        connections.databases["native"] = handler.databases["native"]
    try:
        yield "native"
    finally:
        connections["native"].close()
        del connections["native"]
        connections.databases.pop("native", None)


class Recorder(following.Follower):
    """Keeps names; afterwards they are in one of its lists, in the order in which it was told."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.names: list[str] = []

    def mark(self) -> int:
        return len(self.names)

    def rolled_back(self, mark: int | None) -> None:
        self.world.undone += self.names[mark or 0 :]
        del self.names[mark or 0 :]

    def before_commit(self) -> None:
        self.world.told.append("before_commit")
        if self.world.writes is not None:
            Person.objects.using(self.world.alias).create(name=self.world.writes)
        if self.world.fails:
            raise ValueError("before_commit")

    def committed(self) -> None:
        self.world.told.append("committed")
        self.world.kept += self.names

    def aborted(self) -> None:
        self.world.told.append("aborted")
        self.world.undone += self.names

    def in_doubt(self) -> None:
        self.world.told.append("in_doubt")
        self.world.doubted += self.names


class World:
    """Changes of two kinds that belong together: a row, and a name that a follower keeps."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.kept: list[str] = []
        self.undone: list[str] = []
        self.doubted: list[str] = []
        self.told: list[str] = []
        self.fails = False
        self.writes: str | None = None

    def add(self, name: str, row: bool = True) -> None:
        followed = following.current(self.alias)
        if row:
            Person.objects.using(self.alias).create(name=name)
        if followed is None:
            self.kept.append(name)
        else:
            followed.follower(self, lambda: Recorder(self)).names.append(name)
