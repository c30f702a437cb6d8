"""Storm over psycopg 3: what psycopg2 does by itself, and the options that Django has for psycopg 3 alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import storm.exceptions
import transaction
from django.db import connection, connections
from storm.locals import DateTime, Int

from djintegrate.storm_backend import get_store, get_store_uri
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import TRANSACTIONS, beside_pooler, extra_alias, is_postgres, wait_until

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.usefixtures("unguarded")]


@pytest.fixture(autouse=True)
def only_on_postgresql() -> None:
    if not is_postgres():
        pytest.skip("About drivers of PostgreSQL.")


@pytest.fixture
def psycopg3() -> None:
    if connection.Database.__name__ != "psycopg":
        pytest.skip("An option of psycopg 3's.")


def one(sql: str, *params: Any) -> Any:
    """The value that a statement of Storm's gives, in a transaction of its own."""
    with transaction.manager:
        return get_store("main").execute(sql, params or None).get_one()[0]


class TestBothDriversAlike:
    @pytest.mark.parametrize(
        ("sql", "param", "value"),
        [
            ("SELECT ?::interval", timedelta(days=-1, seconds=5), timedelta(days=-1, seconds=5)),
            ("SELECT ? = '12:00'", "12:00", True),
            ("SELECT now() > ?", datetime(2020, 1, 1), True),
            ("SELECT now() > ?", datetime(2020, 1, 1, tzinfo=timezone.utc), True),
            ("SELECT octet_length(?)", b"\x00\xff'\\", 4),
            ("SELECT 5 = ANY(?)", [4, 5], True),
            ("SELECT 'b' = ANY(?)", ["a", "b"], True),
            ("SELECT 7 %% ?", 4, 3),
            ("SELECT '?' || ?", "!", "?!"),
            ("SELECT coalesce(?, 'nothing')", None, "nothing"),
            ("SELECT '{\"a\": 1}'::jsonb ->> ?", "a", "1"),
        ],
    )
    def test_parameters_find_their_type(self, sql: str, param: Any, value: Any) -> None:
        assert one(sql, param) == value

    def test_several_statements_at_once(self) -> None:
        with transaction.manager:
            store = get_store("main")
            store.execute(
                "INSERT INTO people_person (name) VALUES ('a'); INSERT INTO people_person (name) VALUES ('b')"
            )
            assert store.find(StormPerson).count() == 2

    @pytest.mark.parametrize("use_tz", [True, False])
    def test_a_time_with_a_zone_is_right_with_and_without_use_tz(self, settings: Any, use_tz: bool) -> None:
        class Moment:
            __storm_table__ = "moment"
            id = Int(primary=True)
            at = DateTime(tzinfo=timezone.utc)

        settings.USE_TZ, settings.TIME_ZONE = use_tz, "Asia/Tokyo"
        with extra_alias(settings, get_store_uri("main")), transaction.manager:
            store = get_store("extra")
            store.execute("CREATE TEMPORARY TABLE moment (id serial PRIMARY KEY, at timestamptz)")
            store.execute("INSERT INTO moment (at) VALUES ('2024-05-06 12:00:00+02')")
            assert store.find(Moment).one().at == datetime(2024, 5, 6, 10, tzinfo=timezone.utc)
            store.execute("DROP TABLE moment")

    @beside_pooler("another one is used without a word")
    def test_a_connection_that_the_server_ended_is_noticed(self, settings: Any) -> None:
        with extra_alias(settings, get_store_uri("main")):
            store = get_store("extra")
            pid = store.execute("SELECT pg_backend_pid()").get_one()[0]
            one("SELECT pg_terminate_backend(?)", pid)
            wait_until(lambda: one("SELECT count(*) FROM pg_stat_activity WHERE pid = ?", pid) == 0)
            with pytest.raises(storm.exceptions.DisconnectionError):
                store.execute("SELECT 1")
            transaction.abort()
            assert store.execute("SELECT 1").get_one() == (1,)
            transaction.abort()


@pytest.mark.usefixtures("psycopg3")
class TestErrors:
    def test_they_say_what_the_server_said(self) -> None:
        with pytest.raises(storm.exceptions.IntegrityError) as raised, transaction.manager:
            get_store("main").execute("INSERT INTO people_person (name) VALUES (NULL)")
        error: Any = raised.value
        assert error.sqlstate == "23502"
        assert (error.diag.table_name, error.diag.column_name) == ("people_person", "name")

    def test_a_code_that_psycopg_has_no_class_for_is_kept(self) -> None:
        with pytest.raises(storm.exceptions.DatabaseError) as raised, transaction.manager:
            get_store("main").execute("DO $$ BEGIN RAISE EXCEPTION 'mine' USING ERRCODE = 'ZZ123'; END $$")
        error: Any = raised.value
        assert error.sqlstate == "ZZ123"


OPTIONS: list[dict[str, Any]] = [
    {"server_side_binding": True},
    {"prepare_threshold": 0},
    {"server_side_binding": True, "prepare_threshold": 0},
]


@pytest.mark.usefixtures("psycopg3")
class TestDjangosOptions:
    @pytest.fixture(params=OPTIONS, ids=str)
    def options(self, request: pytest.FixtureRequest, settings: Any) -> Iterator[dict[str, Any]]:
        with extra_alias(settings, get_store_uri("main"), OPTIONS=request.param):
            yield request.param

    def test_both_orms_work(self, options: dict[str, Any]) -> None:
        for name in ("ann", "bob"):
            with transaction.manager:
                Person.objects.using("extra").create(name=f"{name} by Django")
                get_store("extra").add(StormPerson(f"{name} by Storm"))
            people = get_store("extra").find(StormPerson, StormPerson.name.startswith(name))
            assert people.count() == Person.objects.using("extra").filter(name__startswith=name).count() == 2
            transaction.abort()

    def test_storms_parameters_stand_where_the_server_takes_none(self, options: dict[str, Any]) -> None:
        with transaction.manager:
            store = get_store("extra")
            store.execute("SET LOCAL application_name = ?", ("storm",))
            assert store.execute("SHOW application_name").get_one() == ("storm",)
            sql = "SELECT length(name) + ? FROM people_person GROUP BY length(name) + ?"
            assert store.execute(sql, (1, 1)).get_all() == []

    @beside_pooler("no statement of a session's is prepared")
    def test_djangos_statements_are_prepared_as_asked(self, options: dict[str, Any]) -> None:
        with transaction.manager:
            list(Person.objects.using("extra").filter(name="ann"))
            with connections["extra"].cursor() as cursor:
                cursor.execute("SELECT count(*) FROM pg_prepared_statements")
                assert (cursor.fetchone()[0] > 0) is (len(options) == 2)
