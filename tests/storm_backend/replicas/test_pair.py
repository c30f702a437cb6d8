"""The pair behind an alias: what it stands for, how its replicas are opened, and that others pay nothing for it."""

from __future__ import annotations

from typing import Any

import pytest
import transaction
from django.db import InternalError, connections
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from storm.exceptions import InternalError as StormInternalError

from djintegrate.storm_backend import get_store, get_store_uri, store_policy
from djintegrate.storm_backend.connection.wrapper import StormWrapper
from djintegrate.storm_backend.middleware import Attempt, ZopeTransactionMiddleware
from djintegrate.storm_backend.replicas import requests
from djintegrate.storm_backend.replicas.pair import Pair
from djintegrate.storm_backend.stores import SharedStore
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.storm_backend.replicas.site import REPLICAS, Look, Servers, replica_serves
from tests.storm_backend.replicas.views import PRIMARY, REPLICA, by_django, by_storm, seen
from tests.support.helpers import wait_until

pytest_plugins = ["tests.support.fixtures", "tests.storm_backend.replicas.fixtures"]
pytestmark = REPLICAS


def test_it_looks_like_a_connection(site: Servers) -> None:
    pair = connections["extra"]
    assert type(pair) is Pair
    assert isinstance(pair, StormWrapper)
    assert pair.vendor == "postgresql"
    assert pair.alias == "extra"
    pair.force_debug_cursor = True
    assert pair.primary.force_debug_cursor
    del pair.force_debug_cursor


def test_each_of_its_connections_has_a_store_of_its_own(site: Servers) -> None:
    on_primary = get_store("extra")
    with store_policy("replica"):
        on_replica = get_store("extra")
    assert isinstance(on_replica, SharedStore)
    assert on_replica is not on_primary
    assert on_replica.alias == on_primary.alias == "extra"
    assert get_store("extra") is on_primary


def test_what_was_asked_of_either_is_in_the_queries(site: Servers) -> None:
    with CaptureQueriesContext(connections["extra"]) as found, store_policy("replica"):
        connections["extra"].force_debug_cursor = True
        by_django()
        connections["extra"].force_debug_cursor = False
    assert len(found) == 1


def test_a_replicas_connection_is_read_only_even_after_a_promotion(site: Servers, two: Servers) -> None:
    with two.primary.standby() as other:
        look = Look(other)
        pair = connections["extra"]
        pair.__dict__["_uris"] = (other.uri(),)
        pair.__dict__["_replicas"].clear()
        wait_until(replica_serves)
        other.promote()
        assert look.rows("SELECT pg_is_in_recovery()") == [(False,)]
        replica = pair.replica(0)
        with replica.cursor() as cursor:
            with pytest.raises(InternalError, match="read-only transaction"):
                cursor.execute("INSERT INTO people_person (name) VALUES ('ann')")
            cursor.execute("SELECT pg_is_in_recovery()")
            assert cursor.fetchone() == (False,)
        # It follows nobody any more, so that it is no replica.
        assert not replica_serves()
        with store_policy("replica"):
            Person.objects.create(name="bob")
        assert (look.names(), two.there.names()) == ([], ["bob"])
        look.connection.close()
    two.there.rows("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active")


@pytest.mark.parametrize("in_uri", ["", "?options=-c%20statement_timeout%3D7000", "?connect_timeout=11"])
def test_a_replicas_uri_says_the_rest(in_uri: str, site: Servers) -> None:
    pair = connections["extra"]
    pair.__dict__["_uris"] = (site.standby.uri() + in_uri,)
    pair.__dict__["_replicas"].clear()
    with pair.replica(0).cursor() as cursor:
        cursor.execute("SHOW default_transaction_read_only")
        assert cursor.fetchone() == ("on",)
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("7s" if "7000" in in_uri else "0",)
    options = pair.replica(0).settings_dict["OPTIONS"]
    assert str(options["connect_timeout"]) == ("11" if "11" in in_uri else "3")


def test_one_who_may_not_see_statistics_reads_from_replicas_as_well(site: Servers) -> None:
    site.there.rows("CREATE ROLE plain LOGIN PASSWORD 'plain'")
    site.there.rows("GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain")
    site.catch_up()
    pair = connections["extra"]
    uri = site.standby.uri().replace(f"{site.standby.user}:{site.standby.password}", "plain:plain")
    pair.__dict__["_uris"] = (uri,)
    pair.__dict__["_replicas"].clear()
    try:
        wait_until(replica_serves)
        with store_policy("replica"), connections["extra"].cursor() as cursor:
            cursor.execute("SELECT current_user, (SELECT status FROM pg_stat_wal_receiver)")
            assert cursor.fetchone() == ("plain", None)
        site.pause()
        site.there.rows("INSERT INTO people_person (name) VALUES ('ann')")
        site.there.rows("SELECT pg_sleep(2.5)")
        assert not replica_serves()
    finally:
        site.resume()
        pair.close()
        pair.__dict__["_replicas"].clear()
        site.there.rows("DROP OWNED BY plain")
        site.there.rows("DROP ROLE plain")


def test_the_other_uri_is_the_primarys_wherever_one_reads(site: Servers) -> None:
    with store_policy("replica"):
        assert get_store_uri("extra") == site.primary.uri()
        other = connections["extra"].copy()
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_is_in_recovery()")
            assert cursor.fetchone() == (False,)
        other.close()


def test_a_test_database_has_no_replica(site: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections["extra"].settings_dict, "NAME", "postgres")
    assert not replica_serves()


def test_a_store_that_no_alias_names_has_replicas_too(
    site: Servers, entry: dict[str, Any], settings: Any, client: Any
) -> None:
    settings.STORM_STORES = {**settings.STORM_STORES, "alone": entry}

    def where() -> str:
        return REPLICA if get_store("alone").execute("SELECT pg_is_in_recovery()").get_one()[0] else PRIMARY

    try:
        assert where() == PRIMARY
        pair = connections["store alone"]

        def serves() -> bool:
            pair._states[0].has_failed()
            with store_policy("replica"):
                return bool(pair.itself is not pair.primary)

        wait_until(serves)
        with store_policy("replica"):
            assert where() == REPLICA
            get_store("alone").add(StormPerson("ann"))
            with pytest.raises(StormInternalError, match="read-only"):
                get_store("alone").flush()
        transaction.abort()
        get_store("alone").add(StormPerson("bob"))
        transaction.commit()
        assert site.there.names() == ["bob"]
    finally:
        transaction.abort()
        get_store("alone").close()


def test_a_program_that_forks_leaves_its_parents_connections_alone(site: Servers) -> None:
    with store_policy("replica"):
        assert seen() == {"django": REPLICA, "storm": REPLICA}
    assert by_django() == PRIMARY
    transaction.abort()
    for connection in connections["extra"].members().values():
        # As a forked child does, which is to begin anew.
        raw = connection.connection
        connection.leave_to_parent()
        assert not raw.closed
    with store_policy("replica"):
        assert by_storm() == REPLICA


def test_who_has_no_replicas_pays_nothing(site: Servers, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.STORM_STORES = {"main": settings.STORM_STORES["main"]}
    middleware = ZopeTransactionMiddleware(lambda request: None)  # type: ignore[arg-type, return-value]
    assert not middleware.sticky_seconds
    monkeypatch.setattr(requests, "Reading", None)
    attempt = middleware._begin(RequestFactory().get("/"))
    assert type(attempt) is Attempt
    assert attempt.reading is None and attempt._body is None
    attempt.abort()
    assert type(connections["default"]) is not Pair


@pytest.mark.parametrize(
    ("given", "expected"), [("SERIALIZABLE", "repeatable read"), ("READ_COMMITTED", "read committed")]
)
def test_a_standby_has_no_serializable_transactions(given: str, expected: str, site: Servers) -> None:
    from django.db.backends.postgresql.psycopg_any import IsolationLevel

    pair = connections["extra"]
    pair.settings_dict["OPTIONS"]["isolation_level"] = IsolationLevel[given]
    pair.__dict__["_replicas"].clear()
    with transaction.manager, pair.replica(0).cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == (expected,)
