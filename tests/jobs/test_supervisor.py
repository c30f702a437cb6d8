"""What `jobs run` does when the database is away for a while. The real processes are in test_command.py."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from contextlib import closing
from typing import Any

import pytest
from django.db import OperationalError, connection

from djintegrate.jobs import conf, examination, leases
from djintegrate.jobs.models import Lease
from djintegrate.jobs.supervisor import Supervisor
from tests.jobs import tasks
from tests.jobs.helpers import JOBS, only_row

pytest_plugins = ["tests.support.fixtures"]
pytestmark = JOBS


def test_what_a_worker_left_is_given_back_when_the_database_answers_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database that is away is played: a real one that goes and comes back is in proofs/jobs."""
    said: list[str] = []
    asked: list[str] = []

    def give_back_of(backend_name: str, worker: str) -> leases.Left:
        asked.append(worker)
        if len(asked) == 1:
            raise OperationalError("gone for a moment")
        return leases.Left(given_back=1)

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


def test_that_sqlite_is_locked_is_said_once_and_only_if_it_lasts(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    supervisor = Supervisor("default", workers=0, grace=0, reload=False, say=said.append)
    lease = leases.take("default")

    def refuse(lease: Lease) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(leases, "renew", refuse)
    for _ in range(3):
        supervisor._look_after(lease)
    assert said == []
    settings.JOBS_LEASE_SECONDS = 3
    supervisor._locked_since = time.monotonic() - 5
    for _ in range(3):
        supervisor._look_after(lease)
    [line] = said
    assert line.startswith("For 5 s nobody could write to the database") and "jobs.step()" in line


def test_on_sqlite_it_gives_way_to_others_that_write_and_comes_again(db_kind: str) -> None:
    if db_kind != "sqlite":
        pytest.skip("Elsewhere several write at once.")
    supervisor = Supervisor("default", workers=0, grace=0, reload=False, say=print)
    lease = leases.take("default")
    supervisor._renew(lease)
    supervisor._renewed = time.monotonic() - conf.lease_seconds() / 2.5
    timeout = _busy_timeout()
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        supervisor._look_after(lease)
        assert time.monotonic() - began < 1 < timeout
        assert supervisor._is_due()
    assert _busy_timeout() == timeout
    supervisor._look_after(lease)
    assert not supervisor._is_due()


def _busy_timeout() -> float:
    with connection.cursor() as cursor:
        [milliseconds] = cursor.execute("PRAGMA busy_timeout").fetchone()
    return float(milliseconds) / 1000


def test_a_job_that_has_killed_too_many_workers_is_not_said_to_be_given_back(settings: Any) -> None:
    settings.JOBS_ATTEMPTS = 2
    said: list[str] = []
    supervisor = Supervisor("default", workers=0, grace=0, reload=False, say=said.append)
    tasks.add.enqueue("it")
    for number in range(2):
        only_row().claim(f"jobs-x.{number}")
        supervisor._ended.append(f"jobs-x.{number}")
        supervisor._give_back_ended()
    assert said == ["1 job of jobs-x.0: given back.", "1 job of jobs-x.1: failed, having killed 2 workers."]
    assert only_row().status == "FAILED"


class TestTheDoctor:
    def test_a_process_that_was_killed_does_not_run_jobs(self) -> None:
        process = subprocess.Popen(["true"])
        process.wait()
        lease = leases.take("default")
        Lease.objects.update(pid=process.pid)
        findings = list(examination.examine())
        [dead] = [finding for finding in findings if f"process {process.pid}" in finding.said]
        assert not dead.is_well and "has been killed" in dead.said and "jobs run" in dead.remedy
        assert "Nobody runs them." in [finding.said for finding in findings]
        Lease.objects.filter(pk=lease.pk).update(host="another machine")
        assert f"Run by another machine, process {process.pid}: all queues of 'default'." in [
            each.said for each in examination.examine()
        ]

    def test_one_that_is_there_does(self) -> None:
        leases.take("default")
        assert any(finding.said.startswith("Run by ") for finding in examination.examine())


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
