"""Behind a pooler in transaction mode: all works, and nothing of a session outlives its transaction."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
import storm.tracer
import transaction
from django.db import NotSupportedError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import atomic
from django.db.utils import ConnectionHandler

from djintegrate.storm_backend import get_store, get_store_uri
from djintegrate.storm_backend.conf import uris
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import TRANSACTIONS, Oops, Outside, by_manager, extra_alias

pytest_plugins = ["tests.support.fixtures", "tests.support.pooler"]
pytestmark = [*TRANSACTIONS, pytest.mark.usefixtures("unguarded")]

LEFT = """
    SELECT 'setting', name, setting FROM pg_settings WHERE source = 'session' AND name NOT IN
        ('client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings', 'application_name')
    UNION ALL SELECT 'setting', name, setting FROM pg_settings WHERE name IN ('TimeZone', 'DateStyle', 'search_path')
    UNION ALL SELECT 'user', current_user, session_user
    UNION ALL SELECT 'lock', objid::text, '' FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
    UNION ALL SELECT 'statement', name, '' FROM pg_prepared_statements
    UNION ALL SELECT 'cursor', name, '' FROM pg_cursors
    UNION ALL SELECT 'table', relname, '' FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'
    UNION ALL SELECT 'channel', pg_listening_channels(), ''
    UNION ALL SELECT 'tenant', coalesce(current_setting('app.tenant', true), ''), ''
"""


@pytest.fixture
def somebody(pooled_uri: str) -> Iterator[BaseDatabaseWrapper]:
    """Another client of the pooler, on Django's native backend."""
    location = uris.location(pooled_uri)
    entry = {"ENGINE": location.backend, **location.settings}
    other = ConnectionHandler({"default": entry})["default"]
    with closing(other):
        yield other


def rows(connection: Any, sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def run_on(connection: Any, sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def by_django(sql: str) -> None:
    run_on(connections["extra"], sql)


def by_storm(sql: str) -> None:
    get_store("extra").execute(sql, noresult=True)


def in_block() -> AbstractContextManager[Any]:
    return atomic("extra")


CHANGES = [
    "SET search_path TO pg_catalog",
    "SET SESSION statement_timeout TO '77s'",
    "SET lock_timeout = 1234",
    "SET TIME ZONE 'Asia/Tokyo'",
    "SET DateStyle TO 'SQL, DMY'",
    "SET ROLE pg_monitor",
    "SET SESSION AUTHORIZATION pg_monitor",
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "SET app.tenant = '7'",
    "SELECT set_config('app.tenant', '7', false)",
    "DO $$ BEGIN SET lock_timeout = 4321; PERFORM pg_advisory_lock(9); END $$",
    "SELECT pg_advisory_lock(7)",
    "SELECT pg_try_advisory_lock_shared(8)",
    "PREPARE named AS SELECT 1",
    "DECLARE held CURSOR WITH HOLD FOR SELECT 1",
    "CREATE TEMPORARY TABLE short_lived (id integer)",
    "CREATE TABLE pg_temp.short_lived (id integer)",
    "LISTEN news",
]
AROUND: list[Callable[[], AbstractContextManager[Any]]] = [by_manager, in_block]


class TestASession:
    @pytest.mark.parametrize("ends", ["committed", "aborted", "broken"])
    @pytest.mark.parametrize("change", [by_django, by_storm], ids=["Django", "Storm"])
    def test_is_as_it_was_after_a_transaction(
        self, change: Callable[[str], None], ends: str, lent: Any, somebody: Any
    ) -> None:
        before = rows(somebody, LEFT)
        for sql, around in itertools.product(CHANGES, AROUND):
            with suppress(Oops, Exception if ends == "broken" else Oops), around():
                change(sql)
                if ends == "broken":
                    by_django("SELECT 1 / 0")
                if ends == "aborted":
                    raise Oops
            transaction.abort()
            assert (sql, rows(somebody, LEFT)) == (sql, before)
            assert (sql, rows(connections["extra"], LEFT)) == (sql, before)

    def test_is_as_it_was_after_a_call_that_is_not_seen_as_a_statement(self, lent: Any, somebody: Any) -> None:
        body = "BEGIN CREATE TEMPORARY TABLE short_lived (id integer); PERFORM pg_advisory_lock(7); LISTEN news; END"
        run_on(somebody, f"CREATE FUNCTION changes() RETURNS void LANGUAGE plpgsql AS $${body}$$")
        try:
            before = rows(somebody, LEFT)
            for around in AROUND:
                with around(), connections["extra"].cursor() as cursor:
                    cursor.callproc("changes")
                transaction.abort()
                assert rows(somebody, LEFT) == before
        finally:
            run_on(somebody, "DROP FUNCTION changes()")

    def test_has_what_was_set_until_the_transaction_ends(self, lent: Any) -> None:
        with transaction.manager:
            by_django("SET statement_timeout TO '77s'")
            assert get_store("extra").execute("SHOW statement_timeout").get_one() == ("77s",)

    def test_changes_while_it_is_prepared_to_commit_in_two_phases(
        self, settings: Any, pooled_uri: str, outside: Outside
    ) -> None:
        two_phase = {"URI": pooled_uri, "POOLER": "transaction", "TWO_PHASE": True}
        with extra_alias(settings, two_phase) as connection:
            # Not through this pooler, which has no other session.
            twin = {**two_phase, "URI": get_store_uri("main")}
            settings.STORM_STORES = {**settings.STORM_STORES, "twin": twin}
            before = rows(connection, LEFT)
            with transaction.manager:
                Person.objects.using("extra").create(name="ann")
                by_django("SET search_path TO pg_catalog")
                by_django("SELECT pg_advisory_lock(7)")
                get_store("twin").add(StormPerson("bob"))
            assert rows(connection, LEFT) == before
            assert rows(connection, "SELECT gid FROM pg_prepared_xacts") == []
            with pytest.raises(Oops), transaction.manager:
                by_django("SELECT pg_advisory_lock(7)")
                get_store("twin").add(StormPerson("cid"))
                raise Oops
            assert rows(connection, LEFT) == before
            get_store("twin").close()
        assert outside.names() == ["ann", "bob"]

    def test_is_told_a_tracers_timeout_for_the_transaction_alone(self, lent: Any, somebody: Any) -> None:
        from storm.databases.postgres import PostgresTimeoutTracer

        class Tracer(PostgresTimeoutTracer):
            def get_remaining_time(self) -> float:
                return 77.0

        tracer = Tracer()
        storm.tracer.install_tracer(tracer)
        try:
            for _ in range(2):
                with transaction.manager:
                    get_store("extra").find(StormPerson).count()
                    assert get_store("extra").execute("SHOW statement_timeout").get_one() == ("77s",)
                assert rows(somebody, "SHOW statement_timeout") == [("0",)]
        finally:
            storm.tracer.remove_tracer(tracer)

    @pytest.mark.parametrize("sql", [sql for sql in CHANGES if not sql.startswith(("DO", "SET TIME", "SET Date"))])
    def test_is_not_changed_outside_of_a_transaction(self, sql: str, lent: Any, somebody: Any) -> None:
        before = rows(somebody, LEFT)
        with pytest.raises(NotSupportedError, match="'extra' has one only for the length of a transaction: POOLER"):
            by_django(sql)
        assert rows(somebody, LEFT) == before

    @pytest.mark.parametrize("sql", ["SET LOCAL lock_timeout = 5", "SELECT set_config('app.tenant', '7', true)"])
    def test_is_left_alone_by_what_ends_with_the_statement(self, sql: str, lent: Any, somebody: Any) -> None:
        before = rows(somebody, LEFT)
        by_django(sql)
        assert rows(somebody, LEFT) == before


class TestSettingsOfAConnection:
    def test_each_client_has_its_own_time_zone(self, settings: Any, pooled_uri: str, somebody: Any) -> None:
        theirs = rows(somebody, "SHOW TimeZone")
        with extra_alias(settings, {"URI": pooled_uri, "POOLER": "transaction"}, TIME_ZONE="Asia/Tokyo") as tokyo:
            for _ in range(3):
                assert rows(tokyo, "SHOW TimeZone") == [("Asia/Tokyo",)]
                assert rows(somebody, "SHOW TimeZone") == theirs != [("Asia/Tokyo",)]
                with transaction.manager:
                    assert get_store("extra").execute("SHOW TimeZone").get_one() == ("Asia/Tokyo",)

    def test_the_isolation_of_the_uri_is_that_of_each_transaction_and_of_nobody_elses(
        self, settings: Any, pooled_uri: str, somebody: Any
    ) -> None:
        uri = f"{pooled_uri}?isolation=serializable"
        default = "SHOW default_transaction_isolation"
        with extra_alias(settings, {"URI": uri, "POOLER": "transaction"}) as serializable:
            for around in (*AROUND, by_manager):
                with around():
                    assert rows(serializable, "SHOW transaction_isolation") == [("serializable",)]
                    assert get_store("extra").execute("SHOW transaction_isolation").get_one() == ("serializable",)
                    assert rows(serializable, default) == [("read committed",)]
                transaction.abort()
                assert rows(somebody, default) == rows(serializable, default) == [("read committed",)]
        assert rows(somebody, LEFT)


class TestQueries:
    def test_an_iterator_outside_of_transactions_needs_no_setting(self, lent: Any, somebody: Any) -> None:
        Person.objects.using("extra").bulk_create(Person(name=f"{number:03}") for number in range(300))

        def read(_: int) -> list[str]:
            people = Person.objects.using("extra").order_by("name").iterator(chunk_size=10)
            return [person.name for person in people]

        with ThreadPoolExecutor(6) as threads:
            found = list(threads.map(read, range(30)))
        assert found == [[f"{number:03}" for number in range(300)]] * 30

    def test_no_statement_is_prepared_however_often_it_runs(self, lent: Any) -> None:
        with transaction.manager:
            for number in range(20):
                Person.objects.using("extra").filter(name=str(number)).exists()
                get_store("extra").find(StormPerson, name=str(number)).count()
            assert rows(lent, "SELECT name FROM pg_prepared_statements") == []

    def test_parameters_may_be_bound_by_the_server(self, settings: Any, pooled_uri: str) -> None:
        if connections["default"].Database.__name__ != "psycopg":
            pytest.skip("psycopg2 binds on the client.")
        with extra_alias(
            settings, {"URI": pooled_uri, "POOLER": "transaction"}, OPTIONS={"server_side_binding": True}
        ) as connection:

            def write(number: int) -> None:
                with transaction.manager:
                    Person.objects.using("extra").create(name=f"{number}")
                    get_store("extra").add(StormPerson(f"{number} by Storm"))

            with ThreadPoolExecutor(6) as threads:
                list(threads.map(write, range(30)))
            assert Person.objects.using("extra").count() == 60
            assert rows(connection, "SELECT name FROM pg_prepared_statements") == []

    def test_clients_that_take_turns_each_have_all_of_their_transaction_or_nothing(
        self, lent: Any, outside: Outside
    ) -> None:
        def write(number: int) -> None:
            with suppress(Oops), transaction.manager:
                Person.objects.using("extra").create(name=f"{number:02} by Django")
                get_store("extra").add(StormPerson(f"{number:02} by Storm"))
                if number % 3 == 0:
                    raise Oops

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(write, range(40)))
        kept = [number for number in range(40) if number % 3]
        both = itertools.product(kept, ["Django", "Storm"])
        assert outside.names() == [f"{number:02} by {orm}" for number, orm in both]


def test_a_database_is_known_by_its_name_through_the_pooler(lent: Any, pooled_uri: str) -> None:
    """The control: what these tests speak to is the pooler, and not the server behind it."""
    assert rows(lent, "SELECT current_database()") == [(urlsplit(pooled_uri).path[1:],)]
    assert str(rows(lent, "SELECT inet_server_port()")[0][0]) != lent.settings_dict["PORT"]
