"""Rows that were fetched before a transaction ended, or before another ORM wrote, and become objects only then: loops
over `find()` with transactions in them, mostly.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
import storm.exceptions
import transaction
from django.db import connection
from django.db.transaction import atomic
from storm.expr import LeftJoin
from storm.info import get_obj_info
from storm.locals import Int, Unicode

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.mapping import storm_class
from tests.apps.people.models import Person, Visit
from tests.apps.people.storm_models import StormPerson, StormVisit
from tests.support.coherence_helpers import storm_statements
from tests.support.helpers import LeavesNothing, Oops, Outside, by_manager, marked

pytest_plugins = ["tests.support.fixtures"]


@contextlib.contextmanager
def by_commit() -> Iterator[None]:
    yield
    transaction.commit()


@contextlib.contextmanager
def by_commit_of_the_store() -> Iterator[None]:
    yield
    get_store("main").commit()


@contextlib.contextmanager
def by_begin_of_the_loop() -> Iterator[None]:
    yield
    transaction.commit()
    transaction.begin()


def by_atomic() -> AbstractContextManager[None]:
    # As for any change of Storm's: without a transaction around, the loop's query has begun one.
    transaction.abort()
    return atomic()


ENDS: list[Callable[[], AbstractContextManager[None]]] = [
    by_manager,
    by_commit,
    by_commit_of_the_store,
    by_begin_of_the_loop,
    by_atomic,
]
# More than a driver of SQLite's fetches at once.
NAMES = [f"n{number:02}" for number in range(25)]


@pytest.fixture
def people(nothing_left: None) -> Iterator[list[Person]]:
    yield Person.objects.bulk_create(Person(name=name) for name in NAMES)
    transaction.abort()


def found(cls: Any = StormPerson) -> Any:
    return get_store("main").find(cls).order_by(cls.id)


def takes_part() -> bool:
    store = get_store("main")
    data_manager = store.django_connection.data_manager
    return data_manager is not None and store in data_manager.stores


def is_known(obj: Any) -> bool:
    return not get_obj_info(obj).get("invalidated")


@marked
@pytest.mark.usefixtures("people")
class TestALoopThatEndsTransactions:
    @pytest.mark.parametrize("end", ENDS)
    def test_keeps_every_change(self, end: Callable[[], AbstractContextManager[None]], outside: Outside) -> None:
        for person in found():
            with end():
                person.name += "!"
        assert outside.names() == [f"{name}!" for name in NAMES]

    @pytest.mark.parametrize("end", ENDS)
    def test_keeps_what_is_set_without_a_look(
        self, end: Callable[[], AbstractContextManager[None]], outside: Outside
    ) -> None:
        for number, person in enumerate(found()):
            with end():
                person.name = f"set {number:02}"
        assert outside.names() == [f"set {number:02}" for number in range(len(NAMES))]

    @pytest.mark.parametrize("end", ENDS)
    def test_removes_every_row(self, end: Callable[[], AbstractContextManager[None]], outside: Outside) -> None:
        for person in found():
            with end():
                get_store("main").remove(person)
        assert outside.names() == []

    def test_keeps_nothing_that_was_aborted(self, outside: Outside) -> None:
        for person in found():
            with contextlib.suppress(Oops), transaction.manager:
                person.name = "must not be kept"
                raise Oops
        with transaction.manager:
            get_store("main").add(StormPerson("added"))
        assert outside.names() == ["added", *NAMES]

    def test_shows_what_others_have_committed_since(self, outside: Outside) -> None:
        loop = iter(found())
        next(loop)
        transaction.abort()
        outside.rows("UPDATE people_person SET name = 'changed' WHERE name = 'n01'")
        with transaction.manager:
            person = next(loop)
            assert person.name == "changed"
            person.name += "!"
        assert "changed!" in outside.names()

    def test_says_of_a_row_that_is_gone_that_it_is_lost(self, outside: Outside) -> None:
        loop = iter(found())
        next(loop)
        transaction.abort()
        outside.rows("DELETE FROM people_person WHERE name IN ('n01', 'n02')")
        with transaction.manager:
            with pytest.raises(storm.exceptions.LostObjectError):
                assert next(loop).name
            with pytest.raises(storm.exceptions.LostObjectError):
                next(loop).name = "not there"
            assert next(loop).name == "n03"

    @pytest.mark.parametrize("end", [transaction.commit, transaction.abort])
    def test_begins_nothing_by_itself(self, end: Callable[[], None]) -> None:
        for person in found():
            end()
            assert not takes_part()
            assert not is_known(person)

    def test_does_not_take_an_old_row_for_the_transaction_that_the_store_is_in(self, outside: Outside) -> None:
        loop = iter(found())
        next(loop)
        transaction.abort()
        outside.rows("UPDATE people_person SET name = 'changed' WHERE name = 'n01'")
        with transaction.manager:
            assert get_store("main").find(StormPerson, name="n02").one() is not None
            assert next(loop).name == "changed"

    def test_leaves_alone_what_is_known_and_pending_already(self, outside: Outside) -> None:
        loop = iter(found())
        next(loop)
        transaction.abort()
        with transaction.manager:
            second = get_store("main").find(StormPerson, name="n01").one()
            assert second is not None
            second.name = "pending"
            with storm_statements() as statements:
                assert next(loop) is second
                assert second.name == "pending"
            assert not statements
        assert "pending" in outside.names()

    def test_knows_what_django_does_in_the_next_transaction(self) -> None:
        for person in found():
            transaction.abort()
            transaction.begin()
            person.name = f"{person.id}"
            assert Person.objects.filter(name=f"{person.id}").exists()
            Person.objects.filter(id=person.id).update(name=f"{person.id}!")
            assert person.name == f"{person.id}!"

    def test_on_tuples_and_expressions(self, outside: Outside) -> None:
        Visit.objects.bulk_create(Visit(person=person, note=person.name) for person in Person.objects.all()[:5])
        join = LeftJoin(StormPerson, StormVisit, StormVisit.person_id == StormPerson.id)
        rows = get_store("main").using(join).find((StormPerson, StormPerson.name, StormVisit)).order_by(StormPerson.id)
        for person, name, visit in rows:
            with transaction.manager:
                assert person.name == name
                person.name += "!"
                if visit is not None:
                    visit.note += "?"
        assert outside.names() == [f"{name}!" for name in NAMES]
        notes = [note for (note,) in outside.rows("SELECT note FROM people_visit ORDER BY note")]
        assert notes == [f"{name}?" for name in NAMES[:5]]

    def test_on_a_union_and_on_a_mapped_class(self, outside: Outside) -> None:
        mapped: Any = storm_class(Person)
        for person in get_store("main").find(mapped).union(get_store("main").find(mapped, name="n00")):
            with transaction.manager:
                person.name += "!"
        assert outside.names() == [f"{name}!" for name in NAMES]

    def test_follows_references_from_its_rows(self, outside: Outside) -> None:
        Visit.objects.bulk_create(Visit(person=person, note=person.name) for person in Person.objects.all())
        for visit in found(StormVisit):
            with transaction.manager:
                assert visit.person is not None
                visit.person.name += "!"
        assert outside.names() == [f"{name}!" for name in NAMES]

    def test_with_blocked_flushes(self, outside: Outside) -> None:
        store = get_store("main")
        store.block_implicit_flushes()
        for person in found():
            with transaction.manager:
                person.name += "!"
        store.unblock_implicit_flushes()
        assert outside.names() == [f"{name}!" for name in NAMES]

    def test_a_hook_at_loading_sees_no_old_value(self, outside: Outside) -> None:
        seen = []

        class Hooked:
            __storm_table__ = "people_person"
            id = Int(primary=True)
            name = Unicode()

            def __storm_loaded__(self) -> None:
                seen.append(self.name)

        loop = iter(found(Hooked))
        next(loop)
        transaction.abort()
        outside.rows("UPDATE people_person SET name = 'changed' WHERE name = 'n01'")
        with transaction.manager:
            next(loop)
        assert seen == ["n00", "changed"]

    def test_costs_one_look_at_each_row(self) -> None:
        with storm_statements() as statements:
            for person in found():
                with transaction.manager:
                    assert person.name
        assert len(statements) == 1 + len(NAMES)

    def test_of_a_plain_store(self, plain: None) -> None:
        store = get_store("plain")
        with transaction.manager:
            for name in NAMES:
                store.add(StormPerson(name))
        for person in store.find(StormPerson).order_by(StormPerson.id):
            with transaction.manager:
                person.name += "!"
        assert list(store.find(StormPerson).order_by(StormPerson.name).values(StormPerson.name)) == [
            f"{name}!" for name in NAMES
        ]


@marked
@pytest.mark.usefixtures("people")
class TestALoopInWhichSomethingIsWritten:
    @pytest.fixture(autouse=True)
    def begun(self, people: None) -> Iterator[None]:
        transaction.begin()
        yield
        transaction.abort()

    def test_shows_what_django_has_written_to_the_rows_ahead(self) -> None:
        loop = iter(found())
        next(loop)
        Person.objects.filter(name="n01").update(name="changed")
        assert next(loop).name == "changed"

    def test_asks_for_no_row_again_where_django_writes_another_table(self) -> None:
        with storm_statements() as statements:
            for person in found():
                Visit.objects.create(person_id=person.id, note=person.name)
        assert len(statements) == 1

    def test_shows_nothing_that_a_savepoint_has_undone(self) -> None:
        savepoint = transaction.savepoint()
        Person.objects.filter(name="n01").update(name="undone")
        loop = iter(found())
        next(loop)
        savepoint.rollback()
        assert [person.name for person in loop] == NAMES[1:]

    def test_shows_what_is_read_anew_by_invalidating_all(self, outside: Outside) -> None:
        loop = iter(found())
        next(loop)
        cursor = connection.connection.cursor()
        cursor.execute("UPDATE people_person SET name = 'past both' WHERE name = 'n01'")
        get_store("main").invalidate()
        assert next(loop).name == "past both"

    def test_costs_nothing_where_nothing_is_written(self) -> None:
        with storm_statements() as statements:
            for person in found():
                person.name += "!"
        assert len(statements) == 1


loops: list[Iterator[Any]] = []


class TestInATestCase(LeavesNothing):
    @classmethod
    def setUpTestData(cls) -> None:
        Person.objects.bulk_create(Person(name=name) for name in NAMES)
        # Django copies what is kept in the class.
        loops.append(iter(found()[:2]))
        next(loops[0])
        transaction.commit()

    def test_a_loop_that_commits_keeps_every_change(self) -> None:
        for person in found():
            with transaction.manager:
                person.name += "!"
        assert sorted(Person.objects.values_list("name", flat=True)) == [f"{name}!" for name in NAMES]

    def test_a_row_of_the_test_data_is_read_anew(self) -> None:
        Person.objects.filter(name="n01").update(name="changed")
        assert next(loops.pop()).name == "changed"
