"""Storm's statements in the query log, the logger, execute wrappers and the debug toolbar; Storm's tracers."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import django.db
import pytest
import storm.exceptions
import transaction
from django.db import connection, connections
from django.test import Client, TransactionTestCase
from django.test.utils import CaptureQueriesContext
from storm.databases.postgres import PostgresTimeoutTracer
from storm.tracer import BaseStatementTracer, DebugTracer, TimeoutTracer, install_tracer, remove_tracer

from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import (
    TRANSACTIONS,
    Oops,
    django_add,
    django_names,
    in_thread,
    is_mariadb,
    is_postgres,
    is_sqlite,
    storm_insert,
    storm_names,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

SECONDS = 0.2


@contextmanager
def captured() -> Iterator[list[str]]:
    """The SQL of the statements on the default connection, filled at the end."""
    statements: list[str] = []
    with CaptureQueriesContext(connection) as context:
        try:
            yield statements
        finally:
            statements += [query["sql"] for query in context.captured_queries]


def pause() -> None:
    """A statement of Storm's that takes SECONDS."""
    if is_sqlite():
        connection.connection.create_function("pause", 1, lambda seconds: __import__("time").sleep(seconds))
    function = {"sqlite": "pause", "postgresql": "pg_sleep", "mysql": "sleep"}[connection.vendor]
    get_store("main").execute(f"SELECT {function}(?)", (SECONDS,)).get_all()


class TestTheQueryLog:
    def test_it_has_the_statements_of_both_orms_in_their_order(self) -> None:
        with transaction.manager, captured() as statements:
            storm_insert("ann")
            django_add("bob")
            storm_names()
            django_names()
        verbs = [sql.split()[0] for sql in statements if "people_person" in sql]
        # SQLite tells Storm a new row's key only when it is asked.
        asked = ["SELECT"] if is_sqlite() and verbs[1] == "SELECT" else []
        assert verbs == ["INSERT", *asked, "INSERT", "SELECT", "SELECT"]

    @pytest.mark.parametrize("name", ["Zoë", "100%", "what?", "it's %s", "%?"])
    def test_it_has_the_values(self, name: str) -> None:
        with transaction.manager, captured() as statements:
            storm_insert(name)
            assert storm_names() == [name]
        quoted = name.replace("'", r"\'" if is_mariadb() else "''")
        assert f"'{quoted}'" in next(sql for sql in statements if sql.startswith("INSERT"))

    def test_it_has_the_time_that_a_statement_took(self) -> None:
        with transaction.manager, CaptureQueriesContext(connection) as context:
            pause()
        assert max(float(query["time"]) for query in context.captured_queries) >= SECONDS

    def test_it_is_on_with_debug(self, settings: Any) -> None:
        settings.DEBUG = True
        django.db.reset_queries()
        with transaction.manager:
            storm_names()
        assert any("people_person" in query["sql"] for query in connection.queries)
        django.db.reset_queries()

    def test_a_statement_that_failed_is_in_it(self) -> None:
        with captured() as statements, pytest.raises(storm.exceptions.DatabaseError), transaction.manager:
            get_store("main").execute("SELECT * FROM no_such_table")
        logged = statements[1]
        # Django asks MySQLdb, which remembers only what succeeded.
        assert "no_such_table" in logged if not is_mariadb() else len(statements) == 3

    def test_assert_num_queries_counts_them(self) -> None:
        with transaction.manager:
            get_store("main").execute("SELECT 1")
            with TransactionTestCase().assertNumQueries(2):
                storm_names()
                django_names()

    def test_nothing_is_in_it_where_nobody_asked(self) -> None:
        connection.queries_log.clear()
        with transaction.manager:
            storm_names()
        assert not connection.queries_log


class TestTheLogger:
    @pytest.fixture
    def log(self, caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
        with caplog.at_level(logging.DEBUG, "django.db.backends"):
            yield caplog

    def test_a_record_has_sql_params_alias_and_duration(self, log: Any) -> None:
        with transaction.manager, captured():
            get_store("main").find(StormPerson, name="ann").count()
            pause()
        find, slow = [record for record in log.records if record.sql.startswith("SELECT")]
        assert "people_person" in find.sql
        assert (find.params, find.alias, find.levelname) == (("ann",), "default", "DEBUG")
        assert slow.duration >= SECONDS > find.duration

    def test_a_plain_store_is_logged_under_its_name(self, plain: None, settings: Any, log: Any) -> None:
        settings.DEBUG = True
        with transaction.manager:
            storm_insert("ann", "plain")
        records = [record for record in log.records if record.alias == "store plain"]
        assert [record.sql.split()[0] for record in records] == ["BEGIN", "INSERT", "SELECT", "COMMIT"]
        assert "'ann'" in records[1].sql


class TestExecuteWrappers:
    def test_they_see_storms_statements_as_django_writes_them(self) -> None:
        seen: list[Any] = []

        def see(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            seen.append((sql, params, many, context["connection"]))
            return execute(sql, params, many, context)

        with transaction.manager, connection.execute_wrapper(see):
            get_store("main").execute("SELECT 7 %% 5 + ?" if not is_sqlite() else "SELECT 7 % 5 + ?", (1,))
        assert seen[-1] == ("SELECT 7 %% 5 + %s", (1,), False, connections["default"])

    def test_they_may_change_a_statement(self) -> None:
        def add(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            return execute(sql.replace("1", "2") + " /* by a wrapper */", params, many, context)

        with transaction.manager, connection.execute_wrapper(add):
            assert get_store("main").execute("SELECT 1").get_one() == (2,)
            assert get_store("main").execute("SELECT 1 + ?", (5,)).get_one() == (7,)

    @pytest.mark.parametrize("error", [Oops("no"), django.db.OperationalError("no")])
    def test_they_may_refuse_a_statement(self, error: Exception) -> None:
        def refuse(*args: Any) -> Any:
            raise error from ValueError("for this reason")

        with transaction.manager:
            storm_insert("ann")
            with connection.execute_wrapper(refuse), pytest.raises(type(error)) as raised:
                storm_names()
            assert raised.value is error
            assert storm_names() == ["ann"]

    def test_a_wrapper_may_use_the_connection_itself(self) -> None:
        def ask(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if not asked:
                asked.append(sql)
                asked.append(Person.objects.count())
            return execute(sql, params, many, context)

        asked: list[Any] = []
        with transaction.manager:
            storm_insert("ann")
            with connection.execute_wrapper(ask):
                storm_insert("bob")
            assert asked[1] == 1
            assert storm_names() == ["ann", "bob"]

    def test_what_storm_has_pending_survives_its_own_statements(self) -> None:
        # The engine's own wrappers are for Django's statements.
        with transaction.manager, captured():
            ann, bob = storm_insert("ann"), storm_insert("bob")
            ann.name = "anna"
            get_store("main").find(StormPerson, name="bob").set(name="bo")
            bob.name = "bobby"
        assert django_names() == ["anna", "bobby"]


class TestWatchedOrNot:
    @pytest.fixture(params=[False, True], ids=["unwatched", "watched"], autouse=True)
    def watched(self, request: pytest.FixtureRequest) -> Iterator[None]:
        with ExitStack() as stack:
            if request.param:
                stack.enter_context(captured())
            yield

    def test_errors_are_storms_and_the_drivers(self) -> None:
        storm_insert("ann")
        with pytest.raises(storm.exceptions.IntegrityError) as raised:
            storm_insert("ann")
        transaction.abort()
        assert isinstance(raised.value, connection.Database.IntegrityError)
        cause = raised.value.__cause__
        assert isinstance(cause, connection.Database.IntegrityError)
        assert not isinstance(cause, storm.exceptions.Error)
        if connection.Database.__name__ == "psycopg":
            assert raised.value.sqlstate == raised.value.diag.sqlstate == "23505"

    def test_an_unmapped_value_comes_in_the_drivers_type(self) -> None:
        text = {"sqlite": "x'ff00'", "postgresql": "'\\xff00'::bytea", "mysql": "x'ff00'"}[connection.vendor]
        with transaction.manager:
            value = get_store("main").execute(f"SELECT {text}").get_one()[0]
        assert bytes(value) == b"\xff\x00"

    def test_times_with_a_zone_have_it(self) -> None:
        if not is_postgres():
            pytest.skip("A type of PostgreSQL's.")
        with transaction.manager:
            store = get_store("main")
            store.execute("SET LOCAL TIME ZONE 'Asia/Tokyo'")
            value = store.execute("SELECT '2024-05-06 12:00:00+02'::timestamptz").get_one()[0]
        assert value.isoformat() == "2024-05-06T19:00:00+09:00"

    def test_storms_tracers_see_what_storm_does(self) -> None:
        tracer, stream = Capturing(), io.StringIO()
        with traced(tracer), traced(DebugTracer(stream)), transaction.manager:
            get_store("main").find(StormPerson, name="ann").count()
        assert [sql for sql in tracer.queries if "'ann'" in sql] == tracer.queries
        assert len(tracer.queries) == 1
        assert re.findall("EXECUTE|DONE|COMMIT", stream.getvalue()) == ["EXECUTE", "DONE", "COMMIT"]

    def test_a_time_budget_that_is_used_up_refuses_the_statement(self) -> None:
        class Budget(TimeoutTracer):
            def get_remaining_time(self) -> float:
                return 0

            def connection_raw_execute_error(self, *args: Any) -> None:
                pass

        with pytest.raises(storm.exceptions.TimeoutError), traced(Budget()), transaction.manager:
            storm_names()
        assert django_names() == []

    def test_a_statement_that_takes_too_long_is_cancelled(self) -> None:
        if not is_postgres():
            pytest.skip("Storm has a tracer that sets the server's limit for PostgreSQL.")

        class Budget(PostgresTimeoutTracer):
            def get_remaining_time(self) -> float:
                return SECONDS / 2

        with pytest.raises(storm.exceptions.TimeoutError), traced(Budget()), transaction.manager:
            storm_insert("ann")
            pause()
        assert django_names() == []


class Capturing(BaseStatementTracer):
    """As storm.testing.CaptureTracer, which wants a package of its own."""

    def __init__(self) -> None:
        self.queries: list[str] = []

    def _expanded_raw_execute(self, connection: Any, cursor: Any, statement: str) -> None:
        self.queries.append(statement)


@contextmanager
def traced(tracer: Any) -> Iterator[None]:
    install_tracer(tracer)
    try:
        yield
    finally:
        remove_tracer(tracer)


class TestTheDebugToolbar:
    @pytest.fixture(autouse=True)
    def toolbar(self, settings: Any) -> None:
        pytest.importorskip("debug_toolbar")
        settings.DEBUG = True
        settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "debug_toolbar"]
        settings.MIDDLEWARE = [settings.MIDDLEWARE[0], "debug_toolbar.middleware.DebugToolbarMiddleware"]
        settings.DEBUG_TOOLBAR_CONFIG = {
            "SHOW_TOOLBAR_CALLBACK": "tests.support.toolbar.always",
            "IS_RUNNING_TESTS": False,
        }
        settings.ROOT_URLCONF = "tests.support.toolbar"

    def test_its_sql_panel_lists_storms_statements(self) -> None:
        # It changes the connections of its thread for good.
        statements = in_thread(self._statements)
        assert sum("people_person" in sql and "by Storm" in sql for sql in statements) == 1
        assert sum("people_person" in sql and "by Django" in sql for sql in statements) == 1

    def _statements(self) -> list[str]:
        client = Client()
        try:
            found = re.search(r'data-request-id="(\w+)"', client.get("/both/").content.decode())
            assert found
            panel = client.get("/__debug__/render_panel/", {"request_id": found[1], "panel_id": "SQLPanel"}).json()
            shown = re.findall(r'"djDebugUncollapsed">(.*?)</div>', panel["content"], re.DOTALL)
            return [re.sub("<.*?>", "", sql) for sql in shown]
        finally:
            connections.close_all()
