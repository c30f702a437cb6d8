"""The driver is Django's choice, for both ORMs; without one the message says what to install."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

SCRIPT = """
import json, sys
for driver in {missing!r}:
    sys.modules[driver] = None
import django
from django.conf import settings
settings.configure(
    STORM_STORES={{"main": {uri!r}}},
    DATABASES={{"default": {{"ENGINE": "djintegrate.storm_backend", "NAME": "main"}}}},
    INSTALLED_APPS=["djintegrate.storm_backend"],
)
django.setup()
from django.core.checks import run_checks
from django.db import connection
from djintegrate.storm_backend.stores.borrowed import storm_classes
print(json.dumps([
    connection.Database.__name__,
    storm_classes(connection.vendor)[0]._exception_module.__name__,
    [message.id for message in run_checks()],
]))
"""


@pytest.mark.parametrize(("used", "missing"), [("psycopg", []), ("psycopg", ["psycopg2"]), ("psycopg2", ["psycopg"])])
def test_storm_uses_the_driver_that_django_picks(used: str, missing: list[str]) -> None:
    pytest.importorskip(used, exc_type=ImportError)
    assert json.loads(run(missing, "postgres:///db").stdout) == [used, used, []]


def test_without_a_driver_for_postgresql_the_first_model_says_what_to_install() -> None:
    done = run(["psycopg", "psycopg2"], "postgres:///db")
    last = done.stderr.strip().splitlines()[-1]
    for fragment in ("import of psycopg halted", "import of psycopg2 halted", 'pip install "djintegrate[postgresql]"'):
        assert fragment in last


def test_without_a_driver_for_mariadb_the_first_model_says_what_to_install() -> None:
    assert 'pip install "djintegrate[mysql]"' in run(["MySQLdb"], "mysql://host/db").stderr.strip().splitlines()[-1]


def run(missing: list[str], uri: str) -> subprocess.CompletedProcess[str]:
    command: list[Any] = [sys.executable, "-c", SCRIPT.format(missing=missing, uri=uri)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)
