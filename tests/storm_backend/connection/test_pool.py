"""Django's pool of PostgreSQL connections, lent to both ORMs and given back after each request, and by each thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import transaction
from django.core.signals import request_finished, request_started
from django.db import connections
from django.db.transaction import atomic
from storm.store import Store

from djintegrate.storm_backend import get_store, get_store_uri
from proofs.conformance.own_connection import database_for
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import TRANSACTIONS, Oops, Outside, extra_alias, in_thread, is_postgres

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.usefixtures("unguarded")]

SIZE = 2


@pytest.fixture
def pooled(settings: Any) -> Iterator[Any]:
    """An alias with a pool of SIZE connections, on the same database as `default`."""
    if not is_postgres() or connections["default"].Database.__name__ != "psycopg":
        pytest.skip("Django has a pool for psycopg 3 alone.")
    pytest.importorskip("psycopg_pool")
    pool = {"min_size": 0, "max_size": SIZE, "timeout": 10}
    with extra_alias(settings, get_store_uri("main"), OPTIONS={"pool": pool}) as connection:
        yield connection
        transaction.abort()
        connection.close()
        assert lent(connection) == 0
        connection.close_pool()


def lent(connection: Any) -> int:
    stats: dict[str, int] = connection.pool.get_stats()
    return stats["pool_size"] - stats["pool_available"]


def write(name: str) -> None:
    Person.objects.using("extra").create(name=f"{name} by Django")
    get_store("extra").add(StormPerson(f"{name} by Storm"))


def request(name: str) -> None:
    """What a request does, as a server's thread sees it."""
    request_started.send(None)
    try:
        with transaction.manager:
            write(name)
    finally:
        request_finished.send(None)


def test_both_orms_use_one_connection_of_the_pool(pooled: Any, outside: Outside) -> None:
    with transaction.manager:
        write("ann")
        assert lent(pooled) == 1
        assert get_store("extra").find(StormPerson).count() == Person.objects.using("extra").count() == 2
        assert outside.names() == []
    assert outside.names() == ["ann by Django", "ann by Storm"]


def test_it_goes_back_after_each_request(pooled: Any, outside: Outside) -> None:
    request("ann")
    assert lent(pooled) == 0
    store = get_store("extra")
    request("bob")
    assert lent(pooled) == 0
    assert get_store("extra") is store
    assert len(outside.names()) == 4


def test_storm_uses_what_the_next_request_is_lent(pooled: Any) -> None:
    request("ann")
    person = get_store("extra").find(StormPerson, name="ann by Storm").one()
    transaction.abort()
    request_finished.send(None)
    # Another thread has got the connection that was this one's.
    other = pooled.pool.getconn()
    try:
        with transaction.manager:
            person.name = "anna"
            assert Person.objects.using("extra").filter(name="ann by Storm").count() == 0
            assert get_store("extra").execute("SELECT pg_backend_pid()").get_one()[0] != other.info.backend_pid
    finally:
        pooled.pool.putconn(other)
    assert Person.objects.using("extra").filter(name="anna").exists()


def test_more_threads_than_connections_take_turns(pooled: Any, outside: Outside) -> None:
    together = threading.Barrier(8)

    def serve(number: int) -> None:
        together.wait(timeout=30)
        for turn in range(3):
            request(f"{number}.{turn}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(serve, range(8)))
    assert len(outside.names()) == 8 * 3 * 2
    assert lent(pooled) == 0
    assert pooled.pool.get_stats()["pool_size"] <= SIZE


def test_a_thread_that_ends_gives_its_connection_back(pooled: Any, outside: Outside) -> None:
    def work() -> None:
        with transaction.manager:
            write(threading.current_thread().name)

    for _ in range(SIZE + 2):
        in_thread(work)
    assert lent(pooled) == 0
    assert len(outside.names()) == (SIZE + 2) * 2


def test_a_thread_that_ends_in_a_transaction_leaves_nothing_of_it(pooled: Any, outside: Outside) -> None:
    def work() -> None:
        transaction.begin()
        write("lost")
        get_store("extra").flush()

    for _ in range(SIZE + 2):
        in_thread(work)
    assert lent(pooled) == 0
    request("kept")
    assert outside.names() == ["kept by Django", "kept by Storm"]


@pytest.mark.parametrize("ending", ["commit", "error"])
def test_an_atomic_block_ends_as_without_a_pool(pooled: Any, outside: Outside, ending: str) -> None:
    try:
        with atomic("extra"):
            write("ann")
            if ending == "error":
                raise Oops
    except Oops:
        pass
    assert len(outside.names()) == (2 if ending == "commit" else 0)
    pooled.close()
    assert lent(pooled) == 0


def test_a_connection_closed_in_a_transaction_commits_nothing(pooled: Any, outside: Outside) -> None:
    with pytest.raises(Exception, match="cannot be committed"), transaction.manager:
        write("lost")
        get_store("extra").flush()
        pooled.close()
    assert outside.names() == []


def test_stores_outside_of_zopes_transaction_are_lent_one_each(pooled: Any, outside: Outside) -> None:
    store = Store(database_for(pooled))
    store.add(StormPerson("ann"))
    store.commit()
    assert lent(pooled) == 1
    store.close()
    assert lent(pooled) == 0
    assert outside.names() == ["ann"]
