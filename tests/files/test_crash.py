"""Processes that are killed while they write rows and files: a few, where `make crash-files` has hundreds."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from proofs.files_crash.steps import STEPS, WHERE

KILLS = 12


def test_after_kills_and_files_recover_rows_and_files_agree(db_kind: str) -> None:
    if db_kind == "mysql":
        pytest.skip("The run is on SQLite and PostgreSQL.")
    done = subprocess.run(
        [sys.executable, "-m", "proofs.files_crash", "--db", db_kind, "--kills", str(KILLS), "--seed", "5"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"(\d+) kills, (\d+) rows compared, 0 differences", done.stdout)
    assert found, done.stdout
    assert int(found[1]) >= KILLS
    assert int(found[2]) > 0


@pytest.mark.parametrize("step", WHERE)
def test_each_step_is_there(step: str) -> None:
    owner, name = WHERE[step]
    assert callable(getattr(owner, name))
    assert {f"before {step}", f"after {step}"} <= set(STEPS)
