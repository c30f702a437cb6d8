"""Which errors may go away when the transaction runs again: real ones, of the database under test."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import django.db
import pytest
import storm.exceptions
import transaction
from django.db import connection

from djintegrate.storm_backend import get_store, get_store_uri
from djintegrate.storm_backend.sql.errors import is_retryable
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import (
    TRANSACTIONS,
    Oops,
    Outside,
    Spy,
    beside_pooler,
    django_add,
    is_sqlite,
    joined,
    storm_insert,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


def error_of(work: Callable[[], Any]) -> BaseException:
    with pytest.raises(Exception) as caught, transaction.manager:
        work()
    transaction.abort()
    return caught.value


def retryable(error: BaseException) -> bool:
    """As Zope asks, of a transaction that the connection is part of."""
    with transaction.manager as txn:
        Person.objects.count()
        return bool(txn.isRetryableError(error))


def change_with_django() -> None:
    Person.objects.filter(name="ann").update(name="django")


def change_with_storm() -> None:
    get_store("main").find(StormPerson, name="ann").set(name="storm")


@pytest.mark.parametrize("change", [change_with_django, change_with_storm])
class TestLocks:
    @beside_pooler("nobody sets how long a session waits for a lock")
    def test_a_lock_that_is_not_released_in_time(self, change: Callable[[], None], outside: Outside) -> None:
        django_add("ann")
        impatient()
        with outside.connection().cursor() as cursor:
            cursor.execute("BEGIN IMMEDIATE" if is_sqlite() else "BEGIN")
            cursor.execute("UPDATE people_person SET name = 'outside' WHERE name = 'ann'")
            try:
                error = error_of(change)
            finally:
                cursor.execute("ROLLBACK")
                patient()
        assert isinstance(error, (django.db.Error, storm.exceptions.Error))
        assert retryable(error)
        with transaction.manager:
            change()
        assert outside.names() in (["django"], ["storm"])

    def test_a_deadlock(self, change: Callable[[], None], outside: Outside) -> None:
        if is_sqlite():
            pytest.skip("SQLite has one lock, so no deadlock: it says that the database is locked.")
        django_add("ann")
        django_add("bob")
        both = threading.Barrier(2)
        errors: list[BaseException] = []

        def in_order(names: list[str]) -> None:
            try:
                with transaction.manager:
                    Person.objects.filter(name=names[0]).update(name=names[0])
                    both.wait(30)
                    get_store("main").execute("UPDATE people_person SET name = name WHERE name = ?", (names[1],))
                    if names[0] == "ann":
                        change()
            except Exception as error:
                errors.append(error)
                transaction.abort()

        threads = [threading.Thread(target=in_order, args=[names]) for names in (["ann", "bob"], ["bob", "ann"])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(errors) == 1
        assert retryable(errors[0])

    def test_a_conflict_of_serializable_transactions(
        self, change: Callable[[], None], outside: Outside, db_kind: str
    ) -> None:
        if db_kind != "postgres":
            pytest.skip("PostgreSQL's way; the others lock.")
        django_add("ann")

        def conflict() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
            Person.objects.count()
            outside.rows("UPDATE people_person SET name = 'ann'")
            change()

        error = error_of(conflict)
        assert "could not serialize" in str(error)
        assert retryable(error)


class TestOthers:
    def test_a_broken_constraint_is_not(self) -> None:
        django_add("ann")
        assert not retryable(error_of(lambda: django_add("ann")))
        assert not retryable(error_of(lambda: storm_insert("ann")))

    def test_a_wrong_statement_is_not(self) -> None:
        def wrong_in_django() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT no_such_column FROM people_person")

        assert not retryable(error_of(wrong_in_django))
        assert not retryable(error_of(lambda: get_store("main").execute("SELECT no_such_column FROM people_person")))

    def test_another_kind_of_error_is_not(self) -> None:
        assert not retryable(Oops("database is locked"))
        assert not is_retryable(connection.vendor, ValueError())

    def test_the_cause_of_an_error_counts(self) -> None:
        class Locked(Exception):
            sqlstate = "40001"

        error = Oops()
        error.__cause__ = Locked()
        assert is_retryable("postgresql", error)
        assert not is_retryable("mysql", error)
        assert not is_retryable("sqlite", error)

    def test_another_data_manager_is_asked_too(self) -> None:
        class Willing(Spy):
            def should_retry(self, error: BaseException) -> bool:
                return isinstance(error, Oops)

        with transaction.manager as txn:
            Person.objects.count()
            joined(Willing())
            assert txn.isRetryableError(Oops())

    def test_the_plain_store_knows_its_own_errors(self, settings: Any, outside: Outside) -> None:
        if is_sqlite():
            pytest.skip("The plain store would wait for its lock for five seconds.")
        settings.STORM_STORES = {**settings.STORM_STORES, "ledger": get_store_uri("main")}
        django_add("ann")
        store = get_store("ledger")
        txn = transaction.begin()
        with outside.connection().cursor() as cursor:
            store.execute(IMPATIENCE[connection.vendor])
            cursor.execute("BEGIN")
            cursor.execute("UPDATE people_person SET name = 'outside' WHERE name = 'ann'")
            with pytest.raises(storm.exceptions.Error) as caught:
                store.find(StormPerson, name="ann").set(name="storm")
            cursor.execute("ROLLBACK")
            assert txn.isRetryableError(caught.value)
            assert not txn.isRetryableError(Oops())
        transaction.abort()
        store.close()


IMPATIENCE = {
    "sqlite": "PRAGMA busy_timeout = 100",
    "postgresql": "SET lock_timeout = 100",
    "mysql": "SET SESSION innodb_lock_wait_timeout = 1",
}


def impatient() -> None:
    """Wait no longer than a moment for a lock, on this thread's connection."""
    with connection.cursor() as cursor:
        cursor.execute(IMPATIENCE[connection.vendor])


def patient() -> None:
    connection.close()
