"""store_policy(): as a decorator and as a context manager, sync and async, in requests and outside of them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any

import pytest
import transaction
from asgiref.sync import async_to_sync, sync_to_async
from django.db import InternalError, connections
from django.db.transaction import atomic

from djintegrate.storm_backend import get_store, store_policy
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.storm_backend.replicas.site import REPLICAS, WHATEVER_DRIVER, Clock, Send, Servers
from tests.storm_backend.replicas.views import PRIMARY, REPLICA, by_django, by_storm, seen
from tests.support.helpers import in_thread, wait_until

pytest_plugins = ["tests.support.fixtures", "tests.storm_backend.replicas.fixtures"]
pytestmark = [*REPLICAS, WHATEVER_DRIVER]

Browser = Callable[[], Send]
ON_PRIMARY, ON_REPLICA = {"django": PRIMARY, "storm": PRIMARY}, {"django": REPLICA, "storm": REPLICA}


class TestInRequests:
    def test_what_is_within_follows_it_and_what_is_around_does_not(self, new_browser: Browser, site: Servers) -> None:
        assert new_browser()("get", "/nested/").json() == {
            "around": [REPLICA, REPLICA],
            "within": [PRIMARY, PRIMARY],
            "innermost": ON_REPLICA,
        }
        # Its write was committed with the rest of the request.
        assert site.there.names() == ["ann"]

    def test_it_is_each_coroutines_own(self, new_browser: Browser) -> None:
        assert new_browser()("get", "/at_once/").json() == {
            "primary": [PRIMARY, PRIMARY],
            "replica": [REPLICA, REPLICA],
            "after": REPLICA,
        }
        assert new_browser()("post", "/at_once/").json() == {
            "primary": [PRIMARY, PRIMARY],
            "replica": [REPLICA, PRIMARY],
            "after": PRIMARY,
        }

    @pytest.mark.parametrize("path", ["/feed/", "/feed_async/"])
    def test_a_feed_reads_from_a_replica_whoever_asks(self, path: str, new_browser: Browser) -> None:
        send = new_browser()
        assert send("post", path).json() == ON_REPLICA
        send("post", "/by_django_writes/")
        assert send("get", "/where/").json() == ON_PRIMARY
        assert send("get", path).json() == ON_REPLICA

    @pytest.mark.parametrize("path", ["/page/", "/page_async/", "/reads_on_primary/"])
    def test_a_page_may_want_the_primary(self, path: str, new_browser: Browser) -> None:
        send = new_browser()
        assert send("get", path).json() == ON_PRIMARY
        # It wrote nothing.
        assert send("get", "/where/").json() == ON_REPLICA

    def test_a_replica_that_may_not_serve_is_none_for_a_feed_either(
        self, new_browser: Browser, site: Servers, clock: Clock
    ) -> None:
        with site.standby_is_down():
            clock.passes(1.1)
            assert new_browser()("get", "/feed/").json() == ON_PRIMARY


class TestElsewhere:
    def test_without_a_policy_everything_is_the_primarys(self) -> None:
        assert seen() == ON_PRIMARY
        with transaction.manager:
            assert seen() == ON_PRIMARY

    def test_a_context_manager_in_a_transaction_and_outside_of_one(self) -> None:
        with store_policy("replica"):
            assert seen() == ON_REPLICA
            with transaction.manager:
                assert seen() == ON_REPLICA
        with transaction.manager:
            with store_policy("replica"):
                assert by_storm() == REPLICA
            assert seen() == ON_PRIMARY

    def test_one_object_serves_many_threads_and_within_itself(self) -> None:
        policy = store_policy("replica")
        inside = threading.Event()

        def other() -> str:
            with policy, policy:
                inside.set()
                return by_django()

        with policy:
            with policy:
                assert by_django() == REPLICA
            assert by_django() == REPLICA
            # A new thread begins with no policy.
            assert in_thread(by_django) == PRIMARY
            assert in_thread(other) == REPLICA
        assert by_django() == PRIMARY

    def test_an_error_leaves_it(self) -> None:
        with pytest.raises(ValueError, match="oops"), store_policy("replica"):
            raise ValueError("oops")
        assert by_django() == PRIMARY

    def test_a_decorated_function_and_coroutine_keep_what_they_are(self) -> None:
        @store_policy("replica")
        def read(what: str, *, twice: bool = False) -> str:
            """Reads."""
            return f"{what} {by_django()} {twice}"

        @store_policy("replica")
        async def read_async() -> str:
            await asyncio.sleep(0)
            return await sync_to_async(by_storm)()

        assert read("from", twice=True) == "from replica True"
        assert (read.__name__, read.__doc__) == ("read", "Reads.")
        assert asyncio.iscoroutinefunction(read_async)
        assert async_to_sync(read_async)() == REPLICA
        assert by_django() == PRIMARY

    def test_an_asynchronous_context_manager(self) -> None:
        async def read() -> list[str]:
            async with store_policy("replica"):
                within = await sync_to_async(by_django)()
            return [within, await sync_to_async(by_django)()]

        assert async_to_sync(read)() == [REPLICA, PRIMARY]

    @pytest.mark.parametrize("wrong", ["master", "", None, "Replica"])
    def test_there_are_two_policies(self, wrong: Any) -> None:
        with pytest.raises(ValueError, match='make it "primary" or "replica"'):
            store_policy(wrong)

    def test_a_write_on_a_replica_is_refused_by_the_database(self, site: Servers) -> None:
        with store_policy("replica"):
            with pytest.raises(InternalError, match="read-only transaction"):
                Person.objects.create(name="ann")
            get_store("extra").add(StormPerson("bob"))
            with pytest.raises(Exception, match="read-only transaction"):
                get_store("extra").flush()
            transaction.abort()
        assert site.there.names() == []

    @pytest.mark.parametrize("begins", [transaction.manager, atomic("extra"), contextlib.nullcontext()])
    def test_a_worker_that_lasts_chooses_anew(self, begins: Any, site: Servers, clock: Clock) -> None:
        with store_policy("replica"):
            with begins:
                assert by_django() == REPLICA
            with site.standby_is_down():
                # The connection is lost with it, as the next statement may have to find out.
                clock.passes(1.1)
                with begins:
                    assert by_django() == PRIMARY
                    assert by_django() == PRIMARY
            clock.passes(31)

            def again() -> bool:
                clock.passes(1.1)
                with begins:
                    return by_django() == REPLICA

            wait_until(again)

    def test_a_transaction_chooses_once(self, site: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
        pair, chosen = connections["extra"], []
        choose = type(pair).choose
        monkeypatch.setattr(
            "djintegrate.storm_backend.replicas.pair.Pair.choose", lambda p: chosen.append(1) or choose(p)
        )
        with store_policy("replica"):
            for number in (1, 2):
                with transaction.manager:
                    assert seen() == ON_REPLICA
                    assert Person.objects.count() == 0
                assert len(chosen) == number

    def test_one_transaction_stays_where_it_has_begun(self, site: Servers, clock: Clock) -> None:
        with store_policy("replica"):
            for begins in (transaction.manager, atomic("extra")):
                with begins:
                    assert by_django() == REPLICA
                    site.pause()
                    site.there.rows("INSERT INTO people_person (name) VALUES ('ann') ON CONFLICT DO NOTHING")
                    clock.passes(60)
                    assert by_django() == by_django() == REPLICA
                site.resume()
                site.catch_up()
                clock.passes(1.1)

    @pytest.mark.parametrize("begins", [transaction.manager, contextlib.nullcontext()])
    def test_rows_come_through_a_cursor_of_the_replicas(self, begins: Any, site: Servers) -> None:
        site.there.rows("INSERT INTO people_person (name) SELECT 'p' || n FROM generate_series(1, 50) n")
        site.catch_up()
        with store_policy("replica"), begins:
            rows = Person.objects.iterator(chunk_size=10)
            first = next(rows)
            # Where it goes on does not matter.
            with store_policy("primary"):
                assert len([first, *rows]) == 50


class TestOneTransaction:
    """Both connections in one transaction of Zope's."""

    def test_what_was_written_on_the_primary_is_committed_or_aborted_with_it(self, site: Servers) -> None:
        with store_policy("replica"), transaction.manager:
            assert seen() == ON_REPLICA
            with store_policy("primary"):
                Person.objects.create(name="ann")
                get_store("extra").add(StormPerson("bob"))
            assert seen() == ON_REPLICA
        assert site.there.names() == ["ann", "bob"]
        with pytest.raises(ValueError, match="oops"), store_policy("replica"), transaction.manager:
            with store_policy("primary"):
                Person.objects.create(name="eve")
            by_django()
            raise ValueError("oops")
        assert site.there.names() == ["ann", "bob"]

    def test_savepoints_are_each_connections_own(self, site: Servers) -> None:
        with store_policy("replica"), transaction.manager:
            assert by_django() == REPLICA
            with pytest.raises(ValueError, match="oops"), store_policy("primary"), atomic("extra"):
                Person.objects.create(name="ann")
                raise ValueError("oops")
            with atomic("extra"):
                assert seen() == ON_REPLICA
            savepoint = transaction.savepoint()
            with store_policy("primary"):
                Person.objects.create(name="bob")
            savepoint.rollback()
            with store_policy("primary"):
                Person.objects.create(name="cid")
        assert site.there.names() == ["cid"]

    def test_what_runs_after_the_commit_runs_once(self, site: Servers) -> None:
        ran: list[str] = []
        with store_policy("replica"), transaction.manager:
            by_django()
            connections["extra"].on_commit(lambda: ran.append("replica"))
            with store_policy("primary"):
                Person.objects.create(name="ann")
                connections["extra"].on_commit(lambda: ran.append("primary"))
            assert ran == []
        assert sorted(ran) == ["primary", "replica"]

    def test_a_thread_closes_both_when_it_ends(self, site: Servers) -> None:
        def open_both() -> None:
            by_django()
            with store_policy("replica"):
                by_storm()

        def open_now() -> int:
            ask = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
            return int(site.there.rows(ask)[0][0] + site.behind.rows(ask)[0][0])

        before = open_now()
        for _ in range(5):
            in_thread(open_both)
        # The server notices a little later.
        wait_until(lambda: open_now() <= before)

    def test_closing_the_alias_closes_both(self) -> None:
        by_django()
        with store_policy("replica"):
            by_django()
        raw = [each.connection for each in connections["extra"].members().values()]
        assert len(raw) == 2
        connections["extra"].close()
        assert all(each.closed for each in raw)
        assert seen() == ON_PRIMARY
