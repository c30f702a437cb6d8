"""Random sequences of what three ORMs can do in a transaction, savepoints of each kind in each other, beside a model.

MODEL_EXAMPLES says how many.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import transaction
from django.db.transaction import atomic
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.sqlalchemy import engine
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import TRANSACTIONS, Oops, Outside, start_afresh

from .people import AlchemyPerson, session

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

ORMS = ("django", "storm", "session", "plain")
STEPS = st.one_of(
    st.tuples(st.sampled_from(["add", "rename", "delete", "look"]), st.sampled_from(ORMS), st.integers(0, 20)),
    st.tuples(st.just("savepoint"), st.sampled_from(["atomic", "zope", "session", "plain"]), st.just(0)),
    st.tuples(st.just("leave"), st.booleans(), st.just(0)),
    st.tuples(st.just("end"), st.booleans(), st.just(0)),
)
examples = settings(
    max_examples=int(os.environ.get("MODEL_EXAMPLES", "25")), deadline=None, database=None,
    phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


class World:
    """Four ways to the same rows, and what they should be."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.committed: dict[int, str] = {}
        self.savepoints: list[tuple[str, Any, dict[int, str]]] = []
        self.number = 0
        self.plain = Session(engine("main"))
        self.kept: list[Any] = []
        transaction.begin()

    def step(self, what: str, which: Any, number: int) -> None:
        if what in ("savepoint", "leave", "end") or what in ("add", "look"):
            getattr(self, what)(which)
        elif self.names:
            key = sorted(self.names)[number % len(self.names)]
            getattr(self, what)(which, key)

    # What is done by each

    def add(self, orm: str) -> None:
        self.number += 1
        name = f"name {self.number}"
        if orm == "django":
            made: Any = Person(name=name)
            made.save()
        elif orm == "storm":
            made = get_store("main").add(StormPerson(name))
            get_store("main").flush()
        else:
            made = AlchemyPerson(name=name)
            self.of(orm).add(made)
            self.of(orm).flush()
        self.kept.append(made)
        self.names[made.id] = name

    def rename(self, orm: str, key: int) -> None:
        self.number += 1
        name = f"name {self.number}"
        if orm == "django":
            Person.objects.filter(id=key).update(name=name)
        elif orm == "storm":
            get_store("main").get(StormPerson, key).name = name
        else:
            self.flush_others_change(orm, key)
            self.of(orm).get(AlchemyPerson, key).name = name
        self.names[key] = name

    def flush_others_change(self, orm: str, key: int) -> None:
        """Of two sessions with pending changes of one row, the one that has joined last flushes last, as SQLAlchemy's
        own do: a program that cares flushes between."""
        other = self.of("plain" if orm == "session" else "session")
        if any(each.id == key for each in other.dirty):
            other.flush()

    def delete(self, orm: str, key: int) -> None:
        if orm == "django":
            Person.objects.filter(id=key).delete()
        elif orm == "storm":
            get_store("main").remove(get_store("main").get(StormPerson, key))
        else:
            self.of(orm).delete(self.of(orm).get(AlchemyPerson, key))
        del self.names[key]

    def look(self, orm: str) -> None:
        if orm == "django":
            found = dict(Person.objects.values_list("id", "name"))
        elif orm == "storm":
            found = {each.id: each.name for each in get_store("main").find(StormPerson)}
        else:
            found = {each.id: each.name for each in self.of(orm).query(AlchemyPerson)}
        assert found == self.names
        # The objects that each ORM has at hand are not asked for.
        for key, name in self.names.items():
            assert self.of("session").get(AlchemyPerson, key).name == name
            assert get_store("main").get(StormPerson, key).name == name
            assert self.of("plain").get(AlchemyPerson, key).name == name

    def of(self, orm: str) -> Session:
        return session() if orm == "session" else self.plain

    # Savepoints and ends

    def savepoint(self, kind: str) -> None:
        handles: dict[str, Callable[[], Any]] = {
            "atomic": self.entered,
            "zope": transaction.savepoint,
            "session": lambda: session().begin_nested(),
            "plain": self.plain.begin_nested,
        }
        before = dict(self.names)
        self.savepoints.append((kind, handles[kind](), before))

    def leave(self, commit: bool) -> None:
        if not self.savepoints:
            return
        kind, handle, before = self.savepoints.pop()
        if kind == "atomic":
            handle.__exit__(None if commit else Oops, None if commit else Oops(), None)
        elif not commit:
            handle.rollback()
        elif kind != "zope":
            handle.commit()
        if not commit:
            self.names = before

    def end(self, commit: bool) -> None:
        while self.savepoints:
            self.leave(commit)
        self.look("django")
        if commit:
            transaction.commit()
            self.committed = dict(self.names)
        else:
            transaction.abort()
            self.names = dict(self.committed)
        transaction.begin()

    def entered(self) -> Any:
        block = atomic()
        block.__enter__()
        return block

    def cleared(self) -> None:
        """Whatever has happened, the next sequence begins with nothing."""
        with suppress(Exception):
            while self.savepoints:
                self.leave(False)
            transaction.abort()
        self.plain.close()
        session.remove()
        start_afresh()
        Person.objects.all().delete()


FOUND = {
    "a savepoint that was undone with an outer one": [
        ("savepoint", "atomic", 0), ("add", "session", 0), ("savepoint", "zope", 0), ("add", "django", 0),
        ("leave", True, 0), ("leave", False, 0),
    ],
    "a savepoint that is gone with all of the transaction on the connection": [
        ("savepoint", "zope", 0), ("add", "session", 0), ("savepoint", "zope", 0), ("leave", True, 0),
        ("leave", False, 0),
    ],
    "a session that is older than the transaction": [
        ("add", "django", 0), ("end", False, 0), ("savepoint", "plain", 0), ("add", "django", 0), ("leave", False, 0),
    ],
    "what another session has pending before a savepoint": [
        ("add", "plain", 0), ("rename", "session", 0), ("savepoint", "plain", 0), ("add", "django", 0),
        ("leave", False, 0),
    ],
    "what another session has pending after a savepoint": [
        ("savepoint", "atomic", 0), ("add", "session", 0), ("savepoint", "plain", 0), ("rename", "session", 0),
        ("leave", False, 0),
    ],
    "what Storm has pending between two savepoints of a session": [
        ("savepoint", "session", 0), ("add", "django", 0), ("rename", "storm", 0), ("savepoint", "session", 0),
        ("leave", False, 0),
    ],
    "what Storm has pending after a session's flush made its object unknown": [
        ("add", "django", 0), ("savepoint", "atomic", 0), ("look", "django", 0), ("rename", "session", 0),
        ("rename", "storm", 0), ("leave", False, 0),
    ],
}  # fmt: skip


@pytest.mark.parametrize("steps", FOUND.values(), ids=FOUND)
def test_a_sequence_that_was_found(outside: Outside, steps: list[tuple[str, Any, int]]) -> None:
    play(outside, steps)


def test_a_random_sequence(outside: Outside) -> None:
    @examples
    @given(st.lists(STEPS, min_size=5, max_size=30))
    def one(steps: list[tuple[str, Any, int]]) -> None:
        play(outside, steps)

    one()


def play(outside: Outside, steps: list[tuple[str, Any, int]]) -> None:
    world = World()
    try:
        for step in steps:
            world.step(*step)
        world.end(True)
        assert dict(outside.rows("SELECT id, name FROM people_person")) == world.names
    finally:
        world.cleared()
