"""A job belongs to its owner where people's keys are UUIDs: JSON has texts for those, and the outbox a foreign key."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.forks import python

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, db_kind: str, redis_server: Any) -> Any:
    if db_kind != "sqlite":
        pytest.skip("The site is SQLite's.")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO")}
    arguments = [f"{os.environ['TEST_FOLDER']}/redis.socket", str(tmp_path_factory.mktemp("uuid"))]
    program = "from tests.jobs.uuid_site import main; main()"
    done = python("-c", program, *arguments, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("backend", ["default", "outbox"])
def test_the_owner_sees_lists_and_stops_the_job_and_nobody_else_does(found: Any, backend: str) -> None:
    assert found["is a uuid"]
    assert found["kept"][backend]
    assert found["owner"][backend] == [200, 200, True, 302]
    assert found["other"][backend] == [404, 404, False, 404]
