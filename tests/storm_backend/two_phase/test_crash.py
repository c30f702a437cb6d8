"""Processes and servers that end in the middle of a two-phase commit: a few, where `make crash` has hundreds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from proofs.crash import __main__ as crash
from tools.servers import Server

KILLS, CRASHES = 10, 2
COLUMNS = ("events", "in doubt", "apart at first", "committed", "rolled back", "DIFFER")


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
            *(["--db", "pgbouncer"] if os.environ["TEST_POOLER"] else []),
        ],
        cwd=Path(__file__).parents[3],
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode == crash.UNAVAILABLE:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    totals = [re.split(r"\s{2,}", line)[1:] for line in done.stdout.splitlines() if line.startswith("in all")]
    kills, *crashes = [dict(zip(COLUMNS, map(int, counts), strict=True)) for counts in totals]
    assert kills["events"] == KILLS
    assert min(kills["in doubt"], kills["committed"], kills["rolled back"]) > 0
    assert kills["DIFFER"] == 0
    assert len(tried(done.stdout)) > 2
    if not {"TEST_POSTGRES_URI", "TEST_MYSQL_URI"} & set(environment):
        assert [(counts["events"], counts["DIFFER"]) for counts in crashes] == [(CRASHES, 0)]


def tried(output: str) -> set[str]:
    """The forms of statement that a store in one phase was written by."""
    lines = output.partition("written by")[2].partition("\n\n")[0].splitlines()[1:]
    return {line.split(",")[0] for line in lines if int(line.split()[-4])}
