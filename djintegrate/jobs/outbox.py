"""Jobs for a queue outside of the database: kept in the transaction, sent after its commit.

At least once: a process that is killed between sending a job and noting that leaves it to `jobs run`, which sends it
again.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError, router, transaction
from django.db.models import Q
from django.utils import timezone

from . import conf, owners, putting_off, values
from .errors import PutOff
from .models import Job
from .tasks import Task, path_of, task_backends

logger = logging.getLogger("djintegrate.jobs")

PAUSES = (0.05, 0.2, 1)
"""Seconds between looks for a row that is about to be committed."""


def add(backend_name: str, task: Task[Any, Any], args: Any, kwargs: Any) -> Job:
    """A row of the current transaction. This process sends it as soon as that has committed."""
    job = Job.objects.create(
        owner_id=owners.current_key(),
        backend_name=backend_name,
        task_path=path_of(task),
        arguments=values.arguments(task, args, kwargs),
        priority=task.priority,
        queue_name=task.queue_name,
        run_after=task.run_after,
    )
    transaction.on_commit(lambda: _send_now(job), using=job._state.db, robust=True)
    return job


def send_unsent() -> int:
    """Send what others have left: killed after their commit, or without a connection to the queue. How many."""
    # Those of the last seconds are still with the process that has committed them.
    since = timezone.now() - timedelta(seconds=conf.lease_seconds())
    left = Job.objects.filter(inner_id="").filter(Q(taken_at=None, enqueued_at__lt=since) | Q(taken_at__lt=since))
    sent = 0
    for job in left.order_by("enqueued_at"):
        try:
            sent += _send(job)
        except (ImportError, SuspiciousOperation) as error:
            # Its task was renamed or removed, which is no reason to keep the others.
            logger.error("Job %s cannot be sent: %s. Bring the task back, or stop the job.", job.pk, error)
        except DatabaseError:
            raise
        except Exception:
            logger.exception("Job %s could not be sent to its queue. It and those after it are sent later.", job.pk)
            break
    return sent


def put_off(inner_id: str, error: PutOff) -> bool:
    """Send the job with this id in the queue once more, to run after a pause; the same job, under its own id.

    Not if it has been put off often enough, or if the queue cannot wait.
    """
    job = _noted(inner_id)
    until = None if job is None else putting_off.moment(error, job.arguments)
    if job is None or until is None or not task_backends[job.backend_name].supports_defer:
        return False
    job.arguments, job.run_after = putting_off.noted(error, job.arguments), until
    job.inner_id, job.taken_at = "", None
    job.save(update_fields=["arguments", "run_after", "inner_id", "taken_at"])
    # If the queue does not answer now, `jobs run` sends it.
    _send_now(job)
    return True


def _noted(inner_id: str) -> Job | None:
    """The job that was sent under this id. A worker may be quicker than the process that notes it."""
    for pause in (0, *PAUSES):
        time.sleep(pause)
        if job := Job.objects.filter(inner_id=inner_id).first():
            return job
    return None


def unsent() -> int:
    return Job.objects.filter(inner_id="").count()


def _send_now(job: Job) -> None:
    try:
        _send(job)
    except Exception:
        logger.exception("Job %s is committed, but could not be sent to its queue. `jobs run` sends it later.", job.pk)


def _send(job: Job) -> bool:
    """Send one job, unless another process is just doing that."""
    rows = Job.objects.using(router.db_for_write(Job, instance=job)).filter(pk=job.pk, inner_id="")
    if not rows.filter(taken_at=job.taken_at).update(taken_at=timezone.now()):
        return False
    try:
        inner_id = task_backends[job.backend_name].send(job)
    except BaseException:
        rows.update(taken_at=job.taken_at)
        raise
    rows.update(inner_id=inner_id)
    return True
