"""Django's manual mode, set_autocommit(False): commit() and rollback() are transaction.commit() and abort()."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import storm.exceptions
import transaction
from django.db import IntegrityError, connection
from django.db import transaction as django_transaction
from django.db.transaction import TransactionManagementError, atomic
from transaction.interfaces import DoomedTransaction

from djintegrate.storm_backend import get_store
from tests.support.helpers import (
    TRANSACTIONS,
    Oops,
    Outside,
    Spy,
    django_add,
    joined,
    names_in_both,
    storm_add,
    storm_insert,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


@pytest.fixture(autouse=True)
def manual(nothing_left: None) -> Iterator[None]:
    django_transaction.set_autocommit(False)
    yield
    transaction.abort()
    django_transaction.rollback()
    django_transaction.set_autocommit(True)


def test_commit_is_zopes_commit_with_storm_in_it(outside: Outside) -> None:
    django_add("django")
    spy = joined(Spy())
    storm_add("storm")
    assert outside.names() == []
    django_transaction.commit()
    assert outside.names() == ["django", "storm"]
    assert spy.committed


def test_rollback_is_zopes_abort_with_storm_in_it(outside: Outside) -> None:
    django_add("django")
    spy = joined(Spy())
    person = storm_insert("storm")
    storm_add("pending")
    django_transaction.rollback()
    assert outside.names() == []
    assert spy.aborted
    assert names_in_both() == []
    with pytest.raises(storm.exceptions.LostObjectError):
        assert person.name


@pytest.mark.parametrize("flushes", [False, True])
def test_either_is_the_end_also_where_only_other_stores_took_part(flushes: bool, outside: Outside) -> None:
    def add(name: str) -> None:
        storm_add(name, "second")
        if flushes:
            get_store("second").flush()

    add("lost")
    spy = joined(Spy())
    django_transaction.rollback()
    assert spy.aborted
    add("kept")
    spy = joined(Spy())
    django_transaction.commit()
    assert spy.committed
    assert outside.names("second") == ["kept"]


def test_a_commit_that_fails_there_leaves_nothing(outside: Outside) -> None:
    storm_add("storm", "second")
    joined(Spy(fails_at="tpc_vote"))
    with pytest.raises(Oops):
        django_transaction.commit()
    storm_add("next", "second")
    django_transaction.commit()
    assert outside.names("second") == ["next"]


def test_neither_ends_what_is_in_a_block_of_another_alias(outside: Outside) -> None:
    with atomic("second"):
        django_add("one", "second")
        storm_add("two", "second")
        for end in (django_transaction.commit, django_transaction.rollback):
            end()
    assert outside.names("second") == ["one", "two"]


def test_a_block_of_another_alias_that_does_nothing_ends_nothing(outside: Outside) -> None:
    storm_add("pending")
    with atomic("second"):
        pass
    django_transaction.rollback()
    storm_add("pending", "second")
    django_transaction.set_autocommit(True)
    with atomic():
        pass
    transaction.abort()
    django_transaction.set_autocommit(False)
    assert outside.names() == outside.names("second") == []


@pytest.mark.parametrize(("end", "names"), [(transaction.commit, ["django", "storm"]), (transaction.abort, [])])
def test_zopes_end_is_the_end_of_the_database_transaction(
    end: Callable[[], None], names: list[str], outside: Outside
) -> None:
    storm_insert("storm")
    django_add("django")
    end()
    assert outside.names() == names
    assert not connection.get_autocommit()
    assert names_in_both() == names


def test_one_transaction_follows_another(outside: Outside) -> None:
    for number in range(3):
        storm_add(f"storm {number}")
        django_add(f"django {number}")
        django_transaction.commit()
        django_add("lost")
        django_transaction.rollback()
    assert len(outside.names()) == 6
    assert "lost" not in outside.names()


def test_reads_alone_can_be_ended(outside: Outside) -> None:
    assert names_in_both() == []
    django_transaction.commit()
    outside.rows("INSERT INTO people_person (name) VALUES ('ann')")
    assert names_in_both() == ["ann"]
    django_transaction.rollback()


def test_an_atomic_block_is_a_savepoint(outside: Outside) -> None:
    django_add("before")
    with atomic():
        storm_add("inside")
    assert outside.names() == []
    with pytest.raises(Oops), atomic():
        storm_insert("lost")
        raise Oops
    assert names_in_both() == ["before", "inside"]
    django_transaction.commit()
    assert outside.names() == ["before", "inside"]


def test_an_atomic_block_as_the_first_thing_is_a_savepoint_too(outside: Outside) -> None:
    with atomic():
        django_add("inside")
        storm_add("inside as well")
    with pytest.raises(Oops), atomic():
        storm_insert("lost")
        raise Oops
    assert outside.names() == []
    django_transaction.commit()
    assert outside.names() == ["inside", "inside as well"]


def test_a_commit_that_another_data_manager_refuses_leaves_nothing(outside: Outside) -> None:
    django_add("django")
    storm_add("storm")
    joined(Spy(fails_at="tpc_vote"))
    with pytest.raises(Oops):
        django_transaction.commit()
    assert outside.names() == []
    django_add("next")
    django_transaction.commit()
    assert outside.names() == ["next"]


def test_a_doomed_transaction_is_not_committed(outside: Outside) -> None:
    django_add("django")
    transaction.doom()
    with pytest.raises(DoomedTransaction):
        django_transaction.commit()
    assert outside.names() == []


def test_savepoints_made_by_hand_roll_both_orms_back(outside: Outside) -> None:
    django_add("before")
    savepoint = transaction.savepoint()
    storm_insert("lost")
    django_add("lost as well")
    savepoint.rollback()
    storm_add("after")
    django_transaction.commit()
    assert outside.names() == ["after", "before"]


@pytest.mark.parametrize("end", [django_transaction.commit, django_transaction.rollback, transaction.abort])
def test_the_mode_lasts_where_a_block_comes_first(end: Callable[[], None], outside: Outside) -> None:
    with atomic():
        django_add("inside")
    end()
    kept = outside.names()
    assert not connection.get_autocommit()
    storm_add("storm")
    with atomic():
        django_add("django")
    assert outside.names() == kept
    django_transaction.rollback()
    assert outside.names() == kept


@pytest.mark.parametrize("released", [True, False])
def test_a_savepoint_of_djangos_may_be_the_first_thing(released: bool, outside: Outside) -> None:
    savepoint = django_transaction.savepoint()
    storm_insert("storm")
    django_add("django")
    end = django_transaction.savepoint_commit if released else django_transaction.savepoint_rollback
    end(savepoint)
    storm_add("after")
    assert outside.names() == []
    django_transaction.commit()
    assert outside.names() == (["after", "django", "storm"] if released else ["after"])


@pytest.mark.parametrize("end", [django_transaction.savepoint_commit, django_transaction.savepoint_rollback])
def test_no_savepoint_is_not_the_whole_transaction(end: Callable[[Any], None], outside: Outside) -> None:
    """Django's savepoint() gives None where it takes none."""
    django_add("django")
    with contextlib.suppress(Exception):
        end(None)
    assert connection.data_manager is not None
    assert outside.names() == []
    django_transaction.rollback()


def test_a_begun_transaction_is_the_same(outside: Outside) -> None:
    with transaction.manager:
        django_add("django")
        storm_add("storm")
        assert outside.names() == []
    assert outside.names() == ["django", "storm"]
    with pytest.raises(Oops), transaction.manager:
        django_add("lost")
        raise Oops
    assert names_in_both() == ["django", "storm"]


def test_autocommit_cannot_be_turned_on_in_the_middle(outside: Outside) -> None:
    django_add("django")
    storm_insert("storm")
    with pytest.raises(TransactionManagementError, match="commit"):
        django_transaction.set_autocommit(True)
    assert outside.names() == []
    django_transaction.commit()
    assert outside.names() == ["django", "storm"]
    django_transaction.set_autocommit(True)
    django_add("autocommitted")
    assert "autocommitted" in outside.names()
    django_transaction.set_autocommit(False)


def test_zopes_commit_inside_of_a_block_is_refused(outside: Outside) -> None:
    with atomic():
        storm_insert("ann")
        for end in (transaction.commit, django_transaction.commit):
            with pytest.raises(TransactionManagementError):
                end()
    django_transaction.commit()
    assert outside.names() == ["ann"]


def test_a_django_error_can_be_rolled_back(outside: Outside) -> None:
    django_add("ann")
    django_transaction.commit()
    storm_insert("lost")
    with pytest.raises(IntegrityError):
        django_add("ann")
    django_transaction.rollback()
    get_store("main").execute("SELECT 1")
    storm_add("bob")
    django_transaction.commit()
    assert outside.names() == ["ann", "bob"]
