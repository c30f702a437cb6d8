"""The middleware under ASGI: requests at the same time in one event loop, and clients that go away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import transaction
from asgiref.sync import async_to_sync, sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.core.handlers.asgi import ASGIHandler
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient
from django.urls import path

from djintegrate.storm_backend.transactions.thread import current
from tests.apps.people.models import Person
from tests.support.helpers import (
    MIDDLEWARE,
    TRANSACTIONS,
    Oops,
    Outside,
    beside_pooler,
    connections_left,
    connections_open,
    storm_add,
    wait_until,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.urls("tests.storm_backend.middleware.test_middleware_async")]


@pytest.fixture(autouse=True)
def site(settings: Any, nothing_left: None) -> None:
    settings.MIDDLEWARE = MIDDLEWARE


class Meeting:
    """Where requests wait for each other."""

    waiting: asyncio.Event
    go_on: asyncio.Event

    def open(self) -> None:
        self.waiting, self.go_on = asyncio.Event(), asyncio.Event()


meeting = Meeting()


async def waits(request: HttpRequest) -> HttpResponse:
    await Person.objects.acount()
    meeting.waiting.set()
    await asyncio.wait_for(meeting.go_on.wait(), 30)
    await sync_to_async(storm_add)("storm kept")
    await Person.objects.acreate(name="django kept")
    return HttpResponse("waited")


async def hangs(request: HttpRequest) -> HttpResponse:
    await Person.objects.acreate(name="lost")
    meeting.waiting.set()
    await asyncio.sleep(60)
    return HttpResponse("never")


async def fails(request: HttpRequest) -> HttpResponse:
    await Person.objects.acreate(name="lost")
    await sync_to_async(storm_add)("lost as well")
    raise Oops


async def writes(request: HttpRequest) -> HttpResponse:
    await Person.objects.acreate(name="written")
    return HttpResponse("written")


urlpatterns = [path(f"{view.__name__}/", view) for view in (waits, hangs, fails, writes)]


def call(address: str) -> ApplicationCommunicator:
    """A request as an ASGI server makes it: in a thread of its own."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": address,
        "raw_path": address.encode(),
        "query_string": b"",
        "headers": [(b"host", b"testserver")],
        "server": ("testserver", 80),
        "client": ("127.0.0.1", 12345),
    }
    return ApplicationCommunicator(ASGIHandler(), scope)


async def begin(address: str) -> ApplicationCommunicator:
    communicator = call(address)
    await communicator.send_input({"type": "http.request", "body": b"", "more_body": False})
    return communicator


async def status(communicator: ApplicationCommunicator) -> int:
    start = await communicator.receive_output(timeout=30)
    await communicator.receive_output(timeout=30)
    await communicator.wait(timeout=30)
    return int(start["status"])


def run(main: Any) -> Any:
    """In an event loop of its own, with the meeting place made in it."""

    async def prepared() -> Any:
        meeting.open()
        return await main()

    return asyncio.run(prepared())


def test_requests_at_the_same_time_are_transactions_of_their_own(outside: Outside) -> None:
    async def main() -> list[int]:
        first = await begin("/waits/")
        await asyncio.wait_for(meeting.waiting.wait(), 30)
        second = await begin("/fails/")
        answers = [await status(second)]
        meeting.go_on.set()
        return [*answers, await status(first)]

    assert run(main) == [500, 200]
    assert outside.names() == ["django kept", "storm kept"]


@beside_pooler("the server counts the pooler's connections")
def test_many_requests_leave_no_connection_behind(outside: Outside) -> None:
    async def main() -> set[int]:
        return {await status(await begin("/fails/")) for _ in range(10)}

    connections["default"].ensure_connection()
    assert outside.names() == []
    before = connections_left()
    assert run(main) == {500}
    assert outside.names() == []
    wait_until(lambda: connections_open() == before)


def test_a_client_that_goes_away_has_its_request_aborted(outside: Outside) -> None:
    async def main() -> None:
        communicator = await begin("/hangs/")
        await asyncio.wait_for(meeting.waiting.wait(), 30)
        await communicator.send_input({"type": "http.disconnect"})
        await communicator.wait(timeout=30)
        assert await status(await begin("/writes/")) == 200

    run(main)
    assert outside.names() == ["written"]


def test_a_request_that_is_cancelled_leaves_nothing_begun(outside: Outside) -> None:
    async def main() -> None:
        meeting.open()
        task = asyncio.create_task(AsyncClient().post("/hangs/"))
        await asyncio.wait_for(meeting.waiting.wait(), 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async_to_sync(main)()
    assert current().begun is None
    assert outside.names() == []
    with transaction.manager:
        storm_add("next")
    assert outside.names() == ["next"]
