"""The system checks: each mistake has its id, names the setting and the value, and says what to do."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.core.checks.registry import registry
from django.db import connections

from djintegrate.storm_backend import checks
from tests.support.forks import python
from tests.support.helpers import MIDDLEWARE, extra_alias, wants_postgres_driver
from tools import daemons, servers

pytest_plugins = ["tests.support.fixtures"]

ENGINE = "djintegrate.storm_backend"
OTHER = "django.contrib.sessions.middleware.SessionMiddleware"
VIEW_ERRORS = "djintegrate.storm_backend.middleware.ViewErrorMiddleware"


@pytest.fixture(autouse=True)
def clean(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration that has nothing wrong; each test spoils one thing."""
    settings.STORM_STORES = {"main": "sqlite:/db.sqlite3", "second": "sqlite:/second.sqlite3"}
    settings.MIDDLEWARE = [*MIDDLEWARE, OTHER]
    aliases(monkeypatch, default={"NAME": "main"}, second={"NAME": "second"})


def aliases(monkeypatch: pytest.MonkeyPatch, **entries: dict[str, Any]) -> None:
    databases = {alias: {"ENGINE": ENGINE, **entry} for alias, entry in entries.items()}
    monkeypatch.setitem(connections.__dict__, "settings", connections.configure_settings(databases))


def found() -> list[CheckMessage]:
    # Those about an object are in test_references_checks.py. And for no database: Django's own check of a JSONField,
    # which is one of those about an object, from 6.1 on would connect.
    return [each for each in run_checks(databases=[]) if str(each.id).startswith("storm_backend.") and each.obj is None]


def the_one(message_id: str) -> str:
    """The text of the one message there is, with its hint."""
    messages = found()
    assert [message.id for message in messages] == [f"storm_backend.{message_id}"]
    assert messages[0].hint
    assert messages[0].is_serious() is message_id.startswith("E")
    return f"{messages[0].msg}\n{messages[0].hint}"


def hide(monkeypatch: pytest.MonkeyPatch, *drivers: str) -> None:
    """Make it look as if these were not installed, and as if Django had not looked yet."""
    for driver in drivers:
        monkeypatch.setitem(sys.modules, driver, None)
    for name in list(sys.modules):
        if name.startswith(("django.db.backends.postgresql.", "django.db.backends.mysql.")):
            monkeypatch.delitem(sys.modules, name)


def assert_said(text: str, *fragments: str) -> None:
    for fragment in fragments:
        assert fragment in text


def checked(missing: list[str], uri: str, entry: dict[str, Any]) -> list[list[str]]:
    """What the checks say, id and text, in a process that has not these drivers."""
    script = f"""
import json, sys
for driver in {missing!r}:
    sys.modules[driver] = None
import django
from django.conf import settings
settings.configure(
    STORM_STORES={{"main": {uri!r}}},
    DATABASES={{"default": {{"ENGINE": {ENGINE!r}, "NAME": "main", **{entry!r}}}}},
    INSTALLED_APPS=[{ENGINE!r}],
    MIDDLEWARE={MIDDLEWARE!r},
)
django.setup()
from django.core.checks import run_checks
print(json.dumps([(message.id, f"{{message.msg}} {{message.hint}}") for message in run_checks()]))
"""
    done = python("-c", script)
    assert done.returncode == 0, done.stderr
    answer: list[list[str]] = json.loads(done.stdout)
    return answer


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

    @wants_postgres_driver
    def test_e002_an_option_that_has_no_place_in_a_uri(self, settings: Any) -> None:
        settings.STORM_STORES = {**settings.STORM_STORES, "second": "postgres:x?pool=true"}
        assert_said(the_one("E002"), "STORM_STORES['second']", "'pool'", "Correct the URI")

    @pytest.mark.parametrize(
        ("uri", "missing", "extra"),
        [
            ("postgres://host/db", ["psycopg", "psycopg2"], "postgresql"),
            ("mysql://host/db", ["MySQLdb"], "mysql"),
        ],
    )
    def test_e003_a_driver_that_is_not_installed(
        self, uri: str, missing: list[str], extra: str, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hide(monkeypatch, *missing)
        settings.STORM_STORES = {**settings.STORM_STORES, "second": uri}
        said = the_one("E003")
        assert_said(said, "STORM_STORES['second']", f'pip install "djintegrate[{extra}]"', *missing)

    @pytest.mark.parametrize(
        ("files", "fragments"),
        [
            ({}, ["cannot be imported", "ModuleNotFoundError"]),
            ({"__init__.py": "1 / 0"}, ["cannot be imported", "ZeroDivisionError"]),
            ({"../plans.py": "CREATES = DROPS = DELETES = []"}, ["not a package"]),
            ({"__init__.py": "CREATES = []; DROPS = []"}, ["has no DELETES", "a list of SQL statements"]),
            ({"__init__.py": "DROPS = DELETES = []; CREATES = 'CREATE TABLE a'"}, ["CREATES", "a list"]),
            ({"__init__.py": "DROPS = DELETES = []; CREATES = {'mysql': []}"}, ["CREATES", "'sqlite'"]),
        ],
    )
    def test_e009_a_schema_that_lacks_what_it_needs(
        self, files: dict[str, str], fragments: list[str], settings: Any, monkeypatch: Any, tmp_path: Path
    ) -> None:
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "plans", raising=False)
        for name, text in files.items():
            (tmp_path / "plans").mkdir(exist_ok=True)
            (tmp_path / "plans" / name).write_text(text)
        if "__init__.py" not in files and files:
            (tmp_path / "plans").rmdir()
        settings.STORM_STORES = {**settings.STORM_STORES, "second": {"URI": "sqlite:/a", "SCHEMA": "plans"}}
        assert_said(the_one("E009"), "STORM_STORES['second']['SCHEMA']", "'plans'", *fragments)
        sys.modules.pop("plans", None)

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

    @wants_postgres_driver
    def test_w004_a_password_that_error_reports_would_show(self, settings: Any) -> None:
        settings.STORM_STORES = {**settings.STORM_STORES, "second": "postgres://user:secret@host/db"}
        text = the_one("W004")
        assert_said(text, "STORM_STORES['second']", "DEFAULT_EXCEPTION_REPORTER_FILTER", "StoreHidingFilter")
        assert "secret" not in text
        settings.DEFAULT_EXCEPTION_REPORTER_FILTER = "djintegrate.storm_backend.reports.StoreHidingFilter"
        assert found() == []

    def test_e201_two_phase_with_sqlite(self, settings: Any) -> None:
        settings.STORM_STORES = {**settings.STORM_STORES, "second": {"URI": "sqlite:/second", "TWO_PHASE": True}}
        assert_said(the_one("E201"), "STORM_STORES['second']", "TWO_PHASE", "SQLite cannot", "Remove TWO_PHASE")

    @pytest.mark.usefixtures("unguarded")
    def test_e202_a_server_that_prepares_no_transactions(
        self, settings: Any, db_kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if db_kind != "postgres":
            pytest.skip("Wants a PostgreSQL server.")
        monkeypatch.undo()
        command = daemons.PostgreSQL.command
        monkeypatch.setattr(
            daemons.PostgreSQL,
            "command",
            lambda daemon: [word.replace("transactions=100", "transactions=0") for word in command(daemon)],
        )
        with servers.running("postgres", durable=False) as server:
            store: Any = {"URI": server.uri(), "TWO_PHASE": True}
            with extra_alias(settings, store):
                (message,) = checks.check_databases(databases=["extra"])
        assert str(message.id).rpartition(".")[2] == "E202"
        assert_said(
            f"{message.msg} {message.hint}", "STORM_STORES['extra']", "max_prepared_transactions", "is 0", "Set"
        )
        assert list(checks.check_databases()) == []
        assert checks.check_databases in registry.registered_checks


class TestDatabases:
    def test_e004_a_name_that_is_no_store(self, monkeypatch: pytest.MonkeyPatch) -> None:
        aliases(monkeypatch, default={"NAME": "main"}, second={"NAME": "sceond"})
        assert_said(the_one("E004"), "DATABASES['second']['NAME']", "'sceond'", "'main', 'second'", "name of a store")

    def test_e004_a_path_as_django_has_it_by_default(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
        aliases(monkeypatch, default={"NAME": tmp_path / "db.sqlite3"}, second={"NAME": "second"})
        assert_said(the_one("E004"), "DATABASES['default']['NAME']", "db.sqlite3", "name of a store")

    @pytest.mark.parametrize(
        ("entry", "missing", "fragments"),
        [
            ({"CONN_MAX_AGE": 60}, [], ["CONN_MAX_AGE = 60", "Remove CONN_MAX_AGE"]),
            ({}, ["psycopg"], ["only psycopg 3", "psycopg[binary,pool]"]),
            ({}, ["psycopg_pool"], ["psycopg_pool is not installed", "psycopg[pool]"]),
        ],
    )
    def test_e010_a_pool_that_there_cannot_be(
        self, entry: dict[str, Any], missing: list[str], fragments: list[str], tmp_path: Path
    ) -> None:
        pytest.importorskip("psycopg2", exc_type=ImportError)
        pytest.importorskip("psycopg", exc_type=ImportError)
        said = checked(missing, "postgres://host/db", {"OPTIONS": {"pool": True}, **entry})
        assert [name.removeprefix("storm_backend.") for name, _ in said] == ["E010"]
        assert_said(said[0][1], "DATABASES['default']", *fragments)

    def test_a_pool_that_there_can_be_is_no_mistake(self) -> None:
        pytest.importorskip("psycopg", exc_type=ImportError)
        pytest.importorskip("psycopg_pool")
        assert checked([], "postgres://host/db", {"OPTIONS": {"pool": True}}) == []

    def test_e004_stores_that_were_forgotten(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        del settings.STORM_STORES
        aliases(monkeypatch, default={"NAME": "main"})
        assert_said(the_one("E004"), "DATABASES['default']", "STORM_STORES names no store", "STORM_STORES =")

    @pytest.mark.parametrize(
        ("key", "value", "said"),
        [
            ("CONN_MAX_AGE", "60", "is '60', a string. Make it a number of seconds"),
            ("CONN_MAX_AGE", -1, "is -1. Make it a number of seconds"),
            ("ATOMIC_REQUESTS", "False", "is 'False', a string. Make it True or False"),
            ("AUTOCOMMIT", 0, "is 0, a whole number. Make it True or False"),
            ("CONN_HEALTH_CHECKS", "no", "is 'no', a string. Make it True or False"),
            ("OPTIONS", [], "is [], a list. Make it a dictionary"),
            ("TIME_ZONE", 5, "is 5, a whole number. Make it the name of a time zone"),
        ],
    )
    def test_e011_a_key_of_the_wrong_type(
        self, key: str, value: Any, said: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        aliases(monkeypatch, default={"NAME": "main", key: value}, second={"NAME": "second"})
        assert_said(the_one("E011"), f"DATABASES['default'][{key!r}] {said}", f"Correct {key}")

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
        the_one("W009")

    def test_e007_two_aliases_on_one_store(self, monkeypatch: pytest.MonkeyPatch) -> None:
        aliases(monkeypatch, default={"NAME": "main"}, second={"NAME": "main"})
        assert_said(the_one("E007"), "'default', 'second'", "'main'", "a store of its own")

    def test_w002_autocommit_turned_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        aliases(monkeypatch, default={"NAME": "main", "AUTOCOMMIT": False}, second={"NAME": "second"})
        assert_said(the_one("W002"), "DATABASES['default']", "AUTOCOMMIT = False", "Remove AUTOCOMMIT")

    @pytest.mark.parametrize(
        ("key", "meant"), [("OPTION", "OPTIONS"), ("CON_MAX_AGE", "CONN_MAX_AGE"), ("HOSTS", "HOST")]
    )
    def test_w013_a_key_that_is_nearly_one_of_djangos(
        self, key: str, meant: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        aliases(monkeypatch, default={"NAME": "main", key: None}, second={"NAME": "second"})
        assert_said(the_one("W013"), "DATABASES['default']", f"{key!r}. Did you mean {meant!r}?")

    def test_other_keys_are_somebody_elses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        aliases(monkeypatch, default={"NAME": "main", "SCHEMA_SEARCH_PATHS": []}, second={"NAME": "second"})
        assert found() == []

    def test_e014_the_app_is_not_there(self) -> None:
        """In "storm_backend.E014" the engine itself speaks: the app is not there to have its checks run."""
        script = f"""
from django.conf import settings
settings.configure(
    STORM_STORES={{"main": "sqlite:"}}, DATABASES={{"default": {{"ENGINE": {ENGINE!r}, "NAME": "main"}}}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
)
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "check"])
"""
        done = python("-c", script)
        assert_said(done.stderr, "(storm_backend.E014) DATABASES['default'] is on", f"Add {ENGINE!r} to INSTALLED_APPS")
        assert "Traceback" not in done.stderr and done.returncode == 1


def test_w008_a_setting_that_nobody_knows(settings: Any) -> None:
    settings.STORM_RETRY_ATTEMPT = 3
    assert_said(the_one("W008"), "STORM_RETRY_ATTEMPT is not a setting", "Did you mean STORM_RETRY_ATTEMPTS?", "W008")


def test_middleware_that_cannot_be_imported_is_left_to_django_to_tell(settings: Any) -> None:
    settings.MIDDLEWARE = [*MIDDLEWARE, "no.such.Middleware"]
    settings.DEFAULT_EXCEPTION_REPORTER_FILTER = "no.such.Filter"
    assert found() == []


def test_several_mistakes_are_all_told(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.STORM_STORES = {"main": "oracle:x"}
    settings.STORM_RETRY_ATTEMPTS = 0
    settings.MIDDLEWARE = [OTHER, *MIDDLEWARE]
    assert {message.id for message in found()} == {f"storm_backend.{name}" for name in ("E002", "E004", "E008", "W003")}


def test_w011_a_folder_that_is_not_there(settings: Any, tmp_path: Path) -> None:
    folder = tmp_path / "no" / "such"
    settings.STORM_STORES = {"main": f"sqlite:{folder}/db.sqlite3", "second": f"sqlite:{tmp_path}/db.sqlite3"}
    assert_said(the_one("W011"), "STORM_STORES['main']", f"{str(folder)!r}, which is not there", "Make the folder")
    assert list(tmp_path.iterdir()) == []


def test_each_id_is_used_for_one_thing_and_tested() -> None:
    """So that a new check comes with its test."""
    package = Path(checks.__file__).parent
    sources = [path.read_text() for path in (package / "checks.py", *(package / "conf").glob("*.py"))]
    ids = {part.split('"')[0] for source in sources for part in source.split('"storm_backend.')[1:]}
    here = Path(__file__)
    others = (
        "conf/test_checks_middleware.py",
        "connection/test_limit.py",
        "pooler/test_noticing.py",
        "replicas/test_checks.py",
        "replicas/test_seams.py",
    )
    tested = "".join(path.read_text() for path in (here, *(here.parents[1] / other for other in others)))
    assert {name for name in ids if f'{name}"' not in tested} == set()
