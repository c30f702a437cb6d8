"""A forked child that ends, in whatever way, leaves its parent's connections and open transaction alone.

The parent is a process of its own, which forks in the middle of a transaction, waits for the child, and goes on.
Where the driver lets a child end its parent's connection natively, too, that is not the engine's doing.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from djintegrate.storm_backend import get_store_uri
from tests.support.forks import python
from tests.support.helpers import TRANSACTIONS, Outside, native

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

ENDS = {
    "os._exit": "os._exit(0)",
    "sys.exit": "sys.exit(0)",
    "the end of a thread": "import threading; t = threading.Thread(target=int); t.start(); t.join(); os._exit(0)",
    "a garbage collection": "import gc; gc.collect(); os._exit(0)",
    "a thread that uses the connection's handler": "in_thread(connections.close_all); os._exit(0)",
}
SCRIPT = """
import json, os, sys, threading
import django
from django.conf import settings
configuration = json.loads(sys.argv[1])
settings.configure(INSTALLED_APPS=[], **configuration["settings"])
django.setup()
from django.db import connection, connections
from django.db.transaction import atomic

def add(name):
    connection.cursor().execute("INSERT INTO people_person (name) VALUES (%s)", [name])

def in_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

def fork():
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        exec(configuration["end"], globals())
        os._exit(0)
    os.waitpid(child, 0)

if configuration["engine"] == "native":
    begun = atomic
    add_too = add
else:
    import transaction
    from djintegrate.storm_backend import get_store

    def begun():
        return transaction.manager

    def add_too(name):
        get_store("main").execute("INSERT INTO people_person (name) VALUES (?)", [name], noresult=True)

def work():
    with begun():
        add("before by Django")
        add_too("before by Storm")
        fork()
        add("after by Django")
        add_too("after by Storm")
    # Once more, on the connection as it was left.
    fork()
    add("outside of a transaction")

def work_beside():
    # Another thread has a transaction open while the main thread forks.
    go_on, opened = threading.Event(), threading.Event()

    def beside():
        with begun():
            add("before by Django")
            add_too("before by Storm")
            opened.set()
            go_on.wait(30)
            add("after by Django")
            add_too("after by Storm")
        add("outside of a transaction")

    thread = threading.Thread(target=beside)
    thread.start()
    opened.wait(30)
    fork()
    fork()
    go_on.set()
    thread.join()

work() if configuration["thread"] == "the main thread" else work_beside()
"""
ADDED = ["after by Django", "after by Storm", "before by Django", "before by Storm", "outside of a transaction"]


def parent(engine: str, end: str, thread: str) -> str:
    """What a parent with this engine says about its fate."""
    if engine == "native":
        entry: dict[str, Any] = native("default")
        settings: dict[str, Any] = {"DATABASES": {"default": entry}}
    else:
        settings = {
            "STORM_STORES": {"main": get_store_uri("main")},
            "DATABASES": {"default": {"ENGINE": "djintegrate.storm_backend", "NAME": "main"}},
        }
    configuration = {"settings": settings, "engine": engine, "end": ENDS[end], "thread": thread}
    done = python(
        *("-W", "ignore", "-c", SCRIPT, json.dumps(configuration, default=str)),
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    return done.stderr


@pytest.mark.parametrize("thread", ["the main thread", "another thread"])
@pytest.mark.parametrize("end", ENDS)
def test_the_transaction_goes_on_and_is_committed(end: str, thread: str, outside: Outside) -> None:
    # SQLite's file is written by another process.
    for alias in connections:
        connections[alias].close()
    said = parent("storm", end, thread)
    found = outside.names()
    if found == ADDED and not said:
        return
    outside.rows("DELETE FROM people_person")
    natively = parent("native", end, thread)
    if natively:
        pytest.skip(f"So it is natively: {natively.strip().splitlines()[-1]}")
    assert (found, said) == (ADDED, "")
