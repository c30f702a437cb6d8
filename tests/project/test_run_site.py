"""`make run` with a database that it cannot use: it says what is wrong and what to do, and shows no traceback."""

from __future__ import annotations

import os
import urllib.parse
from pathlib import Path

import pytest

from tests.support.forks import python
from tests.support.sample_site import ROOT, environment, free_port
from tools import site_database

MAKE, ACCOUNT = "Make that database", "Write the user and the password of an account"
START, FILE = "Start the server", "Name a file in DATABASE_URL"


def run(uri: str, folder: Path) -> str:
    """What it says last, once it has ended by itself. PATH leads to no Node, and so to no build."""
    variables = {"PORT": str(free_port()), "DATABASE_URL": uri, "SITE_FOLDER": str(folder), "PATH": "/nowhere"}
    done = python("-m", "tools.run_site", cwd=ROOT, env=environment(variables))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stdout + done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("nonsense", "it has no scheme"),
        ("oracle://u:secret@x/y", "has the scheme 'oracle'. Storm knows: sqlite, postgres, mysql."),
        ("postgres://u:secret@127.0.0.1:abc/x", "the port is not a number"),
        ("sqlite:x.sqlite3?journal=wal", "unknown option 'journal'"),
    ],
)
def test_a_uri_that_cannot_be_read_is_told_in_a_line(uri: str, said: str, tmp_path: Path) -> None:
    [line] = run(uri, tmp_path).splitlines()
    assert line.startswith("The site cannot start. ")
    assert said in line


@pytest.mark.parametrize(
    ("uri", "to_do"),
    [
        ("sqlite:{folder}/none/x.sqlite3", FILE),
        ("sqlite:{folder}", FILE),
        ("postgres://u:secret@127.0.0.1:1/x", START),
    ],
)
def test_a_database_that_cannot_be_reached_comes_with_its_remedy(uri: str, to_do: str, tmp_path: Path) -> None:
    said = run(uri.format(folder=tmp_path), tmp_path).splitlines()
    assert said[0].startswith("Cannot use ")
    assert said[-1].startswith(to_do)
    assert "the store" not in said[0]


def test_a_server_without_the_database_or_the_account_comes_with_its_remedy(db_kind: str, tmp_path: Path) -> None:
    if db_kind == "sqlite":
        pytest.skip("A file has no server.")
    uri = urllib.parse.urlsplit(os.environ[f"TEST_{db_kind.upper()}_URI"])
    stranger = uri._replace(netloc=f"nobody:secret@{uri.hostname}:{uri.port}")
    for wrong, to_do in ((uri._replace(path="/missing"), MAKE), (stranger, ACCOUNT)):
        said = run(wrong.geturl(), tmp_path).splitlines()
        assert said[-1].startswith(to_do), said
        # The driver's words alone: neither its number, nor the store, of which the site has one.
        assert "(1" not in said[0] and "the store" not in said[0], said


@pytest.mark.parametrize(
    ("said", "to_do"),
    [
        ('FATAL:  database "x" does not exist', MAKE),
        ("Unknown database 'x'", MAKE),
        ('FATAL:  role "nobody" does not exist', ACCOUNT),
        ('FATAL:  password authentication failed for user "nobody"', ACCOUNT),
        ("Access denied for user 'nobody'@'127.0.0.1' (using password: YES)", ACCOUNT),
        ("permission denied for schema public", ACCOUNT),
        ("Connection refused", START),
        ("Can't connect to server on '127.0.0.1' (115)", START),
        ("failed to resolve host 'nohost.invalid'", START),
        ("unable to open database file", FILE),
        ("disk full", "Put that right"),
    ],
)
def test_the_remedy_fits_what_the_database_said(said: str, to_do: str) -> None:
    assert site_database.remedy(said).startswith(to_do)


def test_a_place_is_named_as_its_database_is_and_without_a_password() -> None:
    for uri, place in (
        ("postgresql://u:secret@db:5433/x", "PostgreSQL, x at db:5433"),
        ("mysql://u:secret@localhost/x", "MariaDB, x at localhost"),
        ("postgres:x", "PostgreSQL, x at a local socket"),
        ("sqlite:/a/x.sqlite3?timeout=20", "SQLite, /a/x.sqlite3"),
    ):
        assert site_database.place(site_database.location(uri)) == place
