"""The sample site as `make run` starts it, as a process of its own on the database under test."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def uri(tmp_path: Path, db_kind: str, django_db_blocker: Any) -> str:
    """A database of the site's own."""
    return new_database(tmp_path, db_kind, django_db_blocker)


def new_database(folder: Path, db_kind: str, django_db_blocker: Any, name: str = "sample_site") -> str:
    """Its URI. On a server, one of this name that is there goes."""
    if db_kind == "sqlite":
        return f"sqlite:{folder}/site.sqlite3"
    uri = urllib.parse.urlsplit(os.environ[f"TEST_{db_kind.upper()}_URI"])
    with django_db_blocker.unblock(), connections["default"]._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
    return uri._replace(path=f"/{name}").geturl()


@contextmanager
def serving(port: int, uri: str, folder: Path, **variables: str) -> Iterator[list[str]]:
    """Runs what `make run` runs. The list has what it said, line by line, once the site has ended."""
    said: list[str] = []
    chosen = {"PORT": str(port), "DATABASE_URL": uri, "SITE_FOLDER": str(folder), "PATH": "/nowhere", **variables}
    with (folder / "said").open("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tools.run_site"],
            cwd=ROOT, env=environment(chosen), start_new_session=True, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + 90
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() > deadline:
                        pytest.fail(f"The site did not come up:\n{(folder / 'said').read_text()}")
                    time.sleep(0.05)
            yield said
        finally:
            if process.poll() is None:
                # The whole group: the server that reloads itself is two processes.
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)
            log.seek(0)
            said += log.read().splitlines()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def environment(variables: dict[str, str]) -> dict[str, str]:
    """This process's, less what would tell the site of other settings than its own."""
    others = ("ALLOWED_HOSTS", "DATABASE_URL", "DEBUG", "DJANGO_SETTINGS_MODULE", "PORT", "SECRET_KEY", "SITE_FOLDER")
    return {name: value for name, value in os.environ.items() if name not in others} | variables
