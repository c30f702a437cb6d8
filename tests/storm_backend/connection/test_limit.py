"""MAX_CONNECTIONS: a process has at most so many to a store, they go round, and who waits too long is told."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import transaction
from asgiref.sync import async_to_sync
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, RequestFactory
from django.urls import path

from djintegrate.storm_backend import checks, get_store, get_store_uri
from djintegrate.storm_backend.connection import limit
from djintegrate.storm_backend.connection.limit import TooManyConnections
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import MIDDLEWARE, TRANSACTIONS, Oops, Outside, extra_alias, in_thread, is_sqlite, wait_until

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.usefixtures("unguarded")]

MOST = 3


@contextmanager
def limited(settings: Any, most: int = MOST, seconds: float = 30) -> Iterator[Any]:
    limit._places.clear()
    uri = get_store_uri("main")
    if is_sqlite():
        # Writers wait for each other.
        uri += "?timeout=60&transaction_mode=IMMEDIATE"
    with extra_alias(settings, {"URI": uri, "MAX_CONNECTIONS": most, "MAX_WAIT_SECONDS": seconds}) as connection:
        yield connection
        transaction.abort()
        connection.close()
        places = limit.places(connection)
        assert places._open == len(places._idle) <= most
        for raw in places._idle:
            raw.close()


@pytest.fixture
def three(settings: Any) -> Iterator[Any]:
    with limited(settings) as connection:
        yield connection


def write(name: str) -> None:
    Person.objects.using("extra").create(name=f"{name} by Django")
    get_store("extra").add(StormPerson(f"{name} by Storm"))


def request(name: str, then: Callable[[], object] = lambda: None) -> None:
    """What a request does, as a server's thread sees it."""
    request_started.send(None)
    try:
        with transaction.manager:
            write(name)
            then()
    finally:
        request_finished.send(None)


def open_ones(connection: Any) -> int:
    return limit.places(connection)._open


def test_more_threads_than_connections_take_turns(three: Any, outside: Outside) -> None:
    seen: list[int] = []
    together = threading.Barrier(12)

    def serve(number: int) -> None:
        together.wait(30)
        for turn in range(4):
            request(f"{number:02}.{turn}", lambda: seen.append(open_ones(three)))

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(serve, range(12)))
    assert len(outside.names()) == 12 * 4 * 2
    assert max(seen) == MOST if not is_sqlite() else max(seen) <= MOST
    assert open_ones(three) <= MOST


def test_a_thread_that_rests_after_its_request_keeps_none_from_others(three: Any, outside: Outside) -> None:
    done = threading.Event()

    def serve(number: int) -> None:
        request(str(number))
        done.wait(30)

    threads = [threading.Thread(target=serve, args=(number,)) for number in range(MOST * 2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(500):
            if len(outside.names()) == MOST * 4:
                break
            threading.Event().wait(0.02)
        assert all(thread.is_alive() for thread in threads)
        assert len(outside.names()) == MOST * 4
    finally:
        done.set()
        for thread in threads:
            thread.join(30)


def test_a_store_that_no_alias_names_keeps_none_either(settings: Any) -> None:
    limit._places.clear()
    entry = {"URI": get_store_uri("main"), "MAX_CONNECTIONS": 1, "MAX_WAIT_SECONDS": 5}
    settings.STORM_STORES = {**settings.STORM_STORES, "loose": entry}
    done = threading.Event()
    found: list[int] = []

    def serve() -> None:
        request_started.send(None)
        with transaction.manager:
            found.append(get_store("loose").find(StormPerson).count())
        request_finished.send(None)
        done.wait(30)

    threads = [threading.Thread(target=serve) for _ in range(3)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(found) == 3)
    done.set()
    for thread in threads:
        thread.join(30)
    [places] = limit._places.values()
    assert (places._open, len(places._idle)) == (1, 1)
    places._idle.pop().close()


def test_the_next_request_has_the_connection_of_the_one_before_it(three: Any) -> None:
    used: list[Any] = []
    for number in range(5):
        in_thread(lambda number=number: request(str(number), lambda: used.append(connections["extra"].connection)))
    assert len(set(map(id, used))) == 1
    assert open_ones(three) == 1


def test_a_thread_that_ends_in_a_transaction_gives_its_place_back_and_leaves_nothing(
    three: Any, outside: Outside
) -> None:
    def work() -> None:
        transaction.begin()
        write("lost")
        get_store("extra").flush()

    for _ in range(MOST + 2):
        in_thread(work)
    assert open_ones(three) == 0
    in_thread(lambda: request("kept"))
    assert outside.names() == ["kept by Django", "kept by Storm"]


def test_one_that_died_while_it_rested_is_replaced(three: Any, outside: Outside) -> None:
    if is_sqlite():
        pytest.skip("A file does not go away by itself.")
    raws: list[Any] = []
    in_thread(lambda: request("one", lambda: raws.append(connections["extra"].connection)))
    raws[0].close()
    in_thread(lambda: request("two"))
    assert len(outside.names()) == 4
    assert open_ones(three) == 1


def test_one_that_cannot_be_opened_takes_no_place(settings: Any) -> None:
    with limited(settings, most=1) as connection:
        good = connection.settings_dict["NAME"]
        connection.settings_dict["NAME"] = "/nowhere/at/all" if is_sqlite() else "there_is_no_such_database"
        bad = limit.places(connection)
        for _ in range(3):
            with pytest.raises(Exception, match=r"(?i)unable|there_is_no_such|/nowhere"):
                connection.ensure_connection()
        assert bad._open == 0
        connection.settings_dict["NAME"] = good


def test_a_connection_closed_in_a_block_counts_once(three: Any) -> None:
    for _ in range(MOST + 1):
        with suppress(Exception), transaction.manager:
            write("lost")
            get_store("extra").flush()
            three.close()
        transaction.abort()
        three.close()
    assert open_ones(three) <= 1


def test_a_forked_child_has_its_own_and_leaves_its_parents(three: Any, outside: Outside) -> None:
    in_thread(lambda: request("before"))
    child = os.fork()
    if child == 0:
        code = 1
        with suppress(BaseException):
            assert open_ones(three) == 0
            code = 0
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    in_thread(lambda: request("after"))
    assert len(outside.names()) == 4
    assert open_ones(three) == 1


# Waiting for too long


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(Person.objects.using("extra").count()))


def by_storm(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(get_store("extra").find(StormPerson).count()))


async def in_a_coroutine(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(await Person.objects.using("extra").acount()))


def quiet(request: HttpRequest) -> HttpResponse:
    return HttpResponse("quiet")


urlpatterns = [
    path("django/", view),
    path("storm/", by_storm),
    path("async/", in_a_coroutine),
    path("quiet/", quiet),
]


class AsksLate:
    """A middleware that uses the database when the view is done, as that of sessions does."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        view(request)
        return response


@pytest.fixture
def taken(settings: Any) -> Iterator[None]:
    """The one connection there may be is in somebody else's hands."""
    has_it, done = threading.Event(), threading.Event()

    def hold() -> None:
        with suppress(Oops):
            request("held", lambda: (get_store("extra").flush(), has_it.set(), done.wait(60)))

    with limited(settings, most=1, seconds=0.2):
        holder = threading.Thread(target=hold)
        holder.start()
        assert has_it.wait(30)
        try:
            yield
        finally:
            done.set()
            holder.join(60)


def test_who_waits_for_longer_than_the_limit_is_told_what_to_change(taken: None) -> None:
    with pytest.raises(TooManyConnections, match=r"'extra'.* all 1 .*MAX_CONNECTIONS.* 0\.2 seconds"):
        Person.objects.using("extra").count()


@pytest.mark.urls(__name__)
class TestAVisitor:
    @pytest.fixture(autouse=True)
    def site(self, settings: Any) -> None:
        settings.MIDDLEWARE = MIDDLEWARE

    @pytest.mark.parametrize("address", ["/django/", "/storm/", "/async/"])
    @pytest.mark.parametrize("asynchronous", [False, True], ids=["WSGI", "ASGI"])
    def test_gets_a_503_and_the_log_says_why(
        self, asynchronous: bool, address: str, taken: None, caplog: pytest.LogCaptureFixture
    ) -> None:
        if asynchronous:
            response = async_to_sync(AsyncClient(raise_request_exception=False).get)(address)
        else:
            response = Client(raise_request_exception=False).get(address)
        assert response.status_code == 503
        assert response.headers["Retry-After"] == "5"
        assert "Too busy just now" in response.content.decode()
        assert "extra" not in response.content.decode()
        [said] = [record for record in caplog.records if record.name == "djintegrate.storm_backend"]
        assert "MAX_CONNECTIONS" in said.getMessage()

    def test_gets_it_when_other_middleware_was_kept_waiting(self, taken: None, settings: Any) -> None:
        settings.MIDDLEWARE = [*MIDDLEWARE, f"{__name__}.AsksLate"]
        response = Client(raise_request_exception=False).get("/quiet/")
        assert (response.status_code, response.headers["Retry-After"]) == (503, "5")

    def test_sees_the_sites_own_page(self, taken: None, settings: Any, tmp_path: Any) -> None:
        (tmp_path / "503.html").write_text("<h1>Come back later</h1>")
        settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [str(tmp_path)]}]
        response = Client(raise_request_exception=False).get("/django/")
        assert (response.status_code, response.content) == (503, b"<h1>Come back later</h1>")

    def test_is_served_as_soon_as_one_is_free(self, settings: Any) -> None:
        site = WSGIHandler()

        def visit(_: int) -> str:
            said: list[str] = []
            # As a server does it: the test's client does not end a request as Django otherwise does.
            environ = RequestFactory().get("/django/").environ
            site(environ, lambda status, headers: said.append(status)).close()
            return said[0]

        with limited(settings, most=1, seconds=30), ThreadPoolExecutor(6) as threads:
            assert list(threads.map(visit, range(12))) == ["200 OK"] * 12


def test_who_comes_first_is_served_first(settings: Any) -> None:
    """Nobody overtakes: not even a thread that comes back again and again just when a place is free."""
    with limited(settings, most=1, seconds=30) as connection:
        places = limit.places(connection)
        has_it, go_on, over = threading.Event(), threading.Event(), threading.Event()
        served: list[int] = []

        def greedy() -> None:
            request("first", lambda: (get_store("extra").flush(), has_it.set(), go_on.wait(30)))
            while not over.is_set():
                request_started.send(None)
                Person.objects.using("extra").count()
                request_finished.send(None)
                served.append(-1)

        def visitor(number: int) -> None:
            request_started.send(None)
            Person.objects.using("extra").count()
            served.append(number)
            request_finished.send(None)

        threads = [threading.Thread(target=greedy)]
        threads[0].start()
        assert has_it.wait(30)
        for number in range(5):
            threads.append(threading.Thread(target=visitor, args=(number,)))
            threads[-1].start()
            wait_until(lambda number=number: len(places._queue) == number + 1)
        go_on.set()
        for thread in threads[1:]:
            thread.join(30)
        over.set()
        threads[0].join(30)
        assert [each for each in served if each >= 0] == list(range(5))
        assert served[:5] == list(range(5))


class TestAMistake:
    @pytest.mark.parametrize(
        ("entry", "fragment"),
        [({"CONN_MAX_AGE": 60}, "CONN_MAX_AGE = 60"), ({"OPTIONS": {"pool": True}}, "the option 'pool'")],
    )
    def test_is_a_connection_that_does_not_go_round(self, settings: Any, entry: Any, fragment: str) -> None:
        settings.STORM_STORES = {"extra": {"URI": "sqlite:/srv/db", "MAX_CONNECTIONS": 3}}
        databases = {"default": {}, "extra": {"ENGINE": "djintegrate.storm_backend", "NAME": "extra", **entry}}
        before, connections.__dict__["settings"] = connections.settings, connections.configure_settings(databases)
        try:
            [found] = [each for each in checks.check_configuration() if each.id == "storm_backend.E013"]
        finally:
            connections.__dict__["settings"] = before
        assert fragment in found.msg
        assert found.hint
        with (
            pytest.raises(ImproperlyConfigured, match="MAX_CONNECTIONS"),
            extra_alias(settings, settings.STORM_STORES["extra"], **entry) as connection,
        ):
            connection.ensure_connection()

    @pytest.mark.parametrize(
        ("key", "value"), [("MAX_CONNECTIONS", 0), ("MAX_CONNECTIONS", "20"), ("MAX_WAIT_SECONDS", 0)]
    )
    def test_is_what_is_no_such_number(self, settings: Any, key: str, value: object) -> None:
        settings.STORM_STORES = {"extra": {"URI": "sqlite:/srv/db", key: value}}
        [found] = [each for each in checks.check_configuration() if each.id == "storm_backend.E001"]
        assert f"STORM_STORES['extra'][{key!r}] is {value!r}" in found.msg
