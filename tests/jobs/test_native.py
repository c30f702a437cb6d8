"""Jobs on Django's own backend, without the engine: `atomic()` is the transaction of the request and of the task."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.forks import python

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, db_kind: str) -> Any:
    if db_kind != "sqlite":
        pytest.skip("The native site is SQLite's; make crash-jobs ARGS=--native has the servers.")
    folder = tmp_path_factory.mktemp("native")
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/site.sqlite3", "OPTIONS": {"timeout": 20}}
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "proofs.jobs.site",
        "JOBS_PROOF_FOLDER": str(folder),
        "JOBS_PROOF_URI": f"sqlite:{folder}/storm.sqlite3",
        "JOBS_PROOF_NATIVE": json.dumps(database),
    }
    done = python("-m", "tests.jobs.native_site", cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_is_djangos_own_backend(found: Any) -> None:
    assert found["backend"] == "django.db.backends.sqlite3"


def test_the_job_of_a_committed_block_runs_and_of_others_there_is_none(found: Any) -> None:
    assert found["jobs"].keys() == {"committed", "failed", "lost", "step"}
    assert found["jobs"]["committed"] == "SUCCESSFUL"
    assert "committed" in found["effects"]


def test_a_task_that_fails_leaves_what_its_steps_have_committed_and_nothing_else(found: Any) -> None:
    assert (found["jobs"]["failed"], found["jobs"]["step"]) == ("FAILED", "FAILED")
    assert {"failed", "step, second"}.isdisjoint(found["effects"])
    assert "step" in found["effects"]


def test_a_job_that_another_worker_was_given_commits_nothing(found: Any) -> None:
    assert found["jobs"]["lost"] == "RUNNING"
    assert "lost" not in found["effects"]


def test_nothing_is_left_open(found: Any) -> None:
    assert found["effects"] == ["committed", "step"]
    assert not found["in a block"]
