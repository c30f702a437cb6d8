"""A plain store that tests use with its real database is warned of, once, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connections

from djintegrate.storm_backend import conf
from djintegrate.storm_backend.stores import in_tests
from tests.support.forks import python

ROOT = Path(__file__).resolve().parents[3]
SITE = """
import sys
from django.conf import settings
from django.core.management import execute_from_command_line

settings.configure(
    STORM_STORES={"main": "sqlite:%(folder)s/main.sqlite3", "archive": "sqlite:%(folder)s/%(file)s"},
    DATABASES={"default": {"ENGINE": "djintegrate.storm_backend", "NAME": "main"}},
    INSTALLED_APPS=["djintegrate.storm_backend"],
    MIDDLEWARE=["djintegrate.storm_backend.middleware.ZopeTransactionMiddleware"],
    SECRET_KEY="of no site",
)
execute_from_command_line(sys.argv)
"""
TESTS = """
from threading import Thread
from django.test import TestCase
from djintegrate.storm_backend import get_store

class Tests(TestCase):
    def test_both_threads_use_it(self):
        get_store("archive")
        thread = Thread(target=get_store, args=["archive"])
        thread.start()
        thread.join()
"""
WARNING = "Tests use the real database of the store 'archive', sqlite:"


def said_by(folder: Path, *arguments: str, file: str = "archive.sqlite3") -> str:
    (folder / "manage.py").write_text(SITE % {"folder": folder, "file": file})
    (folder / "tests.py").write_text(TESTS)
    done = python("manage.py", *arguments, cwd=folder, env={"PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_it_is_warned_of_once_and_says_which_database_it_is(tmp_path: Path) -> None:
    said = said_by(tmp_path, "test")
    assert said.count(WARNING) == 1
    assert f"{tmp_path}/archive.sqlite3" in said and "docs/how-to/testing.md, Plain stores" in said


def test_a_database_that_is_called_a_tests_is_not(tmp_path: Path) -> None:
    assert "real database" not in said_by(tmp_path, "test", file="test-archive.sqlite3")


def test_without_test_databases_it_is_not(tmp_path: Path) -> None:
    use = "from djintegrate.storm_backend import get_store; get_store('archive')"
    assert "real database" not in said_by(tmp_path, "shell", "-c", use)


@pytest.mark.django_db
def test_the_password_is_not_said(caplog: pytest.LogCaptureFixture) -> None:
    assert any(map(in_tests.has_test_database, connections.settings.values()))
    in_tests.warn_of_real_database(conf.StoreSettings("warned", "postgres://ann:secret@host/archive"))
    assert "postgres://ann:***@host/archive" in caplog.text and "secret" not in caplog.text
