"""A real Redis, for as long as the tests of this folder run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches

SECONDS_TO_START = 20


@pytest.fixture(autouse=True)
def forgotten_reports() -> None:
    """No test sees what another one's jobs have reported."""
    caches["jobs"].clear()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[subprocess.Popen[bytes]]:
    if shutil.which("redis-server") is None:
        pytest.skip("The program redis-server is not installed.")
    with serving(Path(os.environ["TEST_FOLDER"], "redis.socket")) as process:
        yield process


@pytest.fixture
def redis(redis_server: Any) -> Iterator[Any]:
    import django_rq

    connection = django_rq.get_connection()
    connection.flushall()
    yield connection


@contextmanager
def serving(socket: Path) -> Iterator[subprocess.Popen[bytes]]:
    options = {"port": "0", "unixsocket": str(socket), "save": "", "dir": os.environ["TEST_FOLDER"]}
    command = ["redis-server", *(word for name, value in options.items() for word in (f"--{name}", value))]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            _wait_for(socket, process)
            yield process
        finally:
            process.terminate()


def _wait_for(socket: Path, process: subprocess.Popen[bytes]) -> None:
    import time

    import redis as client

    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            client.Redis(unix_socket_path=str(socket)).ping()
            return
        except client.ConnectionError:
            assert process.poll() is None and time.monotonic() < deadline, "Redis did not start."
            time.sleep(0.02)
