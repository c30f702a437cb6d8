"""Storm objects that are alive while transactions end and blocks are rolled back: they never show undone values."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import storm.exceptions
import transaction
from django.db.transaction import atomic
from storm.store import Store

from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person, Visit
from tests.apps.people.storm_models import StormPerson, StormVisit
from tests.support.helpers import TRANSACTIONS, Oops, Outside, names_in_both, storm_add, storm_insert, storm_names

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


class TestStormObjects:
    def test_they_are_alive_and_current_after_the_commit(self, outside: Outside) -> None:
        with atomic():
            person = storm_insert("ann")
        outside.rows("UPDATE people_person SET name = 'anna'")
        with atomic():
            assert person.name == "anna"
            assert Store.of(person) is get_store("main")

    def test_a_rollback_shows_the_stored_value_again(self) -> None:
        with atomic():
            person = storm_insert("ann")
        with pytest.raises(Oops), atomic():
            person.name = "anna"
            get_store("main").flush()
            raise Oops
        with atomic():
            assert person.name == "ann"

    def test_what_django_changed_and_lost_is_not_kept_by_storm(self) -> None:
        with atomic():
            person = storm_insert("ann")
        with pytest.raises(Oops), atomic():
            Person.objects.update(name="anna")
            get_store("main").autoreload()
            assert person.name == "anna"
            raise Oops
        with atomic():
            assert person.name == "ann"

    def test_an_object_added_and_lost_is_in_no_store(self) -> None:
        with pytest.raises(Oops), atomic():
            flushed = storm_insert("flushed")
            pending = storm_add("pending")
            raise Oops
        assert Store.of(pending) is None
        with atomic():
            assert get_store("main").find(StormPerson).is_empty()
            with pytest.raises(storm.exceptions.LostObjectError):
                assert flushed.name


class TestStormObjectsInRolledBackBlocks:
    def test_a_changed_value_is_read_again(self) -> None:
        with transaction.manager:
            person = storm_insert("ann")
            with pytest.raises(Oops), atomic():
                person.name = "flushed"
                get_store("main").flush()
                person.name = "pending"
                raise Oops
            assert person.name == "ann"
            person.name = "bob"
        with transaction.manager:
            assert names_in_both() == ["bob"]

    def test_a_value_that_django_changed_is_read_again(self) -> None:
        with transaction.manager:
            person = storm_insert("ann")
            with pytest.raises(Oops), atomic():
                Person.objects.update(name="anna")
                get_store("main").autoreload()
                assert person.name == "anna"
                raise Oops
            assert person.name == "ann"

    def test_a_change_pending_before_the_block_is_kept(self, outside: Outside) -> None:
        with transaction.manager:
            person = storm_insert("ann")
            person.name = "pending"
            with pytest.raises(Oops), atomic():
                person.name = "inside"
                raise Oops
            assert person.name == "pending"
        assert outside.names() == ["pending"]

    def test_an_object_added_inside_is_gone(self, outside: Outside) -> None:
        with transaction.manager:
            with pytest.raises(Oops), atomic():
                flushed = storm_insert("flushed")
                key = flushed.id
                pending = storm_add("pending")
                raise Oops
            assert Store.of(pending) is None
            assert get_store("main").get(StormPerson, key) is None
            with pytest.raises(storm.exceptions.LostObjectError):
                assert flushed.name
        assert outside.names() == []

    def test_an_object_pending_before_the_block_is_kept_and_usable(self, outside: Outside) -> None:
        with transaction.manager:
            pending = storm_add("pending")
            with pytest.raises(Oops), atomic():
                storm_add("lost")
                raise Oops
            assert Store.of(pending) is get_store("main")
            assert get_store("main").get(StormPerson, pending.id) is pending
            pending.name = "renamed"
        assert outside.names() == ["renamed"]

    def test_an_object_removed_inside_is_there_again(self, outside: Outside) -> None:
        with transaction.manager:
            flushed, pending = storm_insert("flushed"), storm_insert("pending")
            with pytest.raises(Oops), atomic():
                get_store("main").remove(flushed)
                get_store("main").flush()
                get_store("main").remove(pending)
                raise Oops
            assert names_in_both() == ["flushed", "pending"]
            assert pending.name == "pending"
        assert outside.names() == ["flushed", "pending"]

    def test_a_removal_pending_before_the_block_is_kept(self, outside: Outside) -> None:
        with transaction.manager:
            person = storm_insert("ann")
            get_store("main").remove(person)
            with pytest.raises(Oops), atomic():
                raise Oops
        assert outside.names() == []

    def test_a_reference_set_inside_points_where_it_did(self) -> None:
        with transaction.manager:
            ann, bob = storm_insert("ann"), storm_insert("bob")
            visit = get_store("main").add(StormVisit("note", ann))
            get_store("main").flush()
            with pytest.raises(Oops), atomic():
                visit.person = bob
                get_store("main").flush()
                raise Oops
            assert visit.person is ann
            assert Visit.objects.get().person_id == ann.id

    def test_a_successful_block_keeps_everything(self, outside: Outside) -> None:
        with transaction.manager:
            person = storm_insert("ann")
            with atomic():
                person.name = "changed"
                added = storm_add("added")
            assert (person.name, added.name) == ("changed", "added")
            assert Store.of(added) is get_store("main")
        assert outside.names() == ["added", "changed"]

    def test_each_level_shows_its_own_value(self) -> None:
        with transaction.manager:
            person = storm_insert("0")
            with pytest.raises(Oops), atomic():
                person.name = "1"
                with pytest.raises(ZeroDivisionError), atomic():
                    person.name = "2"
                    raise ZeroDivisionError
                assert person.name == "1"
                raise Oops
            assert person.name == "0"


def by_savepoint() -> Callable[[], None]:
    savepoint: Callable[[], None] = transaction.savepoint().rollback
    return savepoint


def by_abort() -> Callable[[], None]:
    transaction.commit()
    transaction.begin()

    def abort() -> None:
        transaction.abort()
        transaction.begin()

    return abort


@pytest.mark.parametrize("mark", [by_savepoint, by_abort])
@pytest.mark.parametrize("name", ["main", "plain"])
class TestUndoneParts:
    """Of a shared store and of a plain one, undone to a savepoint or whole."""

    @pytest.fixture(autouse=True)
    def begun(self, plain: None) -> Iterator[None]:
        transaction.begin()
        yield
        transaction.abort()

    def test_a_value_is_shown_as_it_was(self, name: str, mark: Callable[[], Callable[[], None]]) -> None:
        flushed, pending = storm_insert("flushed", name), storm_insert("pending", name)
        undo = mark()
        flushed.name = "changed"
        get_store(name).flush()
        pending.name = "changed too"
        undo()
        assert (flushed.name, pending.name) == ("flushed", "pending")
        assert storm_names(name) == ["flushed", "pending"]

    def test_what_a_find_has_set_is_shown_as_it_was(self, name: str, mark: Callable[[], Callable[[], None]]) -> None:
        person = storm_insert("ann", name)
        undo = mark()
        get_store(name).find(StormPerson).set(name="anna")
        assert person.name == "anna"
        undo()
        assert person.name == "ann"

    def test_an_object_that_was_added_is_gone(self, name: str, mark: Callable[[], Callable[[], None]]) -> None:
        undo = mark()
        flushed, pending = storm_insert("flushed", name), storm_add("pending", name)
        key = flushed.id
        undo()
        assert Store.of(pending) is None
        assert get_store(name).get(StormPerson, key) is None
        with pytest.raises(storm.exceptions.LostObjectError):
            assert flushed.name

    def test_its_key_may_be_used_again(self, name: str, mark: Callable[[], Callable[[], None]]) -> None:
        undo = mark()
        lost = storm_insert("lost", name)
        key = lost.id
        undo()
        new = StormPerson("new")
        new.id = key
        get_store(name).add(new)
        # To look at it flushes, and only that shows that it is another's row.
        with pytest.raises(storm.exceptions.LostObjectError):
            assert lost.name
        assert get_store(name).get(StormPerson, key) is new

    def test_an_object_that_was_removed_is_there(self, name: str, mark: Callable[[], Callable[[], None]]) -> None:
        flushed, pending = storm_insert("flushed", name), storm_insert("pending", name)
        key = flushed.id
        undo = mark()
        get_store(name).remove(flushed)
        get_store(name).flush()
        get_store(name).remove(pending)
        undo()
        assert get_store(name).get(StormPerson, key).name == "flushed"
        assert (pending.name, Store.of(pending)) == ("pending", get_store(name))
        assert storm_names(name) == ["flushed", "pending"]
