"""A request that uses one store costs the same beside fifteen others, that it does not use, as alone."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.settings import DB
from tests.support.forks import python

pytestmark = pytest.mark.skipif(DB != "sqlite", reason="What is counted is the same on every database.")

EACH = 50
"""Calls for a connection that the thread has, and the request does not use: of some 800 for the request."""

SCRIPT = """
import io, json, os, sys
import django
from django.conf import settings
from django.http import HttpResponse
from django.urls import path
configuration = json.loads(sys.argv[1])
names = [f"store{number}" for number in range(configuration["stores"])]
aliases = ["default", *names[1:]]
native = configuration["engine"] == "native"
files = {name: f"{configuration['folder']}/{name}.sqlite3" for name in names}

def alias(name):
    if native:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": files[name]}
    return {"ENGINE": "djintegrate.storm_backend", "NAME": name}

def view(request):
    for _ in range(3):
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO seams (number) VALUES (1)")
    if not native and configuration["storm"]:
        get_store("store0").execute("SELECT count(*) FROM seams").get_one()
    return HttpResponse("done")

urlpatterns = [path("", view)]
settings.configure(
    STORM_STORES={} if native else {name: f"sqlite:{file}" for name, file in files.items()},
    DATABASES={alias_: alias(name) for alias_, name in zip(aliases, names)},
    INSTALLED_APPS=[],
    MIDDLEWARE=[] if native else ["djintegrate.storm_backend.middleware.ZopeTransactionMiddleware"],
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="x",
)
django.setup()
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, connections
if not native:
    from djintegrate.storm_backend import get_store
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE IF NOT EXISTS seams (number INTEGER)")
if configuration["used before"]:
    for alias_ in aliases:
        connections[alias_].cursor().close()
handler = WSGIHandler()

def visit():
    environment = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "CONTENT_LENGTH": "0", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr,
    }
    statuses = []
    response = handler(environment, lambda status, headers, error=None: statuses.append(status))
    list(response)
    response.close()
    assert statuses == ["200 OK"], statuses

for _ in range(5):
    visit()
count = 0

def note(frame, event, argument):
    global count
    count += event in ("call", "c_call")

sys.setprofile(note)
visit()
sys.setprofile(None)
print(count)
"""


def calls(folder: Path, stores: int, used_before: bool, storm: bool = True, engine: str = "storm") -> int:
    """How many calls of Python's one request takes."""
    configuration = {
        "stores": stores,
        "used before": used_before,
        "storm": storm,
        "engine": engine,
        "folder": str(folder),
    }
    done = python(
        *("-W", "ignore", "-c", SCRIPT, json.dumps(configuration)),
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.parametrize("storm", [False, True], ids=["by Django", "by both ORMs"])
def test_others_that_are_only_configured_cost_nothing(storm: bool, tmp_path: Path) -> None:
    """Django itself asks for each configured connection where a request begins and where it ends."""
    natively = calls(tmp_path, 16, False, engine="native") - calls(tmp_path, 1, False, engine="native")
    alone = calls(tmp_path, 1, used_before=False, storm=storm)
    beside = calls(tmp_path, 16, used_before=False, storm=storm)
    assert beside - natively <= alone * 1.05, (
        f"{alone} calls with one store, {beside} with 16; {natively} are Django's."
    )


@pytest.mark.parametrize("storm", [False, True], ids=["by Django", "by both ORMs"])
def test_others_that_are_connected_cost_little_more_than_natively(storm: bool, tmp_path: Path) -> None:
    """Each connection of the thread looks as if its transaction had begun, since any may be used next."""
    natively = calls(tmp_path, 16, True, engine="native") - calls(tmp_path, 1, True, engine="native")
    alone = calls(tmp_path, 1, used_before=True, storm=storm)
    beside = calls(tmp_path, 16, used_before=True, storm=storm)
    each = (beside - natively - alone) / 15
    assert each <= EACH, f"{alone} calls with one store, {beside} with 16; {natively} are Django's."
