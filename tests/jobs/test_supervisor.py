"""What `jobs run` does when the database is away for a while. The real processes are in test_command.py."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError

from djintegrate.jobs import leases
from djintegrate.jobs.models import Lease
from djintegrate.jobs.supervisor import Supervisor
from tests.jobs.helpers import JOBS

pytest_plugins = ["tests.support.fixtures"]
pytestmark = JOBS


def test_what_a_worker_left_is_given_back_when_the_database_answers_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database that is away is played: a real one that goes and comes back is in proofs/jobs."""
    said: list[str] = []
    asked: list[str] = []

    def give_back_of(backend_name: str, worker: str) -> int:
        asked.append(worker)
        if len(asked) == 1:
            raise OperationalError("gone for a moment")
        return 1

    monkeypatch.setattr(leases, "give_back_of", give_back_of)
    supervisor = Supervisor("default", workers=1, grace=0, reload=False, say=said.append)
    supervisor._workers[0] = _Ended("jobs-lease.0")  # type: ignore[assignment]
    lease = leases.take("default")
    monkeypatch.setattr(supervisor, "_start", lambda lease: supervisor._workers.setdefault(0, _Runs()))  # type: ignore[arg-type]
    for _ in range(3):
        supervisor._look_after(lease)
    assert asked == ["jobs-lease.0"] * 2
    assert said[-2:] == ["The database does not answer: gone for a moment", "1 job of jobs-lease.0: given back."]
    assert Lease.objects.exists()


class _Ended:
    """The worker's process, as it ends with the connection that was lost."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.process = self

    def poll(self) -> Any:
        return 1

    def age(self) -> float:
        return 3600


class _Runs(_Ended):
    def __init__(self) -> None:
        super().__init__("jobs-lease.1")

    def poll(self) -> Any:
        return None
