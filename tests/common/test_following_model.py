"""Random nestings of blocks and savepoints of both kinds: what followers were told is what the database has kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import transaction
from django.db import connections
from django.db import transaction as django_transaction
from django.db.transaction import TransactionManagementError, atomic
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.following import World, native_alias
from tests.support.helpers import TRANSACTIONS, Oops, Outside

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

INNER = ["atomic", "atomic without savepoint", "savepoint", "zope savepoint"]
OUTER = {"native": ["atomic", "manual", "none"], "engine": ["atomic", "manual", "begun", "none"]}

CHANGE = st.just("change")


def blocks(inner: Any) -> Any:
    return st.tuples(st.sampled_from(INNER), st.booleans(), st.lists(inner, max_size=4))


steps = st.lists(st.recursive(CHANGE, blocks, max_leaves=12), max_size=6)


class Play:
    """Runs a program, each of whose changes has a name of its own."""

    def __init__(self, world: World, in_zope: bool) -> None:
        self.world = world
        self.in_zope = in_zope
        self.number = 0

    def steps(self, steps: list[Any]) -> None:
        for step in steps:
            if step == "change":
                self.number += 1
                self.world.add(f"{self.number}")
            else:
                kind, fails, inner = step
                with contextlib.suppress(Oops), self.block(kind, fails):
                    self.steps(inner)
                    if fails:
                        raise Oops

    def block(self, kind: str, fails: bool) -> Any:
        alias = self.world.alias
        if kind == "atomic":
            return atomic(alias)
        if kind == "atomic without savepoint":
            return atomic(alias, savepoint=False)
        if kind == "savepoint" and connections[alias].in_atomic_block:
            return self.savepoint(fails)
        if kind == "zope savepoint" and self.in_zope:
            return self.zope_savepoint(fails)
        return contextlib.nullcontext()

    @contextlib.contextmanager
    def savepoint(self, fails: bool) -> Iterator[None]:
        sid = django_transaction.savepoint(self.world.alias)
        try:
            yield
        except Oops:
            django_transaction.savepoint_rollback(sid, self.world.alias)
            raise
        django_transaction.savepoint_commit(sid, self.world.alias)

    @contextlib.contextmanager
    def zope_savepoint(self, fails: bool) -> Iterator[None]:
        savepoint = transaction.savepoint(optimistic=True)
        try:
            yield
        except Oops:
            savepoint.rollback()
            raise


@contextlib.contextmanager
def outermost(kind: str, alias: str) -> Iterator[None]:
    if kind == "atomic":
        with atomic(alias):
            yield
    elif kind == "begun":
        with transaction.manager:
            yield
    elif kind == "none":
        yield
    else:
        django_transaction.set_autocommit(False, using=alias)
        try:
            yield
            django_transaction.commit(using=alias)
        finally:
            django_transaction.rollback(using=alias)
            django_transaction.set_autocommit(True, using=alias)


@pytest.mark.parametrize("backend", ["native", "engine"])
def test_what_followers_hear_is_what_the_database_has_kept(backend: str, outside: Outside) -> None:
    @settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
    @given(st.sampled_from(OUTER[backend]), st.booleans(), steps)
    def play(outer: str, fails: bool, program: list[Any]) -> None:
        outside.rows("DELETE FROM people_person")
        world = World("native" if backend == "native" else "default")
        # A failing block without a savepoint leaves a transaction that refuses what comes after it.
        refused = (Oops, TransactionManagementError)
        with contextlib.suppress(*refused), outermost(outer, world.alias):
            Play(world, outer == "begun").steps(program)
            if fails:
                raise Oops
        assert sorted(world.kept) == outside.names()
        assert world.doubted == []
        assert len({*world.kept, *world.undone}) == len(world.kept) + len(world.undone)
        assert "savepoint_rollback" not in vars(connections[world.alias])

    if backend == "engine":
        play()
    else:
        with native_alias():
            play()
