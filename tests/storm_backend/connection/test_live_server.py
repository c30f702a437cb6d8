"""A live server whose threads use the test's connection, as Django has it for SQLite in memory: nothing is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from djintegrate.storm_backend import get_store_uri
from tests.support.forks import python
from tests.support.helpers import is_sqlite

ROOT = Path(__file__).resolve().parents[3]
SITE = "tests.storm_backend.connection.live_site"
TESTS = f"""
import pytest
from {SITE} import check

DATABASES = pytest.mark.django_db(transaction=True, databases=["default", "second"])

@DATABASES
def test_that_has_the_databases_made_before_the_server_starts():
    pass

@DATABASES
@pytest.mark.parametrize("time", range(2))
def test_requests(live_server, time):
    check(live_server)
"""


def run(folder: Path, *command: str) -> str:
    """In memory are both databases of the site on SQLite, and elsewhere the second one."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": SITE, "PYTHONPATH": str(ROOT)}
    if not is_sqlite():
        environment["MAIN_URI"] = get_store_uri("main")
    done = python("-m", *command, cwd=folder, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.django_db
def test_a_sites_own_tests_pass(tmp_path: Path) -> None:
    said = run(tmp_path, "django", "test", "--noinput", SITE)
    assert "Ran 12 tests" in said
    assert "neither committed nor aborted" not in said and "is lost" not in said


@pytest.mark.django_db
def test_pytests_live_server_does_as_well(tmp_path: Path) -> None:
    (tmp_path / "test_site.py").write_text(TESTS)
    said = run(tmp_path, "pytest", "--create-db", "-p", "no:cacheprovider", "test_site.py")
    assert "3 passed" in said
    assert "neither committed nor aborted" not in said and "is lost" not in said
