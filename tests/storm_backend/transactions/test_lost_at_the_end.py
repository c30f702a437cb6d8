"""A script that commits nothing loses what both ORMs wrote: the log says so when its process or thread ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.forks import python

SCRIPT = """
import sys, threading
import django
from django.conf import settings
settings.configure(
    STORM_STORES={"main": "sqlite:" + sys.argv[1]},
    DATABASES={"default": {"ENGINE": "djintegrate.storm_backend", "NAME": "main"}},
    INSTALLED_APPS=["djintegrate.storm_backend"],
)
django.setup()
import transaction
from django.db import connection
from djintegrate.storm_backend import get_store
from storm.locals import Int

class Thing:
    __storm_table__ = "thing"
    id = Int(primary=True)

connection.cursor().execute("CREATE TABLE thing (id INTEGER PRIMARY KEY)")

def pending():
    get_store("main").add(Thing())

def written():
    pending()
    get_store("main").flush()

def committed():
    written()
    transaction.commit()

def aborted():
    written()
    transaction.abort()

def begun():
    transaction.begin()
    connection.cursor().execute("INSERT INTO thing (id) VALUES (1)")

def read():
    list(get_store("main").find(Thing))

work = globals()[sys.argv[2]]
if sys.argv[3] == "thread":
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
else:
    work()
print("done")
"""


@pytest.mark.parametrize("where", ["process", "thread"])
@pytest.mark.parametrize(
    ("work", "is_lost"),
    [("written", True), ("pending", True), ("begun", True), ("committed", False), ("aborted", False), ("read", False)],
)
def test_what_is_lost_is_said(work: str, is_lost: bool, where: str, tmp_path: Path) -> None:
    done = python("-c", SCRIPT, tmp_path / "site.sqlite3", work, where)
    assert (done.returncode, done.stdout) == (0, "done\n")
    said = "What was written to the store 'main' is lost, by Storm and by Django"
    assert done.stderr.count(said) == is_lost
    assert is_lost or done.stderr == ""
