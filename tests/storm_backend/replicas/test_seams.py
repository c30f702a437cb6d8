"""Replicas beside what else a store may have: a pooler before each server, and a limit to its connections."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import transaction
from django.db import connections
from django.db.transaction import atomic

from djintegrate.common import following
from djintegrate.storm_backend import get_store, store_policy
from djintegrate.storm_backend.connection.limit import TooManyConnections
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.storm_backend.replicas.site import LAG, REPLICAS, STICKY, Servers, replica_serves
from tests.storm_backend.replicas.test_checks import ids
from tests.storm_backend.replicas.views import PRIMARY, REPLICA, by_django, seen
from tests.support.helpers import Oops, in_thread, wait_until
from tools.servers import ServerUnavailable, pooled

pytest_plugins = ["tests.support.fixtures", "tests.storm_backend.replicas.fixtures"]
pytestmark = REPLICAS

BEYOND = {"STICKY_SECONDS": STICKY, "MAX_LAG_SECONDS": LAG}


class TestPoolers:
    @pytest.fixture
    def entry(self, two: Servers) -> Iterator[dict[str, Any]]:
        """A pooler before each of them, with one session each."""
        read_only(two, "on")
        try:
            with (
                pooled(two.primary, default_pool_size=1) as there,
                pooled(two.standby, default_pool_size=1) as behind,
            ):
                yield {"URI": there.uri(), "REPLICAS": [behind.uri()], "POOLER": "transaction", **BEYOND}
        except ServerUnavailable as error:
            pytest.skip(str(error))
        finally:
            read_only(two, "off")

    def test_both_orms_read_from_a_replica_behind_its_pooler(self, site: Servers, client: Any) -> None:
        assert client.get("/where/").json() == {"django": REPLICA, "storm": REPLICA}
        assert client.get("/by_storm_writes/").status_code == 200
        assert client.get("/names/").json() == {"names": ["ann"], "django": PRIMARY, "storm": PRIMARY}

    def test_what_a_transaction_sets_on_a_replica_ends_with_it(self, site: Servers) -> None:
        with store_policy("replica"):
            with transaction.manager, connections["extra"].cursor() as cursor:
                cursor.execute("SET statement_timeout = '7s'")
            with transaction.manager, connections["extra"].cursor() as cursor:
                cursor.execute("SHOW statement_timeout")
                assert cursor.fetchone() == ("0",)

    def test_a_replica_that_would_take_writes_once_promoted_does_not_serve(self, site: Servers) -> None:
        read_only(site, "off")
        wait_until(lambda: not replica_serves())
        assert "W303" in ids()


class TestLimits:
    @pytest.fixture
    def entry(self, two: Servers) -> dict[str, Any]:
        limits = {"MAX_CONNECTIONS": 1, "MAX_WAIT_SECONDS": 0.2}
        return {"URI": two.primary.uri(), "REPLICAS": [two.standby.uri()], **limits, **BEYOND}

    def test_each_server_has_its_own(self, site: Servers, client: Any) -> None:
        with store_policy("replica"), transaction.manager:
            assert seen() == {"django": REPLICA, "storm": REPLICA}
            with store_policy("primary"):
                Person.objects.create(name="ann")
                get_store("extra").add(StormPerson("bob"))
        assert site.there.names() == ["ann", "bob"]

    def test_one_who_waits_in_vain_is_told_and_the_replica_is_not_dead(self, site: Servers) -> None:
        def read() -> str:
            with store_policy("replica"), transaction.manager:
                return by_django()

        with store_policy("replica"), transaction.manager:
            assert by_django() == REPLICA
            with pytest.raises(TooManyConnections, match="MAX_CONNECTIONS"):
                in_thread(read)
        connections["extra"].close()
        assert in_thread(read) == REPLICA


def test_sqlalchemy_follows_the_policy_as_well(site: Servers, client: Any) -> None:
    pytest.importorskip("sqlalchemy")
    assert client.get("/by_sqlalchemy_writes/").json() == {"sqlalchemy": REPLICA}
    assert client.post("/by_sqlalchemy_writes/").json() == {"sqlalchemy": PRIMARY}
    assert site.there.names() == []
    assert client.get("/by_sqlalchemy_writes/?name=ann").json() == {"sqlalchemy": PRIMARY}
    assert site.there.names() == ["ann"]
    assert client.get("/names/").json() == {"names": ["ann"], "django": PRIMARY, "storm": PRIMARY}


def test_what_follows_a_transaction_follows_the_primary_wherever_it_began(site: Servers) -> None:
    committed: list[str] = []
    with store_policy("replica"), transaction.manager:
        following.after_commit("extra", lambda: committed.append("begun on a replica"))
        with store_policy("primary"), suppress(Oops), atomic("extra"):
            Person.objects.using("extra").create(name="ann")
            following.after_commit("extra", lambda: committed.append("rolled back"))
            raise Oops
    assert committed == ["begun on a replica"]
    assert site.there.names() == []


def read_only(servers: Servers, value: str) -> None:
    servers.behind.rows(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
    servers.behind.rows("SELECT pg_reload_conf()")
