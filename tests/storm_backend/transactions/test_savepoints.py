"""transaction.savepoint(): both ORMs, the plain store, other data managers, and what joined after it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import storm.exceptions
import transaction
from django.db import IntegrityError, OperationalError, connection
from django.db.transaction import TransactionManagementError, atomic, on_commit
from storm.store import Store
from transaction.interfaces import InvalidSavepointRollbackError

from djintegrate.storm_backend import get_store
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import (
    TRANSACTIONS,
    Oops,
    Outside,
    Spy,
    SpyWithSavepoints,
    django_add,
    django_names,
    joined,
    names_in_both,
    storm_add,
    storm_insert,
    storm_names,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.usefixtures("sister_stores")]


def test_a_rollback_undoes_what_both_orms_did_since(outside: Outside) -> None:
    with transaction.manager:
        django_add("django before")
        storm_add("storm before")
        savepoint = transaction.savepoint()
        django_add("django lost")
        storm_insert("storm lost")
        storm_add("pending lost")
        savepoint.rollback()
        assert names_in_both() == ["django before", "storm before"]
        storm_add("after")
    assert outside.names() == ["after", "django before", "storm before"]


def test_a_savepoint_that_is_not_rolled_back_changes_nothing(outside: Outside) -> None:
    with transaction.manager:
        storm_add("before")
        transaction.savepoint()
        django_add("after")
    assert outside.names() == ["after", "before"]


def test_it_can_be_rolled_back_twice(outside: Outside) -> None:
    with transaction.manager:
        storm_add("before")
        savepoint = transaction.savepoint()
        for number in range(2):
            django_add(f"lost {number}")
            storm_insert(f"lost as well {number}")
            savepoint.rollback()
        assert names_in_both() == ["before"]
    assert outside.names() == ["before"]


def test_an_inner_one_and_then_the_outer_one(outside: Outside) -> None:
    with transaction.manager:
        storm_add("0")
        outer = transaction.savepoint()
        storm_add("1")
        inner = transaction.savepoint()
        storm_add("2")
        inner.rollback()
        assert names_in_both() == ["0", "1"]
        outer.rollback()
        assert names_in_both() == ["0"]
        with pytest.raises(InvalidSavepointRollbackError):
            inner.rollback()
    assert outside.names() == ["0"]


def test_storms_objects_show_the_value_of_the_savepoint() -> None:
    with transaction.manager:
        person = storm_insert("0")
        person.name = "1"
        savepoint = transaction.savepoint()
        person.name = "2"
        added = storm_insert("added")
        savepoint.rollback()
        assert person.name == "1"
        with pytest.raises(storm.exceptions.LostObjectError):
            assert added.name
        person.name = "3"
    with transaction.manager:
        assert names_in_both() == ["3"]


def test_what_was_pending_before_it_is_kept(outside: Outside) -> None:
    with transaction.manager:
        pending = storm_add("pending")
        savepoint = transaction.savepoint()
        savepoint.rollback()
        assert Store.of(pending) is get_store("main")
    assert outside.names() == ["pending"]


@pytest.mark.parametrize("write", [django_add, storm_insert, storm_add])
def test_a_connection_that_joined_after_it_is_rolled_back_whole(
    write: Callable[[str], object], outside: Outside
) -> None:
    with transaction.manager:
        savepoint = transaction.savepoint()
        write("lost")
        savepoint.rollback()
        assert names_in_both() == []
        write("kept")
    assert outside.names() == ["kept"]


@pytest.mark.parametrize("write", [storm_insert, storm_add])
def test_the_same_where_nothing_was_begun(write: Callable[[str], object], outside: Outside) -> None:
    savepoint = transaction.savepoint()
    write("lost")
    savepoint.rollback()
    write("kept")
    transaction.commit()
    assert outside.names() == ["kept"]


def test_an_atomic_block_that_joined_after_it_begins_anew(outside: Outside) -> None:
    savepoint = transaction.savepoint()
    with atomic():
        django_add("lost")
        storm_insert("lost as well")
        savepoint.rollback()
        assert outside.names() == []
        assert names_in_both() == []
        storm_add("kept")
        assert outside.names() == []
    assert outside.names() == ["kept"]


def test_a_connection_that_failed_after_it_joins_once_more(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(settings: object) -> None:
        raise OperationalError("The server does not answer.")

    connection.close()
    with transaction.manager:
        savepoint = transaction.savepoint()
        with monkeypatch.context() as patched, pytest.raises(OperationalError):
            patched.setattr(connection, "get_new_connection", fail)
            django_names()
        savepoint.rollback()
        django_add("kept")
    assert outside.names() == ["kept"]


def test_inner_blocks_that_joined_after_it_are_refused(outside: Outside) -> None:
    savepoint = transaction.savepoint()
    with atomic():
        django_add("lost")
        with atomic():
            savepoint.rollback()
            with pytest.raises(TransactionManagementError):
                django_add("refused")
    assert outside.names() == []
    django_add("next")
    assert outside.names() == ["next"]
    transaction.abort()


def test_inside_of_an_outermost_block_both_orms_roll_back(outside: Outside) -> None:
    with atomic():
        django_add("before")
        savepoint = transaction.savepoint()
        storm_insert("lost")
        savepoint.rollback()
        storm_add("after")
    assert outside.names() == ["after", "before"]


def test_it_may_be_taken_in_a_block_and_rolled_back_there(outside: Outside) -> None:
    with transaction.manager, atomic():
        storm_add("before")
        savepoint = transaction.savepoint()
        with atomic():
            storm_add("lost")
        savepoint.rollback()
        django_add("after")
    assert outside.names() == ["after", "before"]


def test_a_rollback_under_a_block_that_is_still_open_is_refused(outside: Outside) -> None:
    with transaction.manager:
        storm_add("before")
        savepoint = transaction.savepoint()
        with pytest.raises(TransactionManagementError, match="Leave the block"), atomic():
            django_add("inside")
            savepoint.rollback()
        transaction.abort()
    assert outside.names() == []


def test_a_savepoint_of_a_block_that_was_left_with_an_error_is_gone(outside: Outside) -> None:
    with transaction.manager:
        storm_add("before")
        with pytest.raises(Oops), atomic():
            savepoint = transaction.savepoint()
            storm_add("lost")
            raise Oops
        # The database has forgotten it with the block.
        with pytest.raises(TransactionManagementError, match=r"savepoint is gone.*block that has been left"):
            savepoint.rollback()
        transaction.abort()
    assert outside.names() == []


def test_and_so_is_one_of_a_block_that_was_left_well(outside: Outside) -> None:
    with transaction.manager:
        with atomic():
            django_add("inside")
            savepoint = transaction.savepoint()
        with pytest.raises(TransactionManagementError, match="savepoint is gone"):
            savepoint.rollback()
        transaction.abort()
    assert outside.names() == []


def test_it_heals_a_swallowed_django_error(outside: Outside) -> None:
    django_add("ann")
    with transaction.manager:
        storm_add("before")
        savepoint = transaction.savepoint()
        with pytest.raises(IntegrityError):
            django_add("ann")
        savepoint.rollback()
        storm_insert("after")
    assert outside.names() == ["after", "ann", "before"]


def test_it_heals_a_swallowed_storm_error(outside: Outside) -> None:
    django_add("ann")
    with transaction.manager:
        django_add("before")
        savepoint = transaction.savepoint()
        with pytest.raises(storm.exceptions.IntegrityError):
            storm_insert("ann")
        savepoint.rollback()
        storm_insert("after")
    assert outside.names() == ["after", "ann", "before"]


def test_a_data_manager_without_savepoints_prevents_one(outside: Outside) -> None:
    with pytest.raises(TypeError, match="Savepoints unsupported"), transaction.manager:
        django_add("ann")
        joined(Spy())
        transaction.savepoint()
    transaction.abort()
    assert outside.names() == []


def test_an_optimistic_one_is_taken_but_not_rolled_back(outside: Outside) -> None:
    with pytest.raises(TypeError, match="Savepoints unsupported"), transaction.manager:
        django_add("ann")
        joined(Spy())
        savepoint = transaction.savepoint(optimistic=True)
        storm_add("bob")
        savepoint.rollback()
    transaction.abort()
    assert outside.names() == []


def test_other_data_managers_are_asked_for_theirs(outside: Outside) -> None:
    with transaction.manager:
        spy = joined(SpyWithSavepoints())
        django_add("before")
        savepoint = transaction.savepoint()
        storm_insert("lost")
        savepoint.rollback()
    assert spy.calls[:2] == ["savepoint", "rollback"]
    assert outside.names() == ["before"]


def test_the_plain_store_takes_part(plain: None, outside: Outside) -> None:
    with transaction.manager:
        storm_add("plain before", "plain")
        django_add("before")
        savepoint = transaction.savepoint()
        changed = storm_insert("plain lost", "plain")
        storm_add("plain pending", "plain")
        storm_add("lost")
        savepoint.rollback()
        assert storm_names("plain") == ["plain before"]
        assert names_in_both() == ["before"]
        with pytest.raises(storm.exceptions.LostObjectError):
            assert changed.name
        storm_add("plain after", "plain")
    with transaction.manager:
        assert storm_names("plain") == ["plain after", "plain before"]
    assert outside.names() == ["before"]


def test_a_plain_store_that_joined_after_it_is_rolled_back_whole(plain: None) -> None:
    with transaction.manager:
        django_add("before")
        savepoint = transaction.savepoint()
        storm_insert("lost", "plain")
        savepoint.rollback()
        assert storm_names("plain") == []
        storm_add("kept", "plain")
    with transaction.manager:
        assert storm_names("plain") == ["kept"]


def test_both_databases_take_part(outside: Outside) -> None:
    with transaction.manager:
        django_add("before")
        storm_add("before", "second")
        savepoint = transaction.savepoint()
        storm_insert("lost")
        django_add("lost", using="second")
        savepoint.rollback()
        assert names_in_both() == names_in_both("second") == ["before"]
    assert outside.names() == outside.names("second") == ["before"]


def test_callbacks_registered_since_are_dropped() -> None:
    runs: list[str] = []
    with transaction.manager:
        django_names()
        savepoint = transaction.savepoint()
        on_commit(lambda: runs.append("lost"))
        savepoint.rollback()
        on_commit(lambda: runs.append("kept"))
    assert runs == ["kept"]


def test_a_lookup_by_key_after_the_rollback_does_not_find_a_lost_object() -> None:
    with transaction.manager:
        django_names()
        savepoint = transaction.savepoint()
        key = storm_insert("lost").id
        savepoint.rollback()
        assert get_store("main").get(StormPerson, key) is None
