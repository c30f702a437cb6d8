"""Storm on a connection that Django opened: its values, its errors, its tracers, and stores outside of Zope's reach."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timezone
from decimal import Decimal
from typing import Any

import pytest
import storm.exceptions
import transaction
from django.db import connection, connections
from storm.locals import Not
from storm.store import Store
from storm.tracer import install_tracer, remove_tracer

from djintegrate.storm_backend import get_store
from proofs.conformance.own_connection import database_for
from tests.apps.people.models import Sample
from tests.apps.people.storm_models import StormPerson, StormSample
from tests.support.helpers import (
    TRANSACTIONS,
    Outside,
    beside_pooler,
    connections_left,
    connections_open,
    django_add,
    is_sqlite,
    names_in_both,
    storm_add,
    storm_insert,
    wait_until,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

VALUES: dict[str, Any] = {
    "text": "Zoë 👋\n日本 'quoted' %s ?",
    "flag": True,
    "number": 2**40,
    "ratio": 0.25,
    "amount": Decimal("12345678.1234"),
    "day": date(2024, 2, 29),
    "moment": datetime(2024, 2, 29, 23, 59, 58, 123456, tzinfo=timezone.utc),
    "clock": time(12, 34, 56, 789),
    "raw": bytes(range(256)),
}


class TestValues:
    @pytest.mark.parametrize("kind", VALUES)
    def test_storm_reads_what_django_wrote(self, kind: str) -> None:
        skip_decimals_of_sqlite(kind)
        Sample.objects.create(**VALUES)
        with transaction.manager:
            assert list(get_store("main").find(StormSample).values(getattr(StormSample, kind))) == [VALUES[kind]]

    @pytest.mark.parametrize("kind", VALUES)
    def test_django_reads_what_storm_wrote(self, kind: str) -> None:
        sample = StormSample()
        for name, value in VALUES.items():
            setattr(sample, name, value)
        with transaction.manager:
            get_store("main").add(sample)
        value = Sample.objects.values_list(kind, flat=True).get()
        assert (bytes(value) if kind == "raw" else value) == VALUES[kind]

    @pytest.mark.parametrize("kind", VALUES)
    def test_storm_finds_a_row_by_its_value(self, kind: str) -> None:
        skip_decimals_of_sqlite(kind)
        if kind == "moment" and is_sqlite():
            pytest.skip("In SQLite Storm writes the offset of an aware moment into the text, and Django does not.")
        Sample.objects.create(**VALUES)
        with transaction.manager:
            column = getattr(StormSample, kind)
            assert get_store("main").find(StormSample, column == VALUES[kind]).count() == 1
            assert get_store("main").find(StormSample, Not(column == VALUES[kind])).count() == 0

    def test_generated_keys_are_given_to_the_objects(self) -> None:
        with transaction.manager:
            first, second = storm_insert("ann"), storm_insert("bob")
            assert first.id is not None
            assert second.id > first.id
        assert django_add("cid").pk > second.id


class TestErrors:
    def test_storms_errors_are_storms(self) -> None:
        store = get_store("main")
        with pytest.raises(storm.exceptions.DatabaseError):
            store.execute("SELECT * FROM no_such_table")
        transaction.abort()
        storm_insert("ann")
        with pytest.raises(storm.exceptions.IntegrityError):
            storm_insert("ann")
        transaction.abort()

    def test_a_blocked_connection_is_refused(self) -> None:
        store = get_store("main")
        store.block_access()
        try:
            with pytest.raises(storm.exceptions.ConnectionBlockedError):
                store.execute("SELECT 1")
        finally:
            store.unblock_access()
            transaction.abort()
        assert store.execute("SELECT 1").get_one() == (1,)
        transaction.abort()

    def test_a_closed_store_is_refused(self) -> None:
        store = get_store("main")
        store.close()
        with pytest.raises(storm.exceptions.ClosedError):
            store.execute("SELECT 1")
        transaction.abort()


class Tracer:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def connection_raw_execute(self, connection: Any, cursor: Any, statement: str, params: Any) -> None:
        self.seen.append(statement.split()[0])

    def connection_commit(self, connection: Any, xid: Any = None) -> None:
        self.seen.append("commit")

    def connection_rollback(self, connection: Any, xid: Any = None) -> None:
        self.seen.append("rollback")


@pytest.fixture
def tracer() -> Iterator[Tracer]:
    tracer = Tracer()
    install_tracer(tracer)
    yield tracer
    remove_tracer(tracer)


def test_storms_tracers_see_statements_and_ends(tracer: Tracer) -> None:
    with transaction.manager:
        storm_insert("ann")
    storm_insert("bob")
    transaction.abort()
    assert [entry for entry in tracer.seen if entry in ("INSERT", "commit", "rollback")] == [
        "INSERT",
        "commit",
        "INSERT",
        "rollback",
    ]


def test_storm_never_closes_the_connection(outside: Outside) -> None:
    connection.ensure_connection()
    raw = connection.connection
    storm_add("ann")
    transaction.commit()
    get_store("main").close()
    assert connection.connection is raw
    assert connection.is_usable()


class TestStoresOutsideOfZopesTransaction:
    @pytest.fixture
    def store(self) -> Iterator[Store]:
        store = Store(database_for(connections["default"]))
        yield store
        store.rollback()
        store.close()

    def test_they_commit_by_themselves(self, store: Store, outside: Outside) -> None:
        with transaction.manager:
            store.add(StormPerson("ann"))
            store.flush()
            assert outside.names() == []
            store.commit()
            assert outside.names() == ["ann"]
            store.add(StormPerson("lost"))
            store.flush()
            store.rollback()
        assert outside.names() == ["ann"]

    def test_an_abort_of_zopes_does_not_touch_them(self, store: Store, outside: Outside) -> None:
        store.add(StormPerson("ann"))
        store.flush()
        transaction.abort()
        store.commit()
        assert outside.names() == ["ann"]

    @beside_pooler("the server counts the pooler's connections")
    def test_they_have_a_connection_of_their_own_and_close_it(self) -> None:
        connection.ensure_connection()
        before = connections_left()
        store = Store(database_for(connections["default"]))
        store.execute("SELECT 1")
        assert connections_open() == before + 1
        store.rollback()
        store.close()
        wait_until(lambda: connections_open() == before)

    def test_they_see_what_is_committed(self, store: Store) -> None:
        storm_add("ann")
        transaction.commit()
        assert store.find(StormPerson).count() == 1
        store.rollback()
        with transaction.manager:
            assert names_in_both() == ["ann"]


def skip_decimals_of_sqlite(kind: str) -> None:
    if kind == "amount" and is_sqlite():
        pytest.skip("SQLite keeps it as a float, which Storm's Decimal does not take, with or without Django.")
