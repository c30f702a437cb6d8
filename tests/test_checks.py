"""The system checks: each mistake has its id, names the setting and the value, and says what to do."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.db import connections

from djintegrate.storm_backend import checks
from tests.helpers import MIDDLEWARE

ENGINE = "djintegrate.storm_backend"
OTHER = "django.contrib.sessions.middleware.SessionMiddleware"
VIEW_ERRORS = "djintegrate.storm_backend.middleware.ViewErrorMiddleware"


@pytest.fixture(autouse=True)
def clean(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration that has nothing wrong; each test spoils one thing."""
    settings.STORM_STORES = {"main": "sqlite:/srv/site/db.sqlite3", "second": "sqlite:/srv/site/second.sqlite3"}
    settings.MIDDLEWARE = [*MIDDLEWARE, OTHER]
    aliases(monkeypatch, default={"NAME": "main"}, second={"NAME": "second"})


def aliases(monkeypatch: pytest.MonkeyPatch, **entries: dict[str, Any]) -> None:
    databases = {alias: {"ENGINE": ENGINE, **entry} for alias, entry in entries.items()}
    monkeypatch.setitem(connections.__dict__, "settings", connections.configure_settings(databases))


def found() -> list[CheckMessage]:
    return [message for message in run_checks() if str(message.id).startswith("storm_backend.")]


def the_one(message_id: str) -> str:
    """The text of the one message there is, with its hint."""
    messages = found()
    assert [message.id for message in messages] == [f"storm_backend.{message_id}"]
    assert messages[0].hint
    assert messages[0].is_serious() is message_id.startswith("E")
    return f"{messages[0].msg}\n{messages[0].hint}"


def assert_said(text: str, *fragments: str) -> None:
    for fragment in fragments:
        assert fragment in text


def test_a_clean_configuration_gives_none() -> None:
    assert found() == []


def test_the_tests_own_settings_give_none_but_for_the_throwaway_password(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests import settings as own

    monkeypatch.undo()
    settings.STORM_STORES, settings.MIDDLEWARE = own.STORM_STORES, own.MIDDLEWARE
    assert {message.id for message in found()} <= {"storm_backend.W004", "storm_backend.W007"}


def test_a_site_that_does_not_use_the_engine_gives_none(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    del settings.STORM_STORES
    settings.MIDDLEWARE = []
    databases = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "x", "ATOMIC_REQUESTS": True}}
    monkeypatch.setitem(connections.__dict__, "settings", connections.configure_settings(databases))
    assert found() == []


class TestStores:
    @pytest.mark.parametrize("value", [["sqlite:"], {"main": None}, {"main": {"URL": "sqlite:"}}])
    def test_e001_stores_that_cannot_be_read(self, value: Any, settings: Any) -> None:
        settings.STORM_STORES = value
        assert_said(the_one("E001"), "STORM_STORES", "Make it a", "Correct STORM_STORES")

    @pytest.mark.parametrize(
        ("uri", "fragment"),
        [
            ("oracle:x", "'oracle'"),
            ("/srv/site/db.sqlite3", "cannot be read"),
            ("sqlite:/x?timeout=soon", "timeout='soon'"),
            ("sqlite:/x?isolation=serializable", "unknown option 'isolation'"),
        ],
    )
    def test_e002_a_uri_that_cannot_be_used(self, uri: str, fragment: str, settings: Any) -> None:
        settings.STORM_STORES = {**settings.STORM_STORES, "second": uri}
        assert_said(the_one("E002"), "STORM_STORES['second']", fragment, "Correct the URI")

    @pytest.mark.parametrize(
        ("uri", "driver", "extra"),
        [("postgres://host/db", "psycopg2", "postgresql"), ("mysql://host/db", "MySQLdb", "mysql")],
    )
    def test_e003_a_driver_that_is_not_installed(
        self, uri: str, driver: str, extra: str, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        find_spec = importlib.util.find_spec
        missing = {"psycopg", "psycopg2", "MySQLdb"}
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name, *rest: None if name in missing else find_spec(name, *rest)
        )
        settings.STORM_STORES = {**settings.STORM_STORES, "second": uri}
        assert_said(the_one("E003"), "STORM_STORES['second']", driver, f'pip install "djintegrate[{extra}]"')

    def test_w001_a_relative_file(self, settings: Any) -> None:
        settings.STORM_STORES = {**settings.STORM_STORES, "second": "sqlite:///srv/site/db.sqlite3"}
        assert_said(
            the_one("W001"),
            "STORM_STORES['second']",
            "'srv/site/db.sqlite3'",
            "relative",
            "sqlite:/srv/site/db.sqlite3",
        )

    @pytest.mark.parametrize("uri", ["sqlite:", "sqlite::memory:", "sqlite:/absolute"])
    def test_w001_is_not_for_memory_and_absolute_paths(self, uri: str, settings: Any) -> None:
        settings.STORM_STORES = {**settings.STORM_STORES, "second": uri}
        assert found() == []

    def test_w004_a_password_that_error_reports_would_show(self, settings: Any, db_kind: str) -> None:
        if db_kind != "postgres":
            pytest.skip("Wants the driver.")
        settings.STORM_STORES = {**settings.STORM_STORES, "second": "postgres://user:secret@host/db"}
        text = the_one("W004")
        assert_said(text, "STORM_STORES['second']", "DEFAULT_EXCEPTION_REPORTER_FILTER", "StoreHidingFilter")
        assert "secret" not in text
        settings.DEFAULT_EXCEPTION_REPORTER_FILTER = "djintegrate.storm_backend.reports.StoreHidingFilter"
        assert found() == []

    def test_w005_two_phase_is_not_there_yet(self, settings: Any) -> None:
        settings.STORM_STORES = {**settings.STORM_STORES, "second": {"URI": "sqlite:/second", "TWO_PHASE": True}}
        assert_said(the_one("W005"), "STORM_STORES['second']", "TWO_PHASE", "Remove TWO_PHASE")

    def test_w006_psycopg_3_beside_psycopg2(self, settings: Any, db_kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        if db_kind != "postgres":
            pytest.skip("Wants the driver.")
        find_spec = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name, *rest: find_spec("json" if name == "psycopg" else name, *rest)
        )
        settings.STORM_STORES = {**settings.STORM_STORES, "second": "postgres://host/db"}
        assert_said(the_one("W006"), "STORM_STORES['second']", "psycopg 3", "pip uninstall psycopg")


class TestDatabases:
    def test_e004_a_name_that_is_no_store(self, monkeypatch: pytest.MonkeyPatch) -> None:
        aliases(monkeypatch, default={"NAME": "main"}, second={"NAME": "sceond"})
        assert_said(the_one("E004"), "DATABASES['second']['NAME']", "'sceond'", "'main', 'second'", "name of a store")

    def test_e004_a_path_as_django_has_it_by_default(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
        aliases(monkeypatch, default={"NAME": tmp_path / "db.sqlite3"}, second={"NAME": "second"})
        assert_said(the_one("E004"), "DATABASES['default']['NAME']", "db.sqlite3", "name of a store")

    @pytest.mark.parametrize("key", ["HOST", "PORT", "USER", "PASSWORD"])
    def test_e005_a_place_said_twice(self, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
        aliases(monkeypatch, default={"NAME": "main", key: "something"}, second={"NAME": "second"})
        text = the_one("E005")
        assert_said(text, "DATABASES['default']", key, "STORM_STORES['main']")
        assert "something" not in text

    def test_e006_atomic_requests_together_with_the_middleware(
        self, monkeypatch: pytest.MonkeyPatch, settings: Any
    ) -> None:
        aliases(monkeypatch, default={"NAME": "main"}, second={"NAME": "second", "ATOMIC_REQUESTS": True})
        assert_said(the_one("E006"), "DATABASES['second']", "ATOMIC_REQUESTS", "Remove ATOMIC_REQUESTS")
        settings.MIDDLEWARE = [OTHER]
        assert found() == []

    def test_e007_two_aliases_on_one_store(self, monkeypatch: pytest.MonkeyPatch) -> None:
        aliases(monkeypatch, default={"NAME": "main"}, second={"NAME": "main"})
        assert_said(the_one("E007"), "'default', 'second'", "'main'", "a store of its own")

    def test_w002_autocommit_turned_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        aliases(monkeypatch, default={"NAME": "main", "AUTOCOMMIT": False}, second={"NAME": "second"})
        assert_said(the_one("W002"), "DATABASES['default']", "AUTOCOMMIT = False", "Remove AUTOCOMMIT")


class TestMiddleware:
    def test_w003_the_middleware_is_not_the_first(self, settings: Any) -> None:
        settings.MIDDLEWARE = [OTHER, *MIDDLEWARE]
        assert_said(the_one("W003"), "ZopeTransactionMiddleware", f"'{OTHER}'", "first place")

    def test_w007_other_middleware_may_hide_a_views_exception(self, settings: Any) -> None:
        friendly = "tests.test_middleware.FriendlyMiddleware"
        settings.MIDDLEWARE = [*MIDDLEWARE, friendly]
        assert_said(the_one("W007"), f"'{friendly}'", VIEW_ERRORS, "last in MIDDLEWARE")
        settings.MIDDLEWARE = [*MIDDLEWARE, friendly, VIEW_ERRORS]
        assert found() == []

    @pytest.mark.parametrize(
        ("setting", "value", "remedy"),
        [
            ("STORM_COMMIT_VETO", "nowhere.veto", "dotted path of a function"),
            ("STORM_RETRY_ATTEMPTS", 0, "whole number, 1 or more"),
            ("STORM_RETRY_ATTEMPTS", "2", "whole number, 1 or more"),
        ],
    )
    def test_e008_a_setting_of_the_middleware(self, setting: str, value: Any, remedy: str, settings: Any) -> None:
        setattr(settings, setting, value)
        assert_said(the_one("E008"), f"{setting} is {value!r}", remedy)


def test_several_mistakes_are_all_told(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.STORM_STORES = {"main": "oracle:x"}
    settings.STORM_RETRY_ATTEMPTS = 0
    settings.MIDDLEWARE = [OTHER, *MIDDLEWARE]
    assert {message.id for message in found()} == {f"storm_backend.{name}" for name in ("E002", "E004", "E008", "W003")}


def test_they_do_not_connect(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.STORM_STORES = {"main": "sqlite:/no/such/folder/db.sqlite3", "second": "sqlite:/nor/this/one"}
    assert found() == []


def test_each_id_is_used_for_one_thing_and_tested() -> None:
    """So that a new check comes with its test."""
    source = Path(checks.__file__).read_text()
    ids = {part.split('"')[0] for part in source.split('id="storm_backend.')[1:]}
    tested = Path(__file__).read_text()
    assert {name for name in ids if f'"{name}"' not in tested} == set()
