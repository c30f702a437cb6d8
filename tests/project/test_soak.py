"""Many requests over many threads that come and go leave no connection, no object and no transaction behind.

The long form of it, with resident memory, is `python -m proofs.benchmarks.connections`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, connections

from djintegrate.storm_backend import get_store
from proofs.benchmarks.crowd import Crowd, memory
from tests.apps.people.models import Visit
from tests.apps.people.storm_models import StormVisit
from tests.support.faults import Site
from tests.support.helpers import (
    MIDDLEWARE,
    TRANSACTIONS,
    Outside,
    connections_left,
    connections_open,
    is_sqlite,
    wait_until,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

# On SQLite, writers mostly wait for each other.
REQUESTS, THREADS = {"sqlite": (400, 5), "postgres": (1000, 50), "mysql": (1000, 50)}[os.environ["DB"]]


@pytest.fixture(autouse=True)
def _site_settings(settings: Any) -> None:
    settings.MIDDLEWARE = MIDDLEWARE
    settings.ROOT_URLCONF = "tests.support.faults"


@pytest.fixture
def crowd(transactional_db: None) -> Crowd:
    # Not the connection of this thread, which does not serve.
    connections.close_all()
    site = Site()

    def view() -> None:
        if is_sqlite():
            # So many writers wait for each other for longer than the usual five seconds.
            connection.cursor().execute("PRAGMA busy_timeout = 120000")
        # Visits have no unique index, where simultaneous inserts would deadlock on MariaDB now and then.
        Visit.objects.create(note="by Django")
        get_store("main").add(StormVisit("by Storm"))

    def request() -> None:
        answer = site(view)
        assert (answer.status, answer.errors) == (200, [])

    return Crowd(THREADS, request)


def settled(is_expected: Callable[[int], bool]) -> int:
    """How many connections are open, as soon as these are as many as expected, or nothing has changed for a while."""
    counts: list[int] = []

    def look() -> bool:
        counts.append(connections_open())
        return is_expected(counts[-1])

    with suppress(AssertionError):
        wait_until(look, seconds=5)
    # The last look, and not another one: right after a look, its own connection may not have ended.
    return counts[-1]


def test_as_many_connections_are_open_as_threads_alive(crowd: Crowd, outside: Outside) -> None:
    # SQLite keeps a file open for as long as a cursor that an earlier test has not read to its end. It may go then.
    before = connections_left()
    for _ in range(2):
        seen = crowd.serve(REQUESTS // 2, lambda: settled(lambda count: count == before + crowd.size))
        assert crowd.size <= seen <= before + crowd.size
        assert settled(lambda count: count == before) <= before
    assert crowd.started > 2 * crowd.size
    assert outside.rows("SELECT count(*) FROM people_visit")[0][0] == 2 * REQUESTS


@pytest.mark.at_length
def test_the_process_does_not_grow(crowd: Crowd) -> None:
    crowd.serve(REQUESTS // 2)
    before = crowd.serve(REQUESTS, memory)
    after = crowd.serve(REQUESTS, memory)
    # Not one object for each request; threads that come and go make some noise.
    assert after.blocks - before.blocks < REQUESTS
