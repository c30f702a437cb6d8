"""Whoever has waited for a lock reads what others have committed meanwhile, with either ORM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import transaction
from django.db import connection
from storm.info import get_obj_info

from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson, StormVisit
from tests.support.helpers import TRANSACTIONS, Outside

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [
    *TRANSACTIONS,
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite locks no rows: it has one writer at a time."),
]


def by_django() -> None:
    Person.objects.select_for_update().get()


def by_a_cursor() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM people_person, people_visit WHERE people_person.id > 0 FOR UPDATE")


def by_storm() -> None:
    get_store("main").execute("SELECT id FROM people_person FOR UPDATE")


def by_an_advisory_lock() -> None:
    lock = "pg_advisory_xact_lock(1)" if connection.vendor == "postgresql" else "GET_LOCK('a', 1)"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {lock}")


@pytest.mark.parametrize("lock", [by_django, by_a_cursor, by_storm, by_an_advisory_lock])
def test_no_update_is_lost_of_an_object_that_was_read_before_the_lock(
    lock: Callable[[], None], nothing_left: None, outside: Outside
) -> None:
    Person.objects.create(name="0")
    with transaction.manager:
        person = get_store("main").find(StormPerson).one()
        assert person.name == "0"
        outside.rows("UPDATE people_person SET name = '1'")
        lock()
        person.name = str(int(person.name) + 1)
    assert outside.names() == ["2"]


def test_objects_of_other_tables_stay_known(nothing_left: None) -> None:
    with transaction.manager:
        person = StormPerson("ann")
        visit = get_store("main").add(StormVisit("note", person))
        get_store("main").flush()
        Person.objects.update_or_create(name="ann", defaults={"name": "ann"})
        infos: list[Any] = [get_obj_info(visit), get_obj_info(person)]
        assert [bool(info.get("invalidated")) for info in infos] == [False, True]
