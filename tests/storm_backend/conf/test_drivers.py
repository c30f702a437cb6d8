"""The driver is Django's choice, for both ORMs; without one the message says what to install."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.support.forks import python

SETTINGS = """
import json, sys
for driver in {missing!r}:
    sys.modules[driver] = None
import django
from django.conf import settings
settings.configure(
    STORM_STORES={{"main": {uri!r}}},
    DATABASES={{"default": {{"ENGINE": "djintegrate.storm_backend", "NAME": "main"}}}},
    INSTALLED_APPS=["djintegrate.storm_backend", "django.contrib.auth", "django.contrib.contenttypes"],
    MIDDLEWARE=["djintegrate.storm_backend.middleware.ZopeTransactionMiddleware"],
)
django.setup()
"""
WITH_DRIVER = """
from django.core.checks import run_checks
from django.db import connection
from djintegrate.storm_backend.stores.borrowed import storm_classes
print(json.dumps([
    connection.Database.__name__,
    storm_classes(connection.vendor)[0]._exception_module.__name__,
    [message.id for message in run_checks()],
]))
"""
WITHOUT_DRIVER = """
from django.contrib.auth.models import User
from django.core.checks import run_checks
[message] = run_checks()
assert message.id == "storm_backend.E003", message
print(json.dumps(f"{message.msg} {message.hint}"))
User.objects.first()
"""


@pytest.mark.parametrize(("used", "missing"), [("psycopg", []), ("psycopg", ["psycopg2"]), ("psycopg2", ["psycopg"])])
def test_storm_uses_the_driver_that_django_picks(used: str, missing: list[str]) -> None:
    pytest.importorskip(used, exc_type=ImportError)
    assert json.loads(run(missing, "postgres:///db").stdout) == [used, used, []]


@pytest.mark.parametrize("uri", ["postgres:///db", "postgres:///db?isolation=serializable"])
def test_without_a_driver_for_postgresql_a_check_and_who_connects_say_what_to_install(uri: str) -> None:
    for said in said_without(["psycopg", "psycopg2"], uri):
        for fragment in ("import of psycopg halted", "import of psycopg2 halted", "djintegrate[postgresql]"):
            assert fragment in said


def test_without_a_driver_for_mariadb_a_check_and_who_connects_say_what_to_install() -> None:
    for said in said_without(["MySQLdb"], "mysql://host/db"):
        assert 'pip install "djintegrate[mysql]"' in said


def said_without(missing: list[str], uri: str) -> tuple[str, str]:
    """What the one check says, and the error of who connects without having asked it."""
    done = run(missing, uri, WITHOUT_DRIVER)
    return json.loads(done.stdout), done.stderr.strip().splitlines()[-1]


def run(missing: list[str], uri: str, then: str = WITH_DRIVER) -> subprocess.CompletedProcess[str]:
    script = SETTINGS.format(missing=missing, uri=uri) + then
    return python("-c", script)
