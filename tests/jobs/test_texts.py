"""Whatever a task says is kept by every database, and shown readably: NULs and halves of surrogate pairs as well."""

from __future__ import annotations

import io
import sqlite3
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client

from djintegrate.jobs import catalogue, running, texts
from tests.jobs import tasks
from tests.jobs.helpers import JOBS, only_row, work
from tests.jobs.test_outbox import work as work_of_rq

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*JOBS, pytest.mark.urls("tests.jobs.urls")]

UNKEPT = "bad \0 and \udcff in line 3"
READABLE = r"bad \x00 and \udcff in line 3"


@pytest.fixture
def root(settings: Any) -> Client:
    root = User.objects.create_superuser("root")
    settings.JOBS_OWNER = lambda: root
    client = Client()
    client.force_login(root)
    return client


def listed() -> str:
    out = io.StringIO()
    call_command("jobs", "list", stdout=out)
    return out.getvalue()


def test_the_error_of_a_task_is_kept_and_shown(root: Client) -> None:
    job = tasks.fail_with.enqueue("builtins.ValueError", _escaped(UNKEPT))
    work()
    assert only_row().status == "FAILED" and len(only_row().worker_ids) == 1
    said = root.get(f"/jobs/{job.id}/status/").json()["error"]
    assert said == f"ValueError: {READABLE}"
    assert READABLE in root.get(f"/jobs/{job.id}/").content.decode()
    assert READABLE in listed()


def test_the_words_with_which_it_stops_are_kept_and_shown(root: Client) -> None:
    job = tasks.fail_with.enqueue("djintegrate.jobs.Stopped", _escaped(UNKEPT))
    work()
    assert root.get(f"/jobs/{job.id}/status/").json()["message"] == READABLE
    assert listed().endswith(f"  {READABLE}\n")


@pytest.mark.parametrize("kind", ["builtins.ValueError", "djintegrate.jobs.Stopped"])
def test_so_are_those_of_a_job_of_an_outside_queue(redis: object, kind: str) -> None:
    job = tasks.fail_with.using(backend="outbox").enqueue(kind, _escaped(UNKEPT))
    work_of_rq()
    known = catalogue.find(job.id)
    assert known is not None and known.state == "FAILED"
    assert READABLE in (known.words or known.error)


@pytest.mark.parametrize("fails", [False, True])
def test_its_progress_is_kept_and_shown(root: Client, fails: bool) -> None:
    job = tasks.say_escaped.enqueue(_escaped(UNKEPT), fails)
    work()
    assert only_row().args_kwargs["progress"]["message"] == READABLE
    assert READABLE in root.get(f"/jobs/{job.id}/status/").json()["message"]
    assert root.get(f"/jobs/{job.id}/").status_code == 200


def test_a_long_error_is_cut_in_the_list() -> None:
    tasks.fail_with.enqueue("builtins.ValueError", "long " * 1000)
    work()
    [line] = listed().splitlines()
    assert "ValueError: long long" in line and line.endswith(" …") and len(line) < 500


@pytest.mark.parametrize(
    ("path", "traceback", "line"),
    [
        ("builtins.ValueError", "Traceback …:\n  File …\nValueError: a\nb\n", "ValueError: a"),
        ("app.Refused", "Traceback …:\n  File …\napp.Refused\n", "app.Refused"),
        ("app.Refused", "app.Refused: first\n\nDuring …\n\napp.Refused: second\nmore", "app.Refused: second"),
        ("builtins.ExceptionGroup", "  + …\n  | ExceptionGroup: two (2 …)\n  +-- 1 --\n", "ExceptionGroup: two (2 …)"),
        ("app.Refused", "nothing that is known", "nothing that is known"),
        ("", "", ""),
    ],
)  # fmt: skip
def test_the_line_of_an_error_is_its_class_and_the_first_that_it_says(path: str, traceback: str, line: str) -> None:
    assert texts.error_line(path, traceback) == line


def test_an_error_of_the_database_is_said_by_its_first_line() -> None:
    job = tasks.ask.enqueue("SELECT nosuch FROM nowhere")
    work()
    known = catalogue.find(job.id)
    assert known is not None and "Error: " in known.error and "nowhere" in known.error


def test_an_error_that_stays_does_not_run_the_job_again(caplog: pytest.LogCaptureFixture) -> None:
    tasks.ask.enqueue("SELECT nosuch FROM nowhere")
    work()
    assert only_row().status == "FAILED"
    assert "runs again" not in caplog.text


@pytest.mark.parametrize(
    ("cause", "is_passing"),
    [
        (sqlite3.OperationalError("no such column: x"), False),
        (sqlite3.OperationalError("database is locked"), True),
        (type("OperationalError", (Exception,), {})(1054, "Unknown column 'x' in 'SELECT'"), False),
        (type("OperationalError", (Exception,), {})(1213, "Deadlock found"), True),
        (type("OperationalError", (Exception,), {})(2006, "Server has gone away"), True),
        (type("OperationalError", (Exception,), {})("the connection is closed"), True),
    ],
    ids=str,
)
def test_only_a_conflict_or_a_lost_connection_does(
    cause: Exception, is_passing: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise OperationalError(*cause.args) from cause

    attempts = []
    monkeypatch.setattr(running, "LONGEST_PAUSE", 0)
    with pytest.raises(OperationalError):
        running.run(lambda: (attempts.append(1), fail()))
    assert len(attempts) == (3 if is_passing else 1)


def _escaped(text: str) -> str:
    """As an argument, which may not have in it what the task says."""
    return ascii(text)[1:-1]
