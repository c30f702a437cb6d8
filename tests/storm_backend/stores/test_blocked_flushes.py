"""`block_implicit_flushes()` and savepoints: what was pending before one is kept when it is rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import django.db
import pytest
import transaction
from django.db import connection
from django.db.transaction import atomic

from djintegrate.storm_backend import get_store
from tests.support.helpers import TRANSACTIONS, Oops, Outside, django_add, django_names, storm_add, storm_insert

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.usefixtures("sister_stores")]


@pytest.fixture(autouse=True)
def blocked(sister_stores: None) -> Iterator[None]:
    store = get_store("main")
    store.block_implicit_flushes()
    yield
    store.unblock_implicit_flushes()


def by_an_error_of_django() -> None:
    with pytest.raises(django.db.IntegrityError), atomic():
        django_add("dup")


def by_an_error_of_storm() -> None:
    with pytest.raises(Oops), atomic():
        storm_add("lost")
        raise Oops


def by_a_savepoint_of_zope() -> None:
    savepoint = transaction.savepoint()
    django_add("lost")
    storm_add("lost as well")
    savepoint.rollback()


def by_the_text_of_a_statement() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT by_hand")
        cursor.execute("INSERT INTO people_person (name) VALUES ('lost')")
        cursor.execute("ROLLBACK TO SAVEPOINT by_hand")


ROLLBACKS: list[Callable[[], None]] = [
    by_an_error_of_django,
    by_an_error_of_storm,
    by_a_savepoint_of_zope,
    by_the_text_of_a_statement,
]


@pytest.mark.parametrize("roll_back", ROLLBACKS)
def test_an_object_that_was_added_before_it_is_kept(roll_back: Callable[[], None], outside: Outside) -> None:
    django_add("dup")
    with transaction.manager:
        storm_add("new")
        roll_back()
    assert outside.names() == ["dup", "new"]


@pytest.mark.parametrize("roll_back", ROLLBACKS)
def test_a_change_and_a_removal_before_it_are_kept(roll_back: Callable[[], None], outside: Outside) -> None:
    with transaction.manager:
        django_add("dup")
        changed, removed = storm_insert("changed"), storm_insert("removed")
    with transaction.manager:
        changed.name += "!"
        get_store("main").remove(removed)
        roll_back()
        assert changed.name == "changed!"
    assert outside.names() == ["changed!", "dup"]


def test_what_fails_in_front_of_it_is_djangos_error_and_loses_nothing_silently(outside: Outside) -> None:
    django_add("dup")
    with pytest.raises(django.db.IntegrityError), transaction.manager:
        storm_add("dup")
        with atomic():
            """The savepoint is not taken."""
    assert outside.names() == ["dup"]


def test_reading_and_writing_still_do_not_flush() -> None:
    with transaction.manager:
        storm_insert("ann")
        storm_add("pending")
        assert django_names() == ["ann"]
        django_add("bob")
        assert django_names() == ["ann", "bob"]
