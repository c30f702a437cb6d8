"""A job that cannot be done now is put off: the same job, with the same owner, says when it runs again and why."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from djintegrate.jobs import catalogue, leases, reports, running, worker
from djintegrate.jobs.models import Job
from djintegrate.jobs.tasks import task_finished, task_started
from tests.jobs import tasks
from tests.jobs.helpers import JOBS, names, only_row, work
from tests.jobs.test_outbox import work as work_of_rq

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*JOBS, pytest.mark.urls("tests.jobs.urls")]


@pytest.fixture
def ada(settings: Any) -> User:
    settings.LOGIN_URL = "login"
    ada = User.objects.create_user("ada")
    settings.JOBS_OWNER = lambda: ada
    return ada


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    """What a worker of `jobs run` writes of each job."""
    caplog.set_level(logging.INFO)
    task_started.connect(worker._note_start)
    task_finished.connect(worker._say_end)
    with worker.only_news():
        loggers = ("djintegrate.jobs", "django.tasks", "django_tasks")
        yield lambda: [record.getMessage() for record in caplog.records if record.name in loggers]
    task_started.disconnect(worker._note_start)
    task_finished.disconnect(worker._say_end)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def hurry() -> None:
    """As if the pause were over."""
    DBTaskResult.objects.filter(status="READY").update(run_after=timezone.now() - timedelta(seconds=1))


def test_it_is_the_same_job_that_waits_and_nothing_of_this_run_is_kept(ada: User) -> None:
    job = tasks.put_off.enqueue(5)
    work()
    row = only_row()
    assert (str(row.pk), row.status) == (job.id, "READY")
    assert timedelta(minutes=9) < row.run_after - timezone.now() <= timedelta(minutes=10)
    assert names() == []
    known = catalogue.find(job.id)
    assert known is not None and known.is_of(ada) and known.word == "later" and not known.is_finished


def test_its_page_says_when_and_why_and_what_is_inside_only_to_staff(ada: User) -> None:
    job = tasks.put_off.enqueue(5)
    work()
    again = timezone.localtime(only_row().run_after)
    client = client_of(ada)
    for path in (f"/jobs/{job.id}/", "/jobs/"):
        page = client.get(path).content.decode()
        assert "Will try again at" in page and f"{again:%H:%M:%S}" in page and "It is too early." in page
        assert "the inside" not in page
    status = client.get(f"/jobs/{job.id}/status/").json()
    assert (status["state"], status["message"], status["error"]) == ("later", "It is too early.", "")
    ada.is_staff = True
    ada.save()
    ada.user_permissions.add(Permission.objects.get(codename="view_job"))
    assert client.get(f"/jobs/{job.id}/status/").json()["error"] == "ConnectionError: the inside"
    assert b"ConnectionError: the inside" in client.get(f"/jobs/{job.id}/").content


def test_the_list_and_the_log_say_it_too(lines: Any, capsys: pytest.CaptureFixture[str]) -> None:
    job = tasks.put_off.enqueue(5)
    work()
    call_command("jobs", "list")
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{job.id}  later ") and line.endswith("ConnectionError: the inside")
    assert "Will try again at" in line
    [said] = lines()
    assert said.startswith(f"put off {job.id}: put off after ") and said.endswith(": ConnectionError: the inside")


def test_the_log_says_of_a_stopped_job_no_more_than_its_words(lines: Any, caplog: pytest.LogCaptureFixture) -> None:
    job = tasks.stop_with.enqueue("Good night.")
    work()
    [said] = lines()
    assert said.startswith(f"stop with {job.id}: stopped after ") and said.endswith(" s: Good night.")
    assert "Traceback" not in caplog.text


def test_the_log_says_that_a_job_runs_again(lines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "LONGEST_PAUSE", 0)
    monkeypatch.setattr(tasks, "failures_left", 1)
    job = tasks.fail_a_few_times.enqueue("it")
    work()
    again, done = lines()
    assert again == f"fail a few times {job.id}: runs again after Retryable: once more"
    assert done.startswith(f"fail a few times {job.id}: done in ")


def test_the_log_says_that_another_worker_has_a_job(lines: Any) -> None:
    job = tasks.lose.enqueue("taken")
    work()
    [said] = lines()
    assert said.startswith(f"lose {job.id}: another worker has it after ")


def test_each_job_has_one_line_and_one_that_fails_its_traceback_for_those_who_watch_errors(
    lines: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Django's tasks, in Django itself from 6.0 on, have lines of their own."""
    done, failed = tasks.add.enqueue("it"), tasks.fail.enqueue("another")
    work()
    [first, traceback, last] = lines()
    assert first.startswith(f"add {done.id}: done in ")
    assert traceback.startswith(f"Task id={failed.id}") and "ValueError: another cannot be done" in caplog.text
    assert last.startswith(f"fail {failed.id}: failed after ")


def test_after_the_last_pause_it_fails_with_what_was_in_the_way(lines: Any) -> None:
    job = tasks.put_off.enqueue(2)
    for attempts in (1, 2, 3):
        work()
        known = catalogue.find(job.id)
        assert known is not None and known.attempts == attempts
        hurry()
    assert (known.state, known.error) == ("FAILED", "ConnectionError: the inside")
    ends = [line.split(": ")[1].split(" after ")[0] for line in lines() if not line.startswith("Task id=")]
    assert ends == ["put off", "put off", "failed"]
    assert names() == []


def test_it_can_be_stopped_and_run_again_from_the_beginning() -> None:
    job = tasks.put_off.enqueue(1)
    work()
    catalogue.stop(_known(job.id))
    assert _known(job.id).word == "stopped"
    catalogue.retry(_known(job.id))
    hurry()
    work()
    assert (_known(job.id).word, _known(job.id).attempts) == ("later", 1)


def test_one_that_was_asked_to_stop_meanwhile_is_stopped(lines: Any) -> None:
    job = tasks.put_off.enqueue(5)
    reports.ask_to_stop(job.id)
    work()
    assert (_known(job.id).word, _known(job.id).words) == ("stopped", "It is too early.")
    [said] = lines()
    assert "stopped after" in said


def test_one_that_another_worker_has_is_that_ones(lines: Any) -> None:
    job = tasks.lose_and_put_off.enqueue()
    work()
    assert (only_row().status, only_row().worker_ids[-1]) == ("RUNNING", "another")
    [said] = lines()
    assert said.startswith(f"lose and put off {job.id}: another worker has it after ")


def test_attempts_that_ended_well_do_not_count_as_killed_workers(settings: Any) -> None:
    settings.JOBS_ATTEMPTS = 1
    tasks.put_off.enqueue(5)
    for _ in range(2):
        work()
        hurry()
    assert only_row().worker_ids == []
    only_row().claim("jobs-gone.0")
    assert str(leases.give_back_of("default", "jobs-gone.0").failed) == "1"


def test_conflicts_before_it_was_put_off_count_as_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "LONGEST_PAUSE", 0)
    monkeypatch.setattr(tasks, "failures_left", 1)
    job = tasks.conflict_and_put_off.enqueue()
    work()
    assert (_known(job.id).word, _known(job.id).attempts) == ("later", 2)
    assert only_row().worker_ids == []


def test_called_without_a_worker_it_says_what_was_in_the_way() -> None:
    with pytest.raises(ConnectionError, match="the inside"):
        tasks.put_off.call(5)


def test_a_job_of_the_outbox_is_sent_once_more_under_its_own_id(ada: User, redis: Any) -> None:
    job = tasks.put_off.using(backend="outbox").enqueue(5)
    first = Job.objects.get().inner_id
    work_of_rq()
    row = Job.objects.get()
    assert str(row.pk) == job.id and row.inner_id not in ("", first)
    known = _known(job.id)
    assert (known.word, known.attempts) == ("later", 1) and known.is_of(ada)
    assert known.put_off is not None and known.put_off.reason == "It is too early."
    assert names() == []


def test_a_job_that_is_to_begin_later_does_not_wait_for_a_worker(ada: User) -> None:
    job = tasks.add.using(run_after=timezone.now() + timedelta(days=2)).enqueue("it")
    status = client_of(ada).get(f"/jobs/{job.id}/status/").json()
    assert status["state"] == "later"
    assert status["label"].startswith("Will begin at ")


def _known(job_id: str) -> catalogue.Known:
    found = catalogue.find(job_id)
    assert found is not None
    return found
