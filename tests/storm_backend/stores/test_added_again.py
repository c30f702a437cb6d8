"""An object whose row could not be sent is pending as before, and in no store once that is undone: it is not lost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
import storm.exceptions
import transaction
from django.db import IntegrityError, connection
from django.db.transaction import atomic
from storm.locals import Int, ReferenceSet, Unicode
from storm.store import Store

from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person, Visit
from tests.apps.people.storm_models import StormPerson, StormVisit
from tests.storm_backend.seams.failures import FAILURES, Failure, Fragile
from tests.support.helpers import TRANSACTIONS, Outside, django_add, django_names, is_sqlite, names_in_both, storm_add

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

# What is raised where Storm's flush fails: by it, or by a statement of Django's that it comes before.
TAKEN = (storm.exceptions.IntegrityError, IntegrityError)


class Host(StormPerson):
    __storm_table__ = "people_person"

    visits: Any = ReferenceSet(StormPerson.id, StormVisit.person_id)


@pytest.fixture
def taken() -> str:
    return django_add("taken").name


def flushing() -> None:
    get_store("main").flush()


def asking() -> None:
    django_names()


def leaving() -> None:
    """The end of what is around it."""


class Savepoint:
    def __enter__(self) -> None:
        self._savepoint = transaction.savepoint()

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if error is not None:
            self._savepoint.rollback()


def fail(around: Callable[[], Any], how: Callable[[], None], *people: StormPerson) -> None:
    with pytest.raises(TAKEN), around():
        for person in people:
            get_store("main").add(person)
        how()


PLACES = [(atomic, flushing), (atomic, asking), (atomic, leaving), (Savepoint, flushing), (Savepoint, asking)]


@pytest.mark.parametrize(
    ("around", "how"), PLACES, ids=[f"{around.__name__}, {how.__name__}" for around, how in PLACES]
)
class TestWithinATransaction:
    def test_it_is_in_no_store_and_can_be_corrected_and_added(
        self, around: Any, how: Any, taken: str, outside: Outside
    ) -> None:
        with transaction.manager:
            person = StormPerson(taken)
            fail(around, how, person)
            assert Store.of(person) is None
            assert (person.id, person.name) == (None, taken)
            person.name = "free"
            get_store("main").add(person)
            assert names_in_both() == ["free", "taken"]
        assert outside.names() == ["free", "taken"]

    def test_so_are_those_that_went_before_it_and_those_that_wait_behind_it(
        self, around: Any, how: Any, taken: str, outside: Outside
    ) -> None:
        with transaction.manager:
            people = [StormPerson(name) for name in ("before", taken, "behind")]
            fail(around, how, *people)
            assert [Store.of(person) for person in people] == [None] * 3
            assert [(person.id, person.name) for person in people] == [
                (None, "before"),
                (None, taken),
                (None, "behind"),
            ]
            people[1].name = "free"
            for person in people:
                get_store("main").add(person)
        assert outside.names() == ["before", "behind", "free", "taken"]

    @pytest.mark.parametrize("who", ["visit", "person", "person visit", "visit person"])
    def test_what_refers_to_it_finds_it_again(
        self, around: Any, how: Any, who: str, taken: str, outside: Outside
    ) -> None:
        with transaction.manager:
            person = StormPerson(taken)
            visit = StormVisit("note", person)
            with pytest.raises(TAKEN), around():
                get_store("main").add(visit)
                how()
            assert visit.person is person
            person.name = "free"
            get_store("main").flush()
            objects: dict[str, Any] = {"visit": visit, "person": person}
            for each in who.split():
                get_store("main").add(objects[each])
        (found,) = Visit.objects.all()
        assert found.person == Person.objects.get(name="free")

    def test_so_does_what_fails_while_the_other_was_sent_already(
        self, around: Any, how: Any, taken: str, outside: Outside
    ) -> None:
        with transaction.manager:
            person, visit = Host("host"), StormVisit("note")
            person.visits.add(visit)
            visit.id = Visit.objects.create(note="has the key").id
            with pytest.raises(TAKEN), around():
                get_store("main").add(person)
                how()
            assert Store.of(person) is Store.of(visit) is None
            # Whoever takes the next key is not to be taken for the host.
            django_add("another")
            del visit.id
            get_store("main").add(visit)
        assert Visit.objects.get(note="note").person == Person.objects.get(name="host")

    def test_it_can_be_left_out(self, around: Any, how: Any, taken: str, outside: Outside) -> None:
        with transaction.manager:
            person = StormPerson(taken)
            fail(around, how, person)
            with pytest.raises(storm.exceptions.WrongStoreError):
                get_store("main").remove(person)
            storm_add("another")
        assert outside.names() == ["another", "taken"]


class TestOfAWholeTransaction:
    def test_that_is_aborted(self, taken: str, outside: Outside) -> None:
        person = StormPerson(taken)
        fail(lambda: transaction.manager, flushing, person)
        self.add(person, outside)

    def test_whose_commit_fails(self, taken: str, outside: Outside) -> None:
        person = StormPerson(taken)
        fail(lambda: transaction.manager, leaving, person)
        self.add(person, outside)

    def test_before_anything_is_rolled_back_it_is_pending(self, taken: str, outside: Outside) -> None:
        person = StormPerson(taken)
        transaction.begin()
        fail(ExitStack, flushing, person)
        assert Store.of(person) is get_store("main")
        get_store("main").remove(person)
        assert Store.of(person) is None
        transaction.abort()
        self.add(person, outside)

    def add(self, person: StormPerson, outside: Outside) -> None:
        assert Store.of(person) is None
        person.name = "free"
        with transaction.manager:
            get_store("main").add(person)
        assert outside.names() == ["free", "taken"]

    @pytest.mark.skipif(not is_sqlite(), reason="Only SQLite locks all of it.")
    @pytest.mark.parametrize("how", [flushing, asking, leaving])
    def test_that_is_tried_again(self, how: Callable[[], None], outside: Outside) -> None:
        person = StormPerson("made once")
        with transaction.manager:
            # The shortest wait.
            get_store("main").execute("PRAGMA busy_timeout = 1")
        other = outside.connection()
        with other.cursor() as cursor:
            cursor.execute("BEGIN IMMEDIATE")
        for number, attempt in enumerate(transaction.attempts(3)):
            with attempt:
                if number:
                    other.close()
                get_store("main").add(person)
                how()
        assert number == 1
        assert outside.names() == ["made once"]


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
def test_whatever_the_error_it_is_corrected_and_added(failure: Failure, outside: Outside) -> None:
    if failure.vendors and connection.vendor not in failure.vendors:
        pytest.skip(f"{connection.vendor} has nothing against this.")
    with transaction.manager:
        with pytest.raises(failure.errors), atomic(), failure.during():
            innocent = storm_add("innocent")
            person: Any = failure.prepare()
            later = storm_add("later")
            get_store("main").flush()
        people = [innocent, person, later]
        assert [Store.of(each) for each in people] == [None] * 3
        person.before = person.after = person.change = None
        person.name = "corrected"
        del person.id
        for each in people:
            get_store("main").add(each)
        assert names_in_both() == ["corrected", "innocent", "later"]
    assert outside.names() == ["corrected", "innocent", "later"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_wrapper_around_the_statement_may_raise(after: bool, outside: Outside) -> None:
    def refuse(execute: Any, sql: str, *args: Any) -> Any:
        result = execute(sql, *args) if after else None
        if sql.startswith("INSERT"):
            raise ValueError(sql)
        return result if after else execute(sql, *args)

    person = StormPerson("ann")
    with transaction.manager:
        with pytest.raises(ValueError), atomic(), connection.execute_wrapper(refuse):
            get_store("main").add(person)
            get_store("main").flush()
        assert (Store.of(person), person.id, person.name) == (None, None, "ann")
        django_add("takes the key")
        get_store("main").add(person)
    assert outside.names() == ["ann", "takes the key"]


def test_a_removal_that_fails_can_be_tried_again(outside: Outside) -> None:
    def refuse(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith("DELETE"):
            raise ValueError(sql)
        return execute(sql, *args)

    with transaction.manager:
        person = storm_add("ann")
    with transaction.manager:
        with pytest.raises(ValueError), atomic(), connection.execute_wrapper(refuse):
            get_store("main").remove(person)
            get_store("main").flush()
        assert (Store.of(person), person.name) == (get_store("main"), "ann")
        get_store("main").remove(person)
    assert outside.names() == []


def test_a_removal_behind_a_hook_that_fails_can_be_tried_again(outside: Outside) -> None:
    with transaction.manager:
        people = [storm_add(f"person {number}") for number in range(5)]
    with transaction.manager:
        with pytest.raises(ValueError), atomic():
            for person in people:
                get_store("main").remove(person)
            fragile = Fragile("fragile")
            fragile.before = ValueError("on purpose")
            get_store("main").add(fragile)
            get_store("main").flush()
        assert [person.name for person in people] == [f"person {number}" for number in range(5)]
        for person in people:
            get_store("main").remove(person)
    assert outside.names() == []


def test_one_that_was_sent_and_undone_is_not_added_in_silence(outside: Outside) -> None:
    """Its values are gone; to believe it to be there would be to lose it."""
    person = StormPerson("ann")
    transaction.begin()
    get_store("main").add(person)
    get_store("main").flush()
    transaction.abort()
    with pytest.raises(storm.exceptions.LostObjectError), transaction.manager:
        get_store("main").add(person)
    with transaction.manager:
        kept = storm_add("bob")
    with transaction.manager:
        assert get_store("main").add(kept) is kept
    assert outside.names() == ["bob"]


def test_one_whose_key_another_has_is_not_added_without_its_values(outside: Outside) -> None:
    class Noted:
        __storm_table__ = "people_visit"
        id = Int(primary=True)
        person_id = Int()
        note = Unicode()

    with transaction.manager:
        store = get_store("main")
        old, new = Noted(), Noted()
        old.note, new.note = "old", "new"
        store.add(old)
        store.flush()
        new.id = old.id
        Visit.objects.all().delete()
        store.add(new)
        store.flush()
        with pytest.raises(storm.exceptions.LostObjectError), atomic():
            store.add(old)
        old.person_id, old.note = None, "again"
        del old.id
        store.add(old)
    assert [note for (note,) in outside.rows("SELECT note FROM people_visit ORDER BY note")] == ["again", "new"]


def test_nor_is_one_that_was_undone_before_the_store_was_reset(outside: Outside) -> None:
    person = StormPerson("ann")
    transaction.begin()
    get_store("main").add(person)
    get_store("main").flush()
    transaction.abort()
    get_store("main").reset()
    with pytest.raises(storm.exceptions.LostObjectError), transaction.manager:
        get_store("main").add(person)
    assert outside.names() == []


def test_what_was_pending_when_the_store_was_reset_can_be_added_again(outside: Outside) -> None:
    with transaction.manager:
        person = storm_add("ann")
        get_store("main").reset()
        assert Store.of(person) is None
        get_store("main").add(person)
    assert outside.names() == ["ann"]


def test_an_object_that_a_hook_takes_out_of_the_store_is_not_sent(outside: Outside) -> None:
    class Jealous(Fragile):
        __storm_table__ = "people_person"

        other: Any = None

        def __storm_pre_flush__(self) -> None:
            if Store.of(self.other) is not None:
                get_store("main").remove(self.other)

    with transaction.manager:
        # Storm calls the hook of the last one first.
        first = storm_add("removed")
        jealous = get_store("main").add(Jealous("jealous"))
        last = storm_add("removed, too")
        jealous.other = last
        get_store("main").flush()
        jealous.other, jealous.name = first, "still jealous"
    assert outside.names() == ["still jealous"]
