"""A pooler in transaction mode is known by what it does, and what a store behind one cannot have is a mistake."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from djintegrate.storm_backend import checks, examination, get_store_uri
from djintegrate.storm_backend.connection.pooled import shares_sessions
from tests.support.helpers import TRANSACTIONS, extra_alias, wants_postgres_driver
from tools.servers import Server, pooled

pytest_plugins = ["tests.support.fixtures", "tests.support.pooler"]
pytestmark = [*TRANSACTIONS, pytest.mark.usefixtures("unguarded")]


@pytest.fixture
def session_mode(server: Server | None, pooler: Server) -> Iterator[str]:
    """A pooler that keeps a session for each client, and has but one; it keeps the others waiting."""
    assert server is not None
    with pooled(server, pool_mode="session", default_pool_size=1) as other:
        yield other.uri(urlsplit(get_store_uri("main")).path.lstrip("/"))


def warnings(settings: Any, store: object) -> list[Any]:
    with extra_alias(settings, store):
        return [each for each in checks.check_databases(["extra"]) if each.id == "storm_backend.W010"]


class TestThePooler:
    def test_is_noticed_and_the_warning_names_the_setting(self, settings: Any, pooled_uri: str) -> None:
        [warning] = warnings(settings, pooled_uri)
        assert "STORM_STORES['extra']" in warning.msg
        assert warning.hint == 'Add "POOLER": "transaction" to STORM_STORES[\'extra\'].'

    def test_is_told_of_by_the_doctor(self, settings: Any, pooled_uri: str) -> None:
        with extra_alias(settings, pooled_uri):
            found = {(each.subject, each.remedy) for each in examination.examine()}
        assert ("store extra", 'Add "POOLER": "transaction" to STORM_STORES[\'extra\'].') in found

    def test_that_the_settings_name_is_no_news(self, settings: Any, pooled_uri: str) -> None:
        assert warnings(settings, {"URI": pooled_uri, "POOLER": "transaction"}) == []
        assert warnings(settings, {"URI": pooled_uri, "POOLER": "session"}) == []

    def test_is_noticed_while_others_use_it(self, settings: Any, pooler: Server, server: Server | None) -> None:
        assert server is not None
        with pooled(server, default_pool_size=4, server_round_robin=1) as busy, ExitStack() as stack:
            uri = busy.uri(urlsplit(get_store_uri("main")).path.lstrip("/"))
            with extra_alias(settings, uri) as connection:
                for _ in range(3):
                    other = stack.enter_context(_closing(connection.copy()))
                    other.set_autocommit(False)
                    other.cursor().execute("SELECT 1")
                assert shares_sessions(connection)


class TestNoPooler:
    def test_is_taken_for_one_where_nothing_stands_before_the_server(
        self, settings: Any, server: Server | None
    ) -> None:
        if server is None or connections["default"].vendor != "postgresql":
            pytest.skip("Wants a PostgreSQL server of the tests' own.")
        assert warnings(settings, server.uri("postgres")) == []

    def test_in_session_mode_is_taken_for_one_and_it_keeps_nobody_waiting(
        self, settings: Any, session_mode: str
    ) -> None:
        begun = time.monotonic()
        with extra_alias(settings, session_mode) as connection:
            connection.ensure_connection()
            other = connection.copy()
            connection.close()
            assert not shares_sessions(other)
            other.close()
        assert time.monotonic() - begun < 20


@wants_postgres_driver
class TestAMistake:
    @pytest.mark.parametrize(
        ("uri", "options", "fragments"),
        [
            ("postgres://h/d?options=-csearch_path%3Dx", {}, ["options='-csearch_path=x'", "ALTER ROLE"]),
            ("postgres://h/d", {"assume_role": "clerk"}, ["assume_role='clerk'", "ALTER ROLE"]),
            ("postgres://h/d", {"prepare_threshold": 5}, ["prepare_threshold=5", "Remove prepare_threshold"]),
            ("sqlite:/srv/db", {}, ["no PostgreSQL store", "Remove POOLER"]),
        ],
    )
    def test_is_a_session_of_ones_own(
        self, settings: Any, uri: str, options: dict[str, Any], fragments: list[str]
    ) -> None:
        settings.STORM_STORES = {"extra": {"URI": uri, "POOLER": "transaction"}}
        entry = {"ENGINE": "djintegrate.storm_backend", "NAME": "extra", "OPTIONS": options}
        configured = connections.configure_settings({"default": {}, "extra": entry})
        before = connections.settings
        connections.__dict__["settings"] = configured
        try:
            [found] = [each for each in checks.check_configuration() if each.id == "storm_backend.E012"]
        finally:
            connections.__dict__["settings"] = before
        for fragment in (*fragments, "POOLER = 'transaction'"):
            assert fragment in f"{found.msg} {found.hint}"
        with (
            pytest.raises(ImproperlyConfigured, match="POOLER = 'transaction'"),
            extra_alias(settings, settings.STORM_STORES["extra"], OPTIONS=options) as connection,
        ):
            connection.ensure_connection()

    @pytest.mark.parametrize("value", ["statement", True, 1])
    def test_is_a_mode_that_there_is_not(self, settings: Any, value: object) -> None:
        settings.STORM_STORES = {"extra": {"URI": "postgres://h/d", "POOLER": value}}
        [found] = [each for each in checks.check_configuration() if each.id == "storm_backend.E001"]
        assert f"STORM_STORES['extra']['POOLER'] is {value!r}" in found.msg
        assert "'session' or 'transaction'" in found.msg


class _closing(ExitStack):
    def __init__(self, connection: Any) -> None:
        super().__init__()
        self.connection = connection
        self.callback(connection.close)

    def __enter__(self) -> Any:
        return self.connection
