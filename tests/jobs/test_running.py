"""A task runs in one transaction, with both ORMs in it; and that it is done is part of that transaction."""

from __future__ import annotations

from typing import Any

import pytest
import transaction
from django.db import transaction as django_transaction
from django_tasks_db.models import DBTaskResult

from djintegrate import jobs
from djintegrate.jobs import catalogue, running
from tests.apps.people.models import Visit
from tests.jobs import tasks
from tests.jobs.helpers import JOBS, names, only_row, work
from tests.settings import DB
from tests.support.helpers import Oops

pytest_plugins = ["tests.support.fixtures"]
pytestmark = JOBS


class TestEnqueueing:
    def test_a_job_of_a_committed_transaction_runs(self) -> None:
        with transaction.manager:
            result = tasks.add.enqueue("it")
        work()
        result.refresh()
        assert (result.status, result.return_value) == ("SUCCESSFUL", "it")
        assert names() == ["it by Django", "it by Storm"]

    def test_a_job_of_an_aborted_transaction_does_not_exist(self) -> None:
        with pytest.raises(Oops), transaction.manager:
            tasks.add.enqueue("it")
            raise Oops
        with pytest.raises(Oops), django_transaction.atomic():
            tasks.add.enqueue("it")
            raise Oops
        assert not DBTaskResult.objects.exists()

    def test_a_job_goes_with_its_savepoint(self) -> None:
        with transaction.manager:
            tasks.add.enqueue("kept")
            savepoint = transaction.savepoint()
            tasks.add.enqueue("undone")
            savepoint.rollback()
        work()
        assert names() == ["kept by Django", "kept by Storm"]

    def test_a_task_may_enqueue_the_next_one(self) -> None:
        tasks.chain.enqueue(["a", "b"])
        work()
        assert names() == ["a by Django", "a by Storm", "b by Django", "b by Storm"]


class TestOneTransaction:
    def test_a_task_that_fails_leaves_neither_row(self) -> None:
        tasks.fail.enqueue("it")
        work()
        row = only_row()
        assert (row.status, row.exception_class_path) == ("FAILED", "builtins.ValueError")
        assert row.traceback.endswith("ValueError: it cannot be done\n")
        assert names() == []

    def test_a_result_that_json_does_not_know_fails_the_job_and_leaves_nothing(self) -> None:
        tasks.give_what_is_no_json.enqueue("it")
        work()
        assert only_row().status == "FAILED"
        assert names() == []

    def test_a_retryable_error_runs_it_again_in_a_new_transaction(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(running, "LONGEST_PAUSE", 0)
        monkeypatch.setattr(tasks, "failures_left", 2)
        tasks.fail_a_few_times.enqueue("it")
        work()
        assert only_row().status == "SUCCESSFUL"
        assert names() == ["it by Django", "it by Storm"]

    @pytest.mark.parametrize(("failures", "begun"), [(0, 1), (2, 3), (3, 3)])
    def test_the_job_says_how_often_it_was_begun(
        self, failures: int, begun: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(running, "LONGEST_PAUSE", 0)
        for name in (tasks.fail_a_few_times, tasks.fail_a_few_times_and_do_nothing):
            monkeypatch.setattr(tasks, "failures_left", failures)
            job = name.enqueue("it")
            work()
            job.refresh()
            known = catalogue.find(job.id)
            assert known is not None and (known.attempts, job.attempts) == (begun, begun)

    def test_the_context_of_a_task_counts_them_as_well(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(running, "LONGEST_PAUSE", 0)
        monkeypatch.setattr(tasks, "failures_left", 2)
        tasks.count_attempts.enqueue()
        work()
        assert only_row().return_value == 3

    def test_it_runs_no_more_often_than_jobs_attempts_says(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(running, "LONGEST_PAUSE", 0)
        monkeypatch.setattr(tasks, "failures_left", 3)
        tasks.fail_a_few_times.enqueue("it")
        work()
        assert (only_row().status, tasks.failures_left) == ("FAILED", 0)
        assert names() == []

    def test_an_asynchronous_task_is_a_transaction_too(self) -> None:
        tasks.add_asynchronously.enqueue("it")
        work()
        assert (only_row().status, names()) == ("SUCCESSFUL", ["it"])

    def test_called_without_a_worker_it_is_a_transaction_of_its_own(self) -> None:
        with pytest.raises(ValueError):
            tasks.fail.call("it")
        assert tasks.add.call("it") == "it"
        assert names() == ["it by Django", "it by Storm"]


class TestATaskThatIsGone:
    @pytest.mark.parametrize(
        ("path", "said"),
        [
            ("tests.jobs.tasks.gone", "does not define a"),
            ("tests.jobs.nowhere.gone", "No module named 'tests.jobs.nowhere'"),
            ("tests.jobs.tasks.time", "does not point to a Task (tests.jobs.tasks.time)"),
        ],
    )
    def test_its_job_fails_and_may_be_run_again(self, path: str, said: str) -> None:
        job = tasks.add.enqueue("it")
        DBTaskResult.objects.update(task_path=path)
        work()
        known = catalogue.find(job.id)
        assert known is not None and known.state == "FAILED" and said in known.error
        DBTaskResult.objects.update(task_path="tests.jobs.tasks.add")
        catalogue.retry(known)
        work()
        assert names() == ["it by Django", "it by Storm"]


class TestALostJob:
    """Another worker was given the job while this one ran it: what this one did is not kept."""

    @pytest.mark.parametrize("then", ["ready", "taken", "gone"])
    def test_nothing_of_it_is_committed(self, then: str, monkeypatch: pytest.MonkeyPatch) -> None:
        tasks.lose.enqueue(then)
        with pytest.raises(jobs.JobLost):
            run_in_this_process()
        assert names() == []

    def test_the_worker_does_not_write_that_it_failed(self) -> None:
        tasks.lose.enqueue("taken")
        work()
        assert (only_row().status, only_row().worker_ids[-1]) == ("RUNNING", "another")


class TestSteps:
    def test_each_is_committed_at_its_end(self) -> None:
        tasks.in_steps.enqueue(["a", "b", "bad", "c"])
        work()
        assert only_row().status == "FAILED"
        assert names() == ["a by Django", "a by Storm", "b by Django", "b by Storm"]

    def test_after_a_step_a_retryable_error_fails_the_job(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tasks, "failures_left", 1)
        tasks.step_and_fail_a_few_times.enqueue("it")
        work()
        assert (only_row().status, names()) == ("FAILED", ["step by Django", "step by Storm"])

    @pytest.mark.skipif(DB == "sqlite", reason="SQLite has no connection that could be lost.")
    def test_after_a_step_a_lost_connection_runs_the_job_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tasks, "failures_left", 1)
        tasks.step_and_lose_the_connection.enqueue("it")
        work()
        assert only_row().status == "SUCCESSFUL"
        assert list(Visit.objects.order_by("pk").values_list("note", flat=True)) == ["step", "step", "it"]

    def test_a_lost_job_commits_no_further_step(self) -> None:
        tasks.lose_between_steps.enqueue()
        work()
        assert names() == ["first by Django", "first by Storm"]

    def test_outside_of_a_job_a_step_ends_nothing(self) -> None:
        with pytest.raises(Oops), transaction.manager:
            with jobs.step():
                tasks.add.func("it")
            raise Oops
        assert names() == []


def run_in_this_process() -> Any:
    """What a worker does with the next job, but for its handling of errors."""
    row = only_row()
    row.claim("tests")
    running.note_start(None, row.task_result)
    return row.task.call(*row.args_kwargs["args"])
