"""Requests of Django's AsyncClient that run at once, in one thread, each have a transaction of their own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db.transaction import atomic
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient
from django.urls import path

from tests.apps.people.models import Person
from tests.support.helpers import MIDDLEWARE, TRANSACTIONS, Oops, Outside, django_add, storm_add

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.urls(__name__)]

SECONDS = 30


@pytest.fixture(autouse=True)
def site(settings: Any, nothing_left: None) -> None:
    settings.MIDDLEWARE = MIDDLEWARE


async def writes(request: HttpRequest, name: str, then: str) -> HttpResponse:
    """Two writes, and time for others between them. Nobody waits for another: they may as well run one by one."""
    await Person.objects.acreate(name=f"{name} by Django")
    await asyncio.sleep(0.02)
    await sync_to_async(storm_add)(f"{name} by Storm")
    await asyncio.sleep(0.02)
    return _end(then)


def writes_in_sync(request: HttpRequest, name: str, then: str) -> HttpResponse:
    django_add(f"{name} by Django")
    storm_add(f"{name} by Storm")
    return _end(then)


async def writes_in_blocks(request: HttpRequest, name: str, then: str) -> HttpResponse:
    @sync_to_async
    def block(orm: str, add: Any) -> None:
        with atomic():
            add(f"{name} by {orm}")

    await block("Django", django_add)
    await asyncio.sleep(0.02)
    await block("Storm", storm_add)
    return _end(then)


def _end(then: str) -> HttpResponse:
    if then == "raises":
        raise Oops
    return HttpResponse("done")


urlpatterns = [
    path("async/<name>/<then>/", writes),
    path("sync/<name>/<then>/", writes_in_sync),
    path("blocks/<name>/<then>/", writes_in_blocks),
]


def visit(*addresses: str) -> list[int]:
    """Several requests at once, and their status codes."""

    async def all_at_once() -> list[int]:
        client = AsyncClient(raise_request_exception=False)
        responses = await asyncio.wait_for(asyncio.gather(*map(client.get, addresses)), SECONDS)
        return [response.status_code for response in responses]

    return async_to_sync(all_at_once)()


@pytest.mark.parametrize("kind", ["async", "blocks", "sync"])
class TestAtOnce:
    def test_all_that_end_well_are_committed(self, kind: str, outside: Outside) -> None:
        assert visit(*(f"/{kind}/{name}/ends/" for name in "abc")) == [200] * 3
        assert outside.names() == sorted(f"{name} by {orm}" for name in "abc" for orm in ("Django", "Storm"))

    @pytest.mark.parametrize("raising", ["a", "b", "c", "ab", "bc", "ac"])
    def test_one_that_fails_takes_nothing_of_the_others_with_it(
        self, kind: str, raising: str, outside: Outside
    ) -> None:
        ends = {name: "raises" if name in raising else "ends" for name in "abc"}
        statuses = visit(*(f"/{kind}/{name}/{end}/" for name, end in ends.items()))
        assert statuses == [500 if name in raising else 200 for name in "abc"]
        kept = [name for name in "abc" if name not in raising]
        assert outside.names() == sorted(f"{name} by {orm}" for name in kept for orm in ("Django", "Storm"))


def test_one_after_another_as_a_control(outside: Outside) -> None:
    for name, end, status in (("a", "ends", 200), ("b", "raises", 500), ("c", "ends", 200)):
        assert visit(f"/async/{name}/{end}/") == [status]
    assert outside.names() == ["a by Django", "a by Storm", "c by Django", "c by Storm"]
