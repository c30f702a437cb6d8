"""Starts the database that DB names for as long as pytest runs, and hands the settings where it is.

DB=psycopg2 is PostgreSQL as well, with psycopg 3 hidden: Django prefers it. In the tests DB then is `postgres`.

An exported TEST_POSTGRES_URI or TEST_MYSQL_URI is used instead of a server of one's own.
"""

from __future__ import annotations

import gc
import os
import tempfile
from contextlib import ExitStack
from importlib import import_module

import pytest
from django.conf import settings

from tests.support.browser import browser as browser
from tests.support.browser import chromium as chromium
from tools import drivers, run_tests
from tools.servers import Kind, Server, ServerUnavailable, pooled, running

PACKAGES = {"psycopg": "psycopg[binary,pool]", "psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient"}
SITES = {"live_server", "browser", "chromium"}
"""Fixtures of tests that visit a site over HTTP."""
DATABASE = pytest.StashKey[str]()
SERVER = pytest.StashKey["Server | None"]()


def pytest_configure(config: pytest.Config) -> None:
    database = os.environ.get("DB") or "sqlite"
    if database not in run_tests.DATABASES:
        raise pytest.UsageError(f"DB is {database!r}. Make it one of {', '.join(run_tests.DATABASES)}.")
    stack = ExitStack()
    config.add_cleanup(stack.close)
    os.environ["TEST_FOLDER"] = stack.enter_context(tempfile.TemporaryDirectory(prefix="djintegrate-"))
    stack.enter_context(drivers.driver_of(database))
    config.stash[DATABASE] = database
    os.environ["DB"] = kind = drivers.kind_of(database)
    os.environ["TEST_POOLER"] = "transaction" if database == "pgbouncer" else ""
    try:
        _want_driver(database)
        config.stash[SERVER] = _server(kind, stack, is_pooled=database == "pgbouncer")
    except ServerUnavailable as error:
        pytest.exit(str(error), returncode=run_tests.UNAVAILABLE)
    # The settings read what was set above, so they are loaded here; pytest-django goes on from there.
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    assert settings.DATABASES
    # Imported only now, for it imports what needs settings.
    from tests.support.emptying import empty_quickly

    empty_quickly()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--visits", choices=["only", "none"], help="`only` the tests that visit a site, or `none` of them")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # The slowest come last. And a browser keeps connections to a site open, whose threads so keep theirs to the
    # database, while other tests count these.
    halves: dict[str, list[pytest.Item]] = {"none": [], "only": []}
    for item in items:
        visits = not SITES.isdisjoint(getattr(item, "fixturenames", ()))
        halves["only" if visits else "none"].append(item)
    items[:] = halves["none"] + halves["only"]
    if wanted := config.getoption("visits"):
        _want_no_visits(halves["only"])
        config.hook.pytest_deselected(items=[item for item in items if item not in halves[wanted]])
        items[:] = halves[wanted]


def _want_no_visits(items: list[pytest.Item]) -> None:
    """Where none are looked for."""
    folders = tuple(f"{path}/" for path in run_tests.WITHOUT_VISITS)
    if strays := [item.nodeid for item in items if item.nodeid.startswith(folders)]:
        raise pytest.UsageError(f"{strays[0]} visits a site. Take its folder out of run_tests.WITHOUT_VISITS.")


def pytest_collection_finish() -> None:
    """What is there before the first test stays: the gc.collect() of many tests need not look at it each time."""
    gc.collect()
    gc.freeze()


def pytest_report_header(config: pytest.Config) -> str:
    database, server = config.stash[DATABASE], config.stash[SERVER]
    if database == "sqlite":
        return "database: SQLite (DB=postgres, psycopg2 or mysql for the others)"
    kind = os.environ["DB"].upper()
    where = f"a throwaway server on port {server.port}" if server else f"the server in TEST_{kind}_URI"
    return f"database: {drivers.title(database)}, {where}"


@pytest.fixture(scope="session")
def db_kind() -> str:
    """sqlite, postgres or mysql."""
    return os.environ["DB"]


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config) -> Server | None:
    """The throwaway server under test, to stop, start or kill. None for SQLite, and for a server that is not ours."""
    return pytestconfig.stash[SERVER]


def _want_driver(database: str) -> None:
    if database != "sqlite":
        try:
            import_module(drivers.MODULES[database])
        except ImportError as error:
            package = PACKAGES[drivers.MODULES[database]]
            raise ServerUnavailable(f"The driver cannot be imported ({error}); install {package}.") from error


def _server(kind: Kind, stack: ExitStack, is_pooled: bool) -> Server | None:
    if kind == "sqlite":
        return None
    variable = f"TEST_{kind.upper()}_URI"
    if os.environ.get(variable) and not is_pooled:
        return None
    server = stack.enter_context(running(kind, durable=False))
    before = stack.enter_context(pooled(server)) if is_pooled else server
    os.environ[variable] = before.uri("test")
    return server
