"""pytest-xdist gives each worker a test database by pytest-django's suffix: on the engine the same as natively."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.forks import python

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import sys
import django
from django.conf import settings
engine, given = sys.argv[1:3]
file = {name: f"sqlite:{sys.argv[3]}/{name}.sqlite3" for name in ("main", "second")}
names = dict(zip(file, file)) if engine == "djintegrate.storm_backend" else {n: f[7:] for n, f in file.items()}
test = {} if given == "nothing" else {"TEST": {"NAME": given}}
settings.configure(
    STORM_STORES=file,
    DATABASES={
        "default": {"ENGINE": engine, "NAME": names["main"], **test},
        "second": {"ENGINE": engine, "NAME": names["second"]},
    },
    INSTALLED_APPS=["djintegrate.storm_backend", "django.contrib.contenttypes"],
)
django.setup()
from django.db import connections
from pytest_django.fixtures import _set_suffix_to_test_databases
_set_suffix_to_test_databases("gw1")
for alias in connections:
    connection = connections[alias]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    connection.cursor().execute("SELECT 1")
    print(connection.settings_dict["NAME"])
"""


@pytest.mark.parametrize("given", ["nothing", ":memory:", "file"])
def test_the_test_databases_of_a_worker_are_those_of_native_django(given: str, tmp_path: Path) -> None:
    name = str(tmp_path / "test.sqlite3") if given == "file" else given
    said = {}
    for engine in ("djintegrate.storm_backend", "django.db.backends.sqlite3"):
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = python("-c", SCRIPT, engine, name, tmp_path, cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stderr
        said[engine] = done.stdout
    assert said["djintegrate.storm_backend"] == said["django.db.backends.sqlite3"]
    assert ("test.sqlite3_gw1" in said["djintegrate.storm_backend"]) == (given == "file")
