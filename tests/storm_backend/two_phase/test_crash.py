"""Processes and servers that end in the middle of a two-phase commit: a few, where `make crash` has hundreds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from proofs.crash import __main__ as crash
from tools.servers import Server

KILLS, CRASHES = 12, 3


def test_after_kills_crashes_and_storm_indoubt_no_database_has_what_the_other_lacks(
    db_kind: str, server: Server | None
) -> None:
    if db_kind != "postgres":
        pytest.skip("Wants a PostgreSQL and a MariaDB server at once: part of the run on PostgreSQL.")
    environment = dict(os.environ)
    if server is not None:
        # It crashes servers of its own only.
        del environment["TEST_POSTGRES_URI"]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "proofs.crash",
            "--kills",
            str(KILLS),
            "--crashes",
            str(CRASHES),
            "--seed",
            "3",
        ],
        cwd=Path(__file__).parents[3],
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode == crash.UNAVAILABLE:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    kills, *crashes = [
        [int(count) for count in line.split()[-5:]] for line in done.stdout.splitlines() if line.startswith("in all")
    ]
    assert kills[0] == KILLS
    assert min(kills[1:4]) > 0
    assert kills[4] == 0
    if not {"TEST_POSTGRES_URI", "TEST_MYSQL_URI"} & set(environment):
        assert [(counts[0], counts[4]) for counts in crashes] == [(CRASHES, 0)]
