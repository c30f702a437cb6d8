"""A few requests under an ASGI server, where `make asgi` has 500 at a time: connections and answers are counted."""

from __future__ import annotations

import subprocess
import sys

import pytest

from proofs.asgi.__main__ import UNAVAILABLE
from tools.run_tests import ROOT


def test_connections_are_as_many_as_threads_or_as_few_as_the_limit_says(db_kind: str) -> None:
    if db_kind != "postgres":
        pytest.skip("Starts a PostgreSQL server: part of the run on PostgreSQL.")
    command = [sys.executable, "-m", "proofs.asgi", "--server", "uvicorn", "--requests", "80", "--at-a-time", "30"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode == UNAVAILABLE:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "uvicorn, MAX_CONNECTIONS 20, 2 processes" in done.stdout
