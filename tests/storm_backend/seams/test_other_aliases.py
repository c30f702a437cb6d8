"""Blocks on two databases, one in the other: for Django two transactions, each committed where its block is left.

What is expected is not written down here: the same steps are done by Django's native backend, beside.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator

import pytest
from django.db import connections
from django.db.transaction import atomic
from django.db.utils import ConnectionHandler

from djintegrate.storm_backend import get_store
from tests.apps.people.storm_models import StormPerson
from tests.support import helpers
from tests.support.helpers import TRANSACTIONS, Oops, Outside, django_add, native, storm_add, storm_insert

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

STORES = {alias: store for store, alias in helpers.ALIASES.items()}
Write = Callable[[str, str], object]


def by_django(alias: str, name: str) -> None:
    django_add(name, alias)


def by_storm(alias: str, name: str) -> None:
    storm_insert(name, STORES[alias])


def by_storm_unflushed(alias: str, name: str) -> None:
    storm_add(name, STORES[alias])


def by_reading(alias: str, name: str) -> None:
    get_store(STORES[alias]).find(StormPerson).count()


def nothing(alias: str, name: str) -> None:
    pass


@pytest.fixture
def natively(outside: Outside) -> Iterator[None]:
    """Both databases through Django's native backend as well, as the aliases `native default` and `native second`."""
    handler = ConnectionHandler({"default": {}, **{alias: native(alias) for alias in STORES}})
    for alias in STORES:
        connections[f"native {alias}"] = handler[alias]
    yield
    for alias in STORES:
        connections[f"native {alias}"].close()
        del connections[f"native {alias}"]


Steps = tuple[str, Write, Write, Write, bool, bool]


def run(steps: Steps, outside: Outside, how: str) -> list[object]:
    """What is seen from outside after the inner block, and after the outer one."""
    outer, before, inside, after, inner_raises, outer_raises = steps
    inner = next(alias for alias in STORES if alias != outer)

    def write(by: Write, alias: str, name: str) -> None:
        if not how:
            by(alias, name)
        elif by not in (nothing, by_reading):
            connections[how + alias].cursor().execute("INSERT INTO people_person (name) VALUES (%s)", [name])

    seen: list[object] = []
    with contextlib.suppress(Oops), atomic(using=how + outer):
        write(before, outer, "before")
        with contextlib.suppress(Oops), atomic(using=how + inner):
            write(inside, inner, "inside")
            if inner_raises:
                raise Oops
        seen.append((outside.names(outer), outside.names(inner)))
        write(after, outer, "after")
        if outer_raises:
            raise Oops
    seen.append((outside.names(outer), outside.names(inner)))
    return seen


CASES = [
    steps
    for steps in itertools.product(
        STORES,
        [nothing, by_django, by_storm, by_storm_unflushed, by_reading],
        [nothing, by_django, by_storm, by_storm_unflushed],
        [nothing, by_django, by_storm_unflushed],
        [False, True],
        [False, True],
    )
    # The name of the alias matters for no other thing than who is asked first.
    if steps[0] == "second" or steps[3] is not by_storm_unflushed
]


def as_text(steps: Steps) -> str:
    outer, before, inside, after, inner_raises, outer_raises = steps
    words = [outer, before.__name__, inside.__name__, after.__name__]
    return " ".join([*words, "inner raises" if inner_raises else "", "outer raises" if outer_raises else ""]).strip()


@pytest.mark.parametrize("outer_raises", [False, True], ids=["outer ends well", "outer raises"])
@pytest.mark.parametrize("inner_raises", [False, True], ids=["inner ends well", "inner raises"])
@pytest.mark.parametrize("outer", STORES)
def test_each_ends_where_it_does_natively(
    outer: str, inner_raises: bool, outer_raises: bool, natively: None, outside: Outside
) -> None:
    different = {}
    for steps in CASES:
        if (steps[0], steps[4], steps[5]) != (outer, inner_raises, outer_raises):
            continue
        expected = run(steps, outside, "native ")
        empty(outside)
        try:
            found: object = run(steps, outside, "")
        except Exception as error:
            found = error
            helpers.start_afresh()
        empty(outside)
        if found != expected:
            different[as_text(steps)] = (found, expected)
    assert different == {}


def empty(outside: Outside) -> None:
    helpers.forget_objects()
    for alias in STORES:
        outside.rows("DELETE FROM people_person", alias)
