"""Threads: each has its own transaction, stores and connections, and its end frees them."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import storm.exceptions
import transaction
from django.db import DatabaseError, connection, connections
from django.db.transaction import TransactionManagementError, atomic
from transaction.interfaces import NoTransaction

from djintegrate.storm_backend import get_store, get_store_uri
from djintegrate.storm_backend.transactions.thread import current
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import (
    TRANSACTIONS,
    Oops,
    Outside,
    beside_pooler,
    connections_left,
    connections_open,
    django_add,
    django_names,
    in_thread,
    names_in_both,
    storm_add,
    storm_insert,
    storm_names,
    wait_until,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


class TestThreadsOneAfterAnother:
    def test_ten_threads_get_ten_stores(self) -> None:
        stores = [in_thread(lambda: get_store("main")) for _ in range(10)]
        assert len({id(store) for store in stores}) == 10
        assert get_store("main") not in stores

    def test_within_a_thread_it_is_always_the_same(self) -> None:
        assert in_thread(lambda: get_store("main") is get_store("main"))
        assert in_thread(lambda: get_store("plain") is get_store("plain"))

    def test_each_sees_what_the_one_before_committed(self, outside: Outside) -> None:
        def work() -> list[str]:
            with transaction.manager:
                seen = names_in_both()
                storm_add(str(len(seen)))
                return seen

        assert [len(in_thread(work)) for _ in range(10)] == list(range(10))
        assert len(outside.names()) == 10

    def test_each_begins_with_nothing_begun(self, outside: Outside) -> None:
        transaction.begin()
        in_thread(lambda: django_add("autocommitted"))
        assert outside.names() == ["autocommitted"]
        transaction.abort()


def leaves_nothing_open() -> None:
    with transaction.manager:
        storm_add("kept")


def reads_with_storm() -> None:
    storm_names()
    transaction.abort()


def writes_with_django() -> None:
    django_add("kept")


def leaves_storm_uncommitted() -> None:
    storm_insert("lost")


def leaves_a_transaction_begun() -> None:
    transaction.begin()
    django_add("lost")
    storm_add("lost as well")


def leaves_a_block_open() -> None:
    atomic().__enter__()
    django_add("lost")


def leaves_a_savepoint() -> None:
    storm_insert("lost")
    transaction.savepoint()


def holds_on_to_objects() -> Any:
    person = storm_insert("kept")
    transaction.commit()
    return person


def holds_on_to_an_error() -> Any:
    """Its traceback has the engine's frames, and what these know."""
    with pytest.raises(TransactionManagementError) as info, atomic():
        storm_insert("lost")
        transaction.begin()
    return info.value


def fails() -> None:
    with pytest.raises(Oops), transaction.manager:
        storm_insert("lost")
        raise Oops


def uses_both_databases() -> None:
    with transaction.manager:
        storm_add("kept")
        storm_add("kept", "second")


WORK: list[Callable[[], Any]] = [
    leaves_nothing_open,
    reads_with_storm,
    writes_with_django,
    leaves_storm_uncommitted,
    leaves_a_transaction_begun,
    leaves_a_block_open,
    leaves_a_savepoint,
    holds_on_to_objects,
    holds_on_to_an_error,
    fails,
    uses_both_databases,
]


@pytest.mark.parametrize("work", WORK)
class TestTheEndOfAThread:
    def test_it_frees_its_connections_without_the_garbage_collector(self, work: Callable[[], Any]) -> None:
        django_names()
        django_names("second")
        gc.collect()
        before = connections_left(), connections_left("second")
        gc.disable()
        try:
            kept = in_thread(work)
            wait_until(lambda: (connections_open(), connections_open("second")) == before)
        finally:
            gc.enable()
        del kept

    def test_what_it_did_not_commit_is_rolled_back(self, work: Callable[[], Any], outside: Outside) -> None:
        in_thread(work)
        assert [name for name in outside.names() if name != "kept"] == []
        # And nothing stays locked.
        with transaction.manager:
            storm_add("next")
        assert "next" in outside.names()


class TestManyThreads:
    def test_fifty_threads_leave_as_many_connections_as_there_were(self) -> None:
        django_names()
        before = connections_left()
        for number in range(50):
            in_thread(lambda number=number: storm_insert(str(number)))
        wait_until(lambda: connections_open() == before)

    @beside_pooler("the server counts the pooler's connections")
    def test_there_is_one_connection_for_each_living_thread(self) -> None:
        django_names()
        before = connections_left()
        ready, done = threading.Barrier(6), threading.Event()

        def work() -> None:
            with transaction.manager:
                storm_names()
                django_names()
            ready.wait(30)
            done.wait(30)

        threads = [threading.Thread(target=work) for _ in range(5)]
        for thread in threads:
            thread.start()
        ready.wait(30)
        try:
            assert connections_open() == before + 5
        finally:
            done.set()
            for thread in threads:
                thread.join(30)
        wait_until(lambda: connections_open() == before)

    def test_they_share_nothing(self, outside: Outside) -> None:
        """Of eight threads at the same time every second one aborts; none sees or loses another's work."""

        def work(number: int) -> bool:
            try:
                with transaction.manager:
                    mine = storm_insert(f"{number} storm")
                    django_add(f"{number} django")
                    # Of the others only what is committed, so never an odd number's.
                    for names in (storm_names(), django_names()):
                        others = {int(name[0]) for name in names} - {number}
                        assert not {other for other in others if other % 2}
                    if number % 2:
                        raise Oops
                    assert mine.name == f"{number} storm"
                return True
            except Oops:
                return False

        with ThreadPoolExecutor(4 if connection.vendor != "sqlite" else 1) as pool:
            outcomes = list(pool.map(work, range(8)))
        assert outcomes == [True, False] * 4
        assert outside.names() == sorted(f"{number} {orm}" for number in range(0, 8, 2) for orm in ("django", "storm"))

    def test_the_plain_store_of_a_thread_is_freed_as_well(self, plain: None, settings: Any) -> None:
        settings.STORM_STORES = {**settings.STORM_STORES, "ledger": get_store_uri("second")}
        django_names("second")
        before = connections_open("second")
        for number in range(3):
            in_thread(lambda number=number: storm_insert(str(number), "ledger"))
        wait_until(lambda: connections_open("second") == before)


class TestTheWrongThread:
    @pytest.fixture(params=["main", "plain", "ledger"])
    def store(self, request: pytest.FixtureRequest, settings: Any) -> Iterator[str]:
        settings.STORM_STORES = {**settings.STORM_STORES, "ledger": get_store_uri("second")}
        if request.param == "plain":
            request.getfixturevalue("plain")
        yield request.param
        transaction.abort()
        get_store(request.param).close()

    @pytest.mark.parametrize("joined_before", [False, True])
    @pytest.mark.parametrize(
        "use",
        [
            lambda store: store.find(StormPerson).count(),
            lambda store: store.execute("SELECT 1"),
            lambda store: store.add(StormPerson("ann")),
        ],
        ids=["find", "execute", "add"],
    )
    def test_using_a_store_there_raises(self, use: Any, joined_before: bool, store: str) -> None:
        mine = get_store(store)
        if joined_before:
            mine.execute("SELECT 1")

        def work() -> None:
            try:
                use(mine)
            finally:
                transaction.abort()

        with pytest.raises((DatabaseError, storm.exceptions.Error), match="thread"):
            in_thread(work)
        transaction.abort()
        mine.execute("SELECT 1")
        transaction.abort()

    def test_reading_an_object_there_raises(self) -> None:
        person = storm_insert("ann")
        transaction.commit()
        with pytest.raises((DatabaseError, storm.exceptions.Error), match="thread"):
            in_thread(lambda: person.name)
        assert person.name == "ann"
        transaction.abort()

    def test_a_connection_of_djangos_raises_as_natively(self) -> None:
        mine = connections["default"]
        with pytest.raises(DatabaseError, match="thread"):
            in_thread(lambda: mine.cursor())

    def test_a_shared_connection_may_be_used_and_is_not_closed_by_the_other_thread(self, outside: Outside) -> None:
        mine = connections["default"]
        mine.inc_thread_sharing()
        try:
            if mine.vendor == "sqlite":
                pytest.skip("sqlite3 itself refuses a connection of another thread, but in memory.")

            def work() -> None:
                connections["default"] = mine
                django_add("ann")

            in_thread(work)
            django_add("bob")
        finally:
            mine.dec_thread_sharing()
        assert outside.names() == ["ann", "bob"]


class TestExplicitMode:
    """transaction.manager.explicit: nothing is ever begun by itself."""

    @pytest.fixture(autouse=True)
    def explicit(self, nothing_left: None) -> Any:
        transaction.abort()
        transaction.manager.explicit = True
        yield
        transaction.manager.explicit = False
        transaction.abort()

    def test_django_works_as_natively(self, outside: Outside) -> None:
        django_add("autocommitted")
        with atomic():
            django_add("committed")
            assert outside.names() == ["autocommitted"]
        with pytest.raises(Oops), atomic():
            django_add("lost")
            raise Oops
        assert outside.names() == ["autocommitted", "committed"]

    def test_storm_without_a_transaction_is_an_error(self) -> None:
        with pytest.raises(NoTransaction):
            get_store("main").execute("SELECT 1")

    def test_in_a_begun_transaction_everything_works(self, outside: Outside) -> None:
        with transaction.manager:
            storm_add("storm")
            with atomic():
                django_add("django")
        assert outside.names() == ["django", "storm"]
        assert current().begun is None
