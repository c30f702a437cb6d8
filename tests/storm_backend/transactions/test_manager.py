"""The data manager: its place in the commit, several stores in one transaction, the plain store, and retries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import storm.exceptions
import transaction
from django.db import connections
from django.db.transaction import TransactionManagementError, atomic

from djintegrate.storm_backend import get_store, get_store_uri
from djintegrate.storm_backend.transactions.manager import DataManager
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import (
    TRANSACTIONS,
    Oops,
    Outside,
    Spy,
    django_add,
    django_names,
    joined,
    names_in_both,
    storm_add,
    storm_insert,
    storm_names,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


@pytest.fixture
def ledger(settings: Any, nothing_left: None) -> Iterator[str]:
    """A plain store on the database under test, beside the alias `second` on the same database."""
    settings.STORM_STORES = {**settings.STORM_STORES, "ledger": get_store_uri("second")}
    yield "ledger"
    transaction.abort()
    get_store("ledger").close()


class TestTheOrderOfTheCommit:
    def test_there_is_one_data_manager_for_a_connection_and_it_sorts_last(self) -> None:
        with transaction.manager as txn:
            storm_insert("ann")
            django_names()
            joined(Spy(sort_key="zzz"))
            keys = sorted(resource.sortKey() for resource in txn._resources)
            ours = [resource for resource in txn._resources if isinstance(resource, DataManager)]
        assert len(ours) == 1
        assert keys[-1] == ours[0].sortKey()

    def test_everything_is_flushed_before_anybody_commits(self, outside: Outside) -> None:
        django_add("ann")
        with pytest.raises(storm.exceptions.IntegrityError), transaction.manager:
            spy = joined(Spy())
            storm_add("ann")
        transaction.abort()
        assert "tpc_vote" not in spy.calls
        assert spy.aborted

    def test_what_another_data_manager_changes_in_its_commit_is_written(self, outside: Outside) -> None:
        with transaction.manager:
            person = storm_insert("ann")
            spy = joined(Spy())
            spy.watch = {"commit": lambda: setattr(person, "name", "changed late")}
        assert outside.names() == ["changed late"]

    def test_what_another_data_manager_writes_with_django_in_its_commit_is_kept(self, outside: Outside) -> None:
        with transaction.manager:
            django_add("ann")
            spy = joined(Spy())
            spy.watch = {"commit": lambda: django_add("late")}
        assert outside.names() == ["ann", "late"]

    def test_one_that_first_uses_the_database_in_its_commit_loses_nothing_silently(self, outside: Outside) -> None:
        raised = False
        try:
            with transaction.manager:
                spy = joined(Spy())
                spy.watch = {"commit": lambda: django_add("late")}
        except Exception:
            raised = True
        transaction.abort()
        assert outside.names() == ([] if raised else ["late"])


class TestThePlainStore:
    @pytest.fixture(params=["plain", "ledger"])
    def store(self, request: pytest.FixtureRequest) -> str:
        """A plain store: in a SQLite file, and on the database under test."""
        request.getfixturevalue(request.param)
        return str(request.param)

    def test_it_is_committed_in_the_same_transaction(self, store: str, outside: Outside) -> None:
        with transaction.manager:
            storm_add("plain", store)
        with transaction.manager:
            assert storm_names(store) == ["plain"]

    def test_it_is_aborted_in_the_same_transaction(self, store: str, outside: Outside) -> None:
        with pytest.raises(Oops), transaction.manager:
            django_add("django")
            person = storm_insert("plain", store)
            storm_add("pending", store)
            raise Oops
        with transaction.manager:
            assert storm_names(store) == []
            with pytest.raises(storm.exceptions.LostObjectError):
                assert person.name
        assert outside.names() == []

    def test_it_joins_an_outermost_atomic_block(self, store: str, outside: Outside) -> None:
        with atomic():
            django_add("kept")
            storm_add("kept", store)
        with pytest.raises(Oops), atomic():
            django_add("lost")
            storm_insert("lost", store)
            raise Oops
        with transaction.manager:
            assert storm_names(store) == ["kept"]
        assert outside.names() == ["kept"]

    def test_it_joins_the_implicit_transaction(self, store: str) -> None:
        storm_insert("kept", store)
        transaction.commit()
        storm_insert("lost", store)
        transaction.abort()
        assert storm_names(store) == ["kept"]
        transaction.abort()

    def test_another_data_manager_that_refuses_leaves_nothing_in_it(self, store: str) -> None:
        with pytest.raises(Oops), transaction.manager:
            storm_add("lost", store)
            joined(Spy(fails_at="tpc_vote"))
        transaction.abort()
        with transaction.manager:
            assert storm_names(store) == []

    def test_its_own_refusal_leaves_nothing_in_django(self, store: str, outside: Outside) -> None:
        with transaction.manager:
            storm_add("ann", store)
        with pytest.raises(storm.exceptions.IntegrityError), transaction.manager:
            django_add("lost")
            storm_add("ann", store)
        transaction.abort()
        assert outside.names() == []

    def test_a_savepoint_rolls_it_back(self, store: str) -> None:
        with transaction.manager:
            kept = storm_insert("kept", store)
            savepoint = transaction.savepoint()
            storm_insert("lost", store)
            kept.name = "changed"
            savepoint.rollback()
            assert kept.name == "kept"
            assert storm_names(store) == ["kept"]
        with transaction.manager:
            assert storm_names(store) == ["kept"]

    def test_its_pending_changes_are_flushed_before_a_savepoint(self, store: str) -> None:
        with transaction.manager:
            storm_add("pending", store)
            savepoint = transaction.savepoint()
            storm_add("lost", store)
            savepoint.rollback()
        with transaction.manager:
            assert storm_names(store) == ["pending"]

    def test_savepoints_nest(self, store: str) -> None:
        with transaction.manager:
            storm_add("0", store)
            outer = transaction.savepoint()
            storm_add("1", store)
            inner = transaction.savepoint()
            storm_add("2", store)
            inner.rollback()
            storm_add("3", store)
            assert storm_names(store) == ["0", "1", "3"]
            outer.rollback()
            assert storm_names(store) == ["0"]

    def test_its_own_commit_and_rollback_are_zopes(self, store: str, outside: Outside) -> None:
        spy = joined(Spy())
        storm_add("kept", store)
        get_store(store).commit()
        assert spy.committed
        storm_add("lost", store)
        get_store(store).rollback()
        assert storm_names(store) == ["kept"]
        transaction.abort()

    def test_an_open_atomic_block_refuses_its_commit(self, store: str) -> None:
        with atomic():
            django_add("ann")
            storm_add("bob", store)
            with pytest.raises(TransactionManagementError):
                get_store(store).commit()
        with transaction.manager:
            assert storm_names(store) == ["bob"]

    def test_it_can_be_closed_and_asked_for_again(self, store: str) -> None:
        with transaction.manager:
            storm_add("ann", store)
        old = get_store(store)
        old.close()
        assert get_store(store) is not old
        with transaction.manager:
            assert storm_names(store) == ["ann"]


def test_after_a_failed_commit_both_databases_and_the_plain_store_are_usable(plain: None, outside: Outside) -> None:
    with pytest.raises(Oops), transaction.manager:
        for store in ("main", "second", "plain"):
            storm_add("lost", store)
        joined(Spy(fails_at="tpc_vote"))
    transaction.abort()
    with transaction.manager:
        for store in ("main", "second", "plain"):
            storm_add("kept", store)
    with transaction.manager:
        assert names_in_both() == names_in_both("second") == storm_names("plain") == ["kept"]
    assert all(connections[alias].get_autocommit() for alias in ("default", "second"))


def test_the_cache_of_the_store_is_fresh_in_each_transaction(outside: Outside) -> None:
    with transaction.manager:
        key = storm_insert("ann").id
    with transaction.manager:
        person = get_store("main").get(StormPerson, key)
        assert person.name == "ann"
    outside.rows("UPDATE people_person SET name = 'anna'")
    with transaction.manager:
        assert get_store("main").get(StormPerson, key).name == "anna"
        assert get_store("main").get(StormPerson, key) is person
