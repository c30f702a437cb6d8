"""Jobs for a queue outside of the database, here RQ on a real Redis: sent after the commit, in order, and not else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import transaction
from django.db import transaction as django_transaction
from django.utils import timezone

from djintegrate.jobs import outbox
from djintegrate.jobs.models import Job
from djintegrate.jobs.tasks import TaskResultDoesNotExist, task_backends
from tests.jobs import tasks
from tests.jobs.helpers import JOBS, names
from tests.support.helpers import Oops

pytest_plugins = ["tests.support.fixtures"]
pytestmark = JOBS

add = tasks.add.using(backend="outbox")
fail = tasks.fail.using(backend="outbox")


def work() -> None:
    """Run what is in RQ's queue, by RQ's own worker."""
    import django_rq
    from django_tasks_rq.backend import Job as RQJob
    from rq import SimpleWorker

    connection = django_rq.get_connection()
    SimpleWorker([django_rq.get_queue(job_class=RQJob)], connection=connection, job_class=RQJob).work(burst=True)


def queued(redis: Any) -> list[str]:
    return [job_id.decode() for job_id in redis.lrange("rq:queue:default", 0, -1)]


class TestSending:
    def test_a_job_is_in_the_queue_after_the_commit_and_not_before(self, redis: Any) -> None:
        with transaction.manager:
            result = add.enqueue("it")
            assert queued(redis) == []
        job = Job.objects.get()
        assert queued(redis) == [job.inner_id]
        assert str(job.id) == result.id != job.inner_id

    @pytest.mark.parametrize("block", [lambda: transaction.manager, django_transaction.atomic], ids=["zope", "atomic"])
    def test_a_job_of_an_aborted_transaction_never_is(self, redis: Any, block: Any) -> None:
        with pytest.raises(Oops), block():
            add.enqueue("it")
            raise Oops
        assert queued(redis) == []
        assert not Job.objects.exists()

    def test_without_a_transaction_it_is_sent_at_once(self, redis: Any) -> None:
        add.enqueue("it")
        assert queued(redis) == [Job.objects.get().inner_id]

    def test_jobs_are_sent_in_the_order_in_which_they_were_enqueued(self, redis: Any) -> None:
        with transaction.manager:
            results = [add.enqueue(str(number)) for number in range(5)]
        sent = [Job.objects.get(pk=result.id).inner_id for result in results]
        # RQ takes from the left and puts to the right.
        assert queued(redis) == sent

    def test_a_job_goes_with_its_savepoint(self, redis: Any) -> None:
        with transaction.manager:
            savepoint = transaction.savepoint()
            add.enqueue("undone")
            savepoint.rollback()
        assert queued(redis) == []


class TestWhatACrashLeaves:
    def test_a_queue_that_does_not_answer_fails_nobody_and_gets_the_job_later(
        self, redis: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        backend = task_backends["outbox"]
        with monkeypatch.context() as patch:
            patch.setattr(backend, "send", _refuse)
            with transaction.manager:
                add.enqueue("it")
        assert "could not be sent to its queue" in caplog.text
        assert outbox.unsent() == 1
        assert outbox.send_unsent() == 0, "it is still that process's"
        _age()
        assert outbox.send_unsent() == 1
        assert queued(redis) == [Job.objects.get().inner_id]
        assert outbox.send_unsent() == 0

    def test_a_task_that_is_gone_keeps_no_other_job_from_its_queue(
        self, redis: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(2):
            add.enqueue("it")
        redis.flushall()
        Job.objects.update(inner_id="")
        first = Job.objects.order_by("enqueued_at")[0]
        Job.objects.filter(pk=first.pk).update(task_path="tests.jobs.nowhere.gone")
        _age()
        assert outbox.send_unsent() == 1
        assert f"Job {first.pk} cannot be sent: No module named 'tests.jobs.nowhere'" in caplog.text
        assert len(queued(redis)) == 1

    def test_a_queue_that_does_not_answer_is_not_asked_for_each_job(
        self, redis: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(2):
            add.enqueue("it")
        Job.objects.update(inner_id="")
        _age()
        asked: list[Job] = []
        monkeypatch.setattr(task_backends["outbox"], "send", lambda job: [asked.append(job), _refuse(job)])
        assert outbox.send_unsent() == 0
        assert len(asked) == 1

    def test_what_a_killed_process_had_taken_is_sent_when_its_time_is_over(self, redis: Any) -> None:
        add.enqueue("it")
        redis.flushall()
        Job.objects.update(inner_id="", taken_at=timezone.now())
        assert outbox.send_unsent() == 0
        _age()
        assert outbox.send_unsent() == 1
        assert len(queued(redis)) == 1


class TestResults:
    def test_a_job_that_was_run_has_its_result_under_its_own_id(self, redis: Any) -> None:
        result = add.enqueue("it")
        assert result.status == "READY"
        work()
        result.refresh()
        assert (result.status, result.return_value) == ("SUCCESSFUL", "it")
        assert result.id == str(Job.objects.get().id)
        assert names() == ["it by Django", "it by Storm"]

    def test_a_task_that_fails_leaves_neither_row_and_says_why(self, redis: Any) -> None:
        result = fail.enqueue("it")
        work()
        result.refresh()
        assert result.status == "FAILED"
        assert "it cannot be done" in result.errors[0].traceback
        assert names() == []

    def test_an_unknown_id_is_said_to_be_unknown(self, redis: Any) -> None:
        for unknown in ("no id", "8e2a4a4c-9f0b-4f55-8d0d-1f5d1c3f2a11"):
            with pytest.raises(TaskResultDoesNotExist):
                task_backends["outbox"].get_result(unknown)


def _refuse(job: Job) -> str:
    raise ConnectionError("The queue does not answer.")


def _age() -> None:
    """As if all that was done were done two minutes ago."""
    before = timezone.now() - timedelta(minutes=2)
    Job.objects.update(enqueued_at=before)
    Job.objects.exclude(taken_at=None).update(taken_at=before)
