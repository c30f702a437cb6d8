"""The fixtures of the tests of replicas; a test file names this module in `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import transaction
from asgiref.sync import async_to_sync
from django.db import connections
from django.test import AsyncClient, Client

from djintegrate.storm_backend.replicas import lag, policy
from djintegrate.storm_backend.transactions.thread import current
from tests.storm_backend.replicas.site import LAG, STICKY, TABLES, Clock, Look, Send, Servers, replica_serves
from tests.support.helpers import MIDDLEWARE, extra_alias, wait_until
from tools.servers import running


@pytest.fixture(scope="session")
def servers(db_kind: str, django_db_blocker: Any) -> Iterator[Servers]:
    if db_kind != "postgres":
        pytest.skip("Replicas are PostgreSQL's.")
    with running("postgres", durable=False) as primary, django_db_blocker.unblock():
        there = Look(primary)
        # What this look commits, and all before it, is sent to the standby at once.
        there.rows("SET synchronous_commit = on")
        with there.connection.schema_editor(atomic=False) as editor:
            for model in TABLES:
                editor.create_model(model)
        with primary.standby() as standby:
            behind = Look(standby)
            yield Servers(primary, standby, there, behind)
            behind.connection.close()
        there.connection.close()


@pytest.fixture
def two(servers: Servers, unguarded: None) -> Iterator[Servers]:
    """The servers, empty and level with each other."""
    servers.there.rows(f"{'; '.join(f'DELETE FROM {model._meta.db_table}' for model in reversed(TABLES))}")
    servers.catch_up()
    yield servers
    servers.resume()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("djintegrate.storm_backend.replicas.lag.clock", clock.monotonic)
    monkeypatch.setattr("djintegrate.storm_backend.replicas.requests.clock", clock.time)
    return clock


@pytest.fixture
def entry(two: Servers) -> dict[str, Any]:
    """What STORM_STORES says of the store."""
    return {
        "URI": two.primary.uri(),
        "REPLICAS": [two.standby.uri()],
        "STICKY_SECONDS": STICKY,
        "MAX_LAG_SECONDS": LAG,
    }


@pytest.fixture
def site(two: Servers, entry: dict[str, Any], settings: Any, clock: Clock) -> Iterator[Servers]:
    """The site, where the replica serves by now."""
    settings.MIDDLEWARE = MIDDLEWARE
    settings.DATABASE_ROUTERS = [f"{Servers.__module__}.Router"]
    lag.replica.cache_clear()
    with extra_alias(settings, entry):  # type: ignore[arg-type]
        wait_until(replica_serves)
        yield two
        # What Storm has begun by itself, where a test began nothing.
        transaction.abort()
        assert policy.current() is None
        assert current().begun is None
        for connection in connections["extra"].members().values():
            assert connection.data_manager is None
            assert not connection.in_atomic_block
            assert connection.connection is None or connection.get_autocommit()


@pytest.fixture(params=["sync", "async"])
def new_browser(request: pytest.FixtureRequest) -> Callable[[], Send]:
    """new_browser() is one: it keeps its cookies, and sends requests through WSGI's handler, or ASGI's."""

    def new() -> Send:
        if request.param == "sync":
            client = Client(raise_request_exception=False)
            return lambda method, path, *args, **kwargs: getattr(client, method)(path, *args, **kwargs)
        other = AsyncClient(raise_request_exception=False)
        return lambda method, path, *args, **kwargs: async_to_sync(getattr(other, method))(path, *args, **kwargs)

    return new
