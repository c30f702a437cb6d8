"""Nothing begun: Django autocommits; Storm joins the implicit transaction, and then Django is in it too."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import storm.exceptions
import transaction
from django.db import IntegrityError, connection
from django.db import transaction as django_transaction
from transaction.interfaces import TransactionFailedError

from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import (
    TRANSACTIONS,
    Outside,
    Spy,
    django_add,
    django_names,
    joined,
    names_in_both,
    storm_add,
    storm_insert,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


def test_django_autocommits(outside: Outside) -> None:
    person = django_add("ann")
    assert outside.names() == ["ann"]
    Person.objects.filter(pk=person.pk).update(name="anna")
    assert outside.names() == ["anna"]
    person.delete()
    assert outside.names() == []


def test_django_does_not_join_the_implicit_transaction(outside: Outside) -> None:
    spy = joined(Spy())
    django_add("ann")
    assert outside.names() == ["ann"]
    assert spy.calls == []
    transaction.abort()
    assert outside.names() == ["ann"]


def test_an_error_in_autocommit_costs_only_its_own_statement(outside: Outside) -> None:
    django_add("ann")
    with pytest.raises(IntegrityError):
        django_add("ann")
    django_add("bob")
    assert outside.names() == ["ann", "bob"]


def test_storm_joins_the_implicit_transaction(outside: Outside) -> None:
    spy = joined(Spy())
    storm_insert("ann")
    assert outside.names() == []
    transaction.commit()
    assert outside.names() == ["ann"]
    assert spy.committed


def test_an_abort_undoes_what_storm_wrote(outside: Outside) -> None:
    storm_insert("ann")
    transaction.abort()
    assert outside.names() == []
    assert names_in_both() == []
    transaction.abort()


def test_a_pending_object_of_storm_joins_and_is_flushed_by_the_commit(outside: Outside) -> None:
    storm_add("ann")
    transaction.commit()
    assert outside.names() == ["ann"]


def test_a_pending_object_of_storm_is_dropped_by_an_abort(outside: Outside) -> None:
    person = storm_add("ann")
    transaction.abort()
    storm_add("bob")
    transaction.commit()
    assert outside.names() == ["bob"]
    assert person.id is None


@pytest.mark.parametrize(
    "storms_first", [lambda: storm_insert("storm"), lambda: get_store("main").find(StormPerson).count()]
)
@pytest.mark.parametrize("end", [transaction.commit, transaction.abort])
def test_once_storm_has_joined_django_is_in_it_until_the_end(
    storms_first: Callable[[], object], end: Callable[[], None], outside: Outside
) -> None:
    storms_first()
    django_add("django")
    assert outside.names() == []
    end()
    assert ("django" in outside.names()) is (end is transaction.commit)
    django_add("after")
    assert "after" in outside.names()


def test_django_autocommits_again_in_the_next_transaction_too(outside: Outside) -> None:
    for number in range(3):
        storm_insert(f"storm {number}")
        transaction.commit()
        django_add(f"django {number}")
        assert len(outside.names()) == 2 * number + 2


def test_each_orm_sees_what_the_other_wrote_before_the_commit() -> None:
    storm_insert("storm")
    django_add("django")
    assert names_in_both() == ["django", "storm"]
    transaction.abort()


def test_django_reports_no_autocommit_while_storm_is_in_a_transaction() -> None:
    assert connection.get_autocommit()
    storm_insert("ann")
    assert not connection.get_autocommit()
    assert connection.in_atomic_block
    transaction.abort()
    assert connection.get_autocommit()


@pytest.mark.parametrize(("end", "names"), [("commit", ["ann", "bob"]), ("rollback", [])])
def test_the_stores_own_commit_and_rollback_end_zopes_transaction(end: str, names: list[str], outside: Outside) -> None:
    spy = joined(Spy())
    storm_add("ann")
    django_add("bob")
    getattr(get_store("main"), end)()
    assert outside.names() == names
    assert spy.committed if names else spy.aborted


def test_an_atomic_block_after_storm_has_joined_is_a_savepoint(outside: Outside) -> None:
    storm_insert("storm")
    with django_transaction.atomic():
        django_add("django")
    assert outside.names() == []
    transaction.commit()
    assert outside.names() == ["django", "storm"]


def test_a_rollback_of_such_a_block_keeps_what_storm_wrote_before(outside: Outside) -> None:
    storm_insert("storm")
    with pytest.raises(ZeroDivisionError), django_transaction.atomic():
        django_add("django")
        raise ZeroDivisionError
    transaction.commit()
    assert outside.names() == ["storm"]


def test_storms_error_at_the_commit_leaves_nothing_and_the_thread_usable(outside: Outside) -> None:
    django_add("ann")
    spy = joined(Spy())
    storm_add("bob")
    storm_add("ann")
    with pytest.raises(storm.exceptions.IntegrityError):
        transaction.commit()
    assert outside.names() == ["ann"]
    assert spy.aborted
    with pytest.raises(TransactionFailedError):
        transaction.commit()
    transaction.abort()
    storm_add("cid")
    transaction.commit()
    assert outside.names() == ["ann", "cid"]


def test_django_autocommits_after_a_failed_commit_that_nobody_aborted(outside: Outside) -> None:
    django_add("ann")
    storm_add("ann")
    with pytest.raises(storm.exceptions.IntegrityError):
        transaction.commit()
    django_add("bob")
    assert outside.names() == ["ann", "bob"]
    transaction.abort()
    assert outside.names() == ["ann", "bob"]


def test_a_server_side_iterator_of_django_works_in_autocommit() -> None:
    Person.objects.bulk_create(Person(name=f"{number:04}") for number in range(300))
    assert len(list(Person.objects.order_by("name").iterator(chunk_size=100))) == 300


def test_a_reading_storm_holds_no_transaction_after_its_end() -> None:
    assert storm_insert("ann").id
    transaction.commit()
    assert get_store("main").find(StormPerson).count() == 1
    transaction.commit()
    assert connection.data_manager is None
    assert django_names() == ["ann"]


def test_a_storm_object_kept_over_the_commit_shows_what_others_wrote(outside: Outside) -> None:
    person = storm_insert("ann")
    transaction.commit()
    outside.rows("UPDATE people_person SET name = 'anna'")
    assert person.name == "anna"
    transaction.abort()


def test_a_storm_object_kept_over_an_abort_shows_the_stored_value() -> None:
    person = storm_insert("ann")
    transaction.commit()
    person.name = "anna"
    get_store("main").flush()
    transaction.abort()
    assert person.name == "ann"
    person.name = "bob"
    transaction.abort()
    assert person.name == "ann"
    transaction.abort()


def test_a_change_of_a_kept_object_alone_is_committed(outside: Outside) -> None:
    person = storm_insert("ann")
    transaction.commit()
    person.name = "anna"
    transaction.commit()
    assert outside.names() == ["anna"]
