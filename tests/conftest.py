"""Starts the database that DB names for as long as pytest runs, and hands the settings where it is.

An exported TEST_POSTGRES_URI or TEST_MYSQL_URI is used instead of a server of one's own.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
from contextlib import ExitStack
from typing import cast

import pytest
from django.conf import settings

from tools import run_tests
from tools.servers import Kind, Server, ServerUnavailable, running

DRIVERS = {"postgres": ("psycopg2", "psycopg2-binary"), "mysql": ("MySQLdb", "mysqlclient")}
SERVER = pytest.StashKey["Server | None"]()


def pytest_configure(config: pytest.Config) -> None:
    kind = os.environ.setdefault("DB", "sqlite")
    if kind not in run_tests.DATABASES:
        raise pytest.UsageError(f"DB is {kind!r}. Make it one of {', '.join(run_tests.DATABASES)}.")
    stack = ExitStack()
    config.add_cleanup(stack.close)
    os.environ["TEST_FOLDER"] = stack.enter_context(tempfile.TemporaryDirectory(prefix="djintegrate-"))
    try:
        config.stash[SERVER] = _server(cast(Kind, kind), stack)
    except ServerUnavailable as error:
        pytest.exit(str(error), returncode=run_tests.UNAVAILABLE)
    # The settings read what was set above, so they are loaded here; pytest-django goes on from there.
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    assert settings.DATABASES


def pytest_report_header(config: pytest.Config) -> str:
    kind = os.environ["DB"]
    server = config.stash[SERVER]
    if kind == "sqlite":
        return "database: SQLite (DB=postgres or DB=mysql for the others)"
    where = f"a throwaway server on port {server.port}" if server else f"the server in TEST_{kind.upper()}_URI"
    return f"database: {run_tests.DATABASES[kind]}, {where}"


@pytest.fixture(scope="session")
def db_kind() -> str:
    """sqlite, postgres or mysql."""
    return os.environ["DB"]


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config) -> Server | None:
    """The throwaway server under test, to stop, start or kill. None for SQLite, and for a server that is not ours."""
    return pytestconfig.stash[SERVER]


def _server(kind: Kind, stack: ExitStack) -> Server | None:
    if kind == "sqlite":
        return None
    module, package = DRIVERS[kind]
    if importlib.util.find_spec(module) is None:
        raise ServerUnavailable(f"The driver {module} is not installed; install {package}.")
    variable = f"TEST_{kind.upper()}_URI"
    if os.environ.get(variable):
        return None
    server = stack.enter_context(running(kind, durable=False))
    os.environ[variable] = server.uri("test")
    return server
