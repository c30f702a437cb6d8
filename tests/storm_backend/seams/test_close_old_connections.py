"""close_old_connections() and connection.close() within a transaction: as natively, or an error; never half of it.

Libraries that run synchronous code for ASGI call close_old_connections() around each call.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import transaction
from asgiref.sync import async_to_sync, sync_to_async
from django.db import Error, close_old_connections, connection, connections
from django.db.transaction import atomic
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient
from django.urls import path

from tests.support import faults
from tests.support.helpers import (
    ALIASES,
    MIDDLEWARE,
    TRANSACTIONS,
    Outside,
    by_manager,
    django_add,
    storm_add,
    storm_insert,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

WRITES: dict[str, Callable[[str], object]] = {
    "by Django": django_add,
    "by Storm": storm_insert,
    "by Storm, not flushed": storm_add,
}
AGES = [0, None, 60]
at_length = pytest.mark.at_length
ends_all = pytest.mark.parametrize("around", ["a request", "begun", "in a block"])
every_pair = pytest.mark.parametrize("pair", list(itertools.product(WRITES, WRITES)), ids=" then ".join)


@pytest.fixture(params=AGES, ids=lambda age: f"CONN_MAX_AGE {age}")
def age(request: pytest.FixtureRequest, nothing_left: None) -> Any:
    """What an alias says is read when it connects: so it connects anew."""
    before = {alias: connections[alias].settings_dict["CONN_MAX_AGE"] for alias in ALIASES.values()}
    for alias in before:
        connections[alias].close()
        connections[alias].settings_dict["CONN_MAX_AGE"] = request.param
    yield request.param
    for alias, value in before.items():
        connections[alias].settings_dict["CONN_MAX_AGE"] = value


@pytest.fixture(autouse=True)
def site(settings: Any) -> None:
    settings.MIDDLEWARE = MIDDLEWARE
    settings.ROOT_URLCONF = "tests.support.faults"


def run(view: Callable[[], object], around: str) -> bool:
    """Whether it went well, as far as the visitor, or the caller, is told."""
    if around == "a request":
        return faults.Site()(view).status == 200
    try:
        with by_manager() if around == "begun" else atomic():
            view()
    except Exception:
        transaction.abort()
        return False
    return True


def close_all_old() -> None:
    close_old_connections()


def close_all_old_after_an_error() -> None:
    with suppress(Error), atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT no_such_column FROM people_person")
    close_old_connections()


STAY = [close_all_old, close_all_old_after_an_error]
CLOSE: list[Callable[[], None]] = [lambda: connection.close(), lambda: connections.close_all()]


@ends_all
@every_pair
class TestCloseOldConnections:
    @pytest.mark.parametrize("close", STAY, ids=lambda close: close.__name__)
    def test_leaves_the_connection_alone_wherever_it_is_called(
        self, around: str, pair: tuple[str, str], close: Callable[[], None], outside: Outside
    ) -> None:
        def view() -> None:
            close()
            WRITES[pair[0]]("first")
            close()
            WRITES[pair[1]]("second")
            close()

        assert run(view, around)
        assert outside.names() == ["first", "second"]


@ends_all
class TestForEachAge:
    def test_it_leaves_the_connection_alone(self, age: Any, around: str, outside: Outside) -> None:
        def view() -> None:
            for number, write in enumerate(WRITES.values()):
                close_old_connections()
                write(f"person {number}")
                close_old_connections()

        assert run(view, around)
        assert outside.names() == ["person 0", "person 1", "person 2"]


@ends_all
@every_pair
@pytest.mark.parametrize("close", [CLOSE[0], pytest.param(CLOSE[1], marks=at_length)], ids=["close", "close_all"])
class TestClosing:
    def test_between_two_writes_makes_the_second_fail(
        self, around: str, pair: tuple[str, str], close: Callable[[], None], outside: Outside
    ) -> None:
        def view() -> None:
            WRITES[pair[0]]("first")
            close()
            WRITES[pair[1]]("second")

        went_well = run(view, around)
        if pair[0] == "by Storm, not flushed":
            # Nothing was lost with the connection.
            assert outside.names() == (["first", "second"] if went_well else [])
        else:
            assert not went_well
            assert outside.names() == []

    def test_before_the_first_write_changes_nothing(
        self, around: str, pair: tuple[str, str], close: Callable[[], None], outside: Outside
    ) -> None:
        def view() -> None:
            close()
            WRITES[pair[0]]("first")
            WRITES[pair[1]]("second")

        went_well = run(view, around)
        # Natively a block whose connection was closed fails, even before its first statement.
        assert went_well or around == "in a block"
        assert outside.names() == (["first", "second"] if went_well else [])

    def test_after_the_last_write_never_commits_half(
        self, around: str, pair: tuple[str, str], close: Callable[[], None], outside: Outside
    ) -> None:
        def view() -> None:
            WRITES[pair[0]]("first")
            WRITES[pair[1]]("second")
            close()

        went_well = run(view, around)
        # Natively the block of ATOMIC_REQUESTS ends without a word, and with nothing.
        assert outside.names() in ([[], ["first", "second"]] if went_well else [[]])

    def test_and_what_the_thread_does_next_works(
        self, around: str, pair: tuple[str, str], close: Callable[[], None], outside: Outside
    ) -> None:
        def view() -> None:
            WRITES[pair[0]]("lost")
            close()

        run(view, around)
        lost = outside.names()
        assert run(lambda: (django_add("by Django"), storm_add("by Storm")), around)
        assert outside.names() == sorted([*lost, "by Django", "by Storm"])


def by_library(work: Callable[..., Any]) -> Callable[..., Any]:
    """As Channels' database_sync_to_async does it: nothing old is left before, nor after."""

    def wrapped(*args: Any) -> Any:
        close_old_connections()
        try:
            return work(*args)
        finally:
            close_old_connections()

    return sync_to_async(wrapped)


async def writes_by_library(request: HttpRequest) -> HttpResponse:
    for number, write in enumerate(WRITES.values()):
        await by_library(write)(f"person {number}")
    if "fails" in request.GET:
        raise ValueError("on purpose")
    return HttpResponse("done")


urlpatterns = [path("", writes_by_library)]


class TestAsyncLibraries:
    @pytest.fixture(autouse=True)
    def urls(self, settings: Any) -> None:
        settings.ROOT_URLCONF = __name__

    @pytest.mark.parametrize("fails", ["", "?fails=1"], ids=["ends well", "fails"])
    def test_that_close_around_each_call_commit_all_or_nothing(self, fails: str, age: Any, outside: Outside) -> None:
        response = async_to_sync(AsyncClient(raise_request_exception=False).get)(f"/{fails}")
        assert response.status_code == (500 if fails else 200)
        assert outside.names() == ([] if fails else ["person 0", "person 1", "person 2"])
