"""The checks of replicas: what the settings say, and, with --database, what the servers are."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections

from djintegrate.storm_backend.checks import check_databases
from djintegrate.storm_backend.examination import examine
from tests.storm_backend.conf.test_checks import aliases, assert_said, found, the_one
from tests.storm_backend.replicas.site import Servers
from tests.support.helpers import MIDDLEWARE, wait_until, wants_postgres_driver

pytest_plugins = ["tests.support.fixtures", "tests.storm_backend.replicas.fixtures"]


def ids() -> list[str]:
    return [str(message.id).removeprefix("storm_backend.") for message in check_databases(["extra"])]


@pytest.mark.usefixtures("site")
class TestServers:
    def test_one_that_follows_is_well(self, site: Servers) -> None:
        site.behind.rows("ALTER SYSTEM SET wal_receiver_timeout = '5s'")
        site.behind.rows("SELECT pg_reload_conf()")
        try:
            wait_until(lambda: ids() == [])
        finally:
            site.behind.rows("ALTER SYSTEM RESET wal_receiver_timeout")
            site.behind.rows("SELECT pg_reload_conf()")
        # STICKY_SECONDS is 6 here, and PostgreSQL's default a minute.
        wait_until(lambda: ids() == ["W302"])
        (message,) = check_databases(["extra"])
        assert "STORM_STORES['extra']['REPLICAS'][0] notices after 60 seconds" in message.msg

    def test_one_that_is_no_standby_or_cannot_be_reached_is_told(self, site: Servers) -> None:
        pair = connections["extra"]
        pair.__dict__["_uris"] = (site.primary.uri(),)
        pair.__dict__["_replicas"].clear()
        (message,) = check_databases(["extra"])
        assert ids() == ["W301"]
        assert "receives nothing from a primary" in message.msg
        pair.__dict__["_uris"] = ("postgres://nobody@127.0.0.1:9/test",)
        pair.__dict__["_replicas"].clear()
        (message,) = check_databases(["extra"])
        assert ids() == ["W301"]
        assert "cannot be reached" in message.msg
        pair.__dict__["_replicas"].clear()

    def test_the_doctor_tells_as_well(self, site: Servers) -> None:
        def told() -> list[tuple[str, bool]]:
            return [(finding.said, not finding.is_well) for finding in examine() if finding.subject == "store extra"]

        assert any("notices after 60 seconds" in text and is_ill for text, is_ill in told())
        site.behind.rows("ALTER SYSTEM SET wal_receiver_timeout = '5s'")
        site.behind.rows("SELECT pg_reload_conf()")
        try:
            wait_until(lambda: ("1 replica follows its primary.", False) in told())
        finally:
            site.behind.rows("ALTER SYSTEM RESET wal_receiver_timeout")
            site.behind.rows("SELECT pg_reload_conf()")


@wants_postgres_driver
class TestSettings:
    @pytest.fixture(autouse=True)
    def clean(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing is wrong but what the test spoils."""
        settings.STORM_STORES = {"main": "sqlite:/db.sqlite3"}
        settings.MIDDLEWARE = MIDDLEWARE
        aliases(monkeypatch, default={"NAME": "main"})

    @pytest.mark.parametrize(
        ("uri", "replica"), [("sqlite:/second", "postgres://standby/db"), ("postgres://host/db", "sqlite:/standby")]
    )
    def test_e301_replicas_of_what_is_not_postgresql(self, uri: str, replica: str, settings: Any) -> None:
        settings.STORM_STORES = {**settings.STORM_STORES, "second": {"URI": uri, "REPLICAS": [replica]}}
        assert_said(the_one("E301"), "STORM_STORES['second']", "only PostgreSQL", "Remove REPLICAS")

    def test_e303_a_store_that_is_its_own_replica(self, settings: Any) -> None:
        entry = {"URI": "postgresql://host/db", "REPLICAS": ["postgres://standby/db", "postgres://host/db"]}
        settings.STORM_STORES = {**settings.STORM_STORES, "second": entry}
        assert_said(the_one("E303"), "STORM_STORES['second']", "its own URI")

    @pytest.mark.parametrize(("sticky", "lag"), [(10, 10), (5, 10), (120, 600), (0, 0.5)])
    def test_e302_a_browser_that_would_read_before_its_write_arrives(
        self, sticky: float, lag: float, settings: Any
    ) -> None:
        entry = {"URI": "postgres://host/db", "REPLICAS": ["postgres://standby/db"]}
        both = {"STICKY_SECONDS": sticky, "MAX_LAG_SECONDS": lag}
        settings.STORM_STORES = {**settings.STORM_STORES, "second": {**entry, **both}}
        assert_said(the_one("E302"), "'second'", f"STICKY_SECONDS = {sticky}", f"MAX_LAG_SECONDS = {lag}", "greater")
        both["STICKY_SECONDS"] = lag + 0.5
        settings.STORM_STORES = {**settings.STORM_STORES, "second": {**entry, **both}}
        assert found() == []

    def test_a_replicas_uri_is_looked_at_like_the_stores(self, settings: Any) -> None:
        entry: dict[str, Any] = {"URI": "postgres://host/db"}
        entry["REPLICAS"] = ["postgres://standby/db", "postgres://standby:x/db"]
        settings.STORM_STORES = {**settings.STORM_STORES, "second": entry}
        assert_said(the_one("E002"), "STORM_STORES['second']['REPLICAS'][1]", "port", "Correct the URI")
        entry["REPLICAS"] = ["postgresql://user:secret@standby/db"]
        text = the_one("W004")
        assert_said(text, "STORM_STORES['second']")
        assert "secret" not in text
