"""What a follower hears in Django's manual mode, with the native backend and with the engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import transaction
from django.db import connections
from django.db import transaction as django_transaction
from django.db.transaction import atomic

from djintegrate.common import following
from tests.common.test_following import native as native
from tests.common.test_following import world as world
from tests.support.following import World
from tests.support.helpers import TRANSACTIONS, Oops, Outside, django_add, django_names

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


@contextmanager
def manual(alias: str) -> Iterator[None]:
    django_transaction.set_autocommit(False, using=alias)
    try:
        yield
    finally:
        transaction.abort()
        connections[alias].close()


def test_manual_mode_is_followed(world: World, outside: Outside) -> None:
    with manual(world.alias):
        world.add("one")
        django_transaction.commit(using=world.alias)
        assert world.kept == outside.names() == ["one"]
        world.add("two")
        django_transaction.rollback(using=world.alias)
        assert (world.undone, outside.names()) == (["two"], ["one"])
        world.add("three")
        with pytest.raises(Oops), atomic(world.alias):
            world.add("four")
            raise Oops
        django_transaction.commit(using=world.alias)
    assert world.kept == ["one", "three"]
    assert world.undone == ["two", "four"]


def test_a_savepoint_that_django_does_not_take_is_none(world: World, outside: Outside) -> None:
    """Native SQLite has none outside of a block, and says nothing of it: the rows stay, and so does what they name."""
    with manual(world.alias):
        world.add("one")
        savepoint = django_transaction.savepoint(using=world.alias)
        world.add("two")
        django_transaction.savepoint_rollback(savepoint, using=world.alias)
        django_transaction.commit(using=world.alias)
    assert world.kept == outside.names()


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_what_is_done_after_the_end_leaves_nothing_open_in_manual_mode(
    end: str, world: World, outside: Outside
) -> None:
    class Late(following.Follower):
        """Asks, as files do, and writes, as a function that waits for the commit may."""

        def committed(self) -> None:
            django_names(world.alias)
            django_add("late", world.alias)

        aborted = committed

    with manual(world.alias):
        django_add("one", world.alias)
        followed = following.current(world.alias)
        assert followed is not None
        followed.follower("late", Late)
        getattr(django_transaction, end)(using=world.alias)
        django_transaction.set_autocommit(True, using=world.alias)
    assert outside.names() == (["late", "one"] if end == "commit" else ["late"])
