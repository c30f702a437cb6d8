"""The outbox's rows, and the leases of those processes that run jobs."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.db import models
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from .tasks import Status, Task, TaskResult, name_of


def with_id(rows: models.QuerySet[Any], job_id: str) -> Any | None:
    """The row that has this id, which may come from an address, and be no id at all."""
    try:
        return rows.filter(pk=job_id).first()
    except (ValidationError, ValueError):
        return None


class Job(models.Model):
    """A job for a queue outside of the database, which waits here until its transaction has committed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("owner")
    )
    backend_name = models.CharField(_("backend"), max_length=32)
    inner_id = models.CharField(_("id in the queue"), max_length=64, blank=True)
    task_path = models.TextField(_("task"))
    arguments = models.JSONField(_("arguments"))
    priority = models.IntegerField(_("priority"))
    queue_name = models.CharField(_("queue"), max_length=32)
    run_after = models.DateTimeField(_("not before"), null=True, blank=True)
    enqueued_at = models.DateTimeField(_("enqueued at"), default=timezone.now)
    taken_at = models.DateTimeField(_("taken for sending at"), null=True, blank=True)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-enqueued_at"]
        indexes = [models.Index(fields=["inner_id", "enqueued_at"], name="jobs_job_unsent")]

    def __str__(self) -> str:
        return f"{name_of(self.task_path)} ({self.id})"

    @property
    def task(self) -> Task[Any, Any]:
        task = import_string(self.task_path)
        if not isinstance(task, Task):
            raise SuspiciousOperation(f"Job {self.id} names {self.task_path}, which is not a task.")
        return task.using(
            priority=self.priority, queue_name=self.queue_name, run_after=self.run_after, backend=self.backend_name
        )

    def waiting_result(self) -> TaskResult[Any]:
        """The result for as long as the queue has not been told of the job."""
        return TaskResult(
            task=self.task,
            id=str(self.id),
            status=Status.READY,
            enqueued_at=self.enqueued_at,
            started_at=None,
            last_attempted_at=None,
            finished_at=None,
            args=self.arguments["args"],
            kwargs=self.arguments["kwargs"],
            backend=self.backend_name,
            errors=[],
            worker_ids=[],
        )

    def sent_result(self, inner: Any) -> TaskResult[Any]:
        """What the queue says of the job, as a result with the job's own id."""
        result: TaskResult[Any] = TaskResult(
            task=self.task,
            id=str(self.id),
            status=Status[inner.status.name],
            enqueued_at=self.enqueued_at,
            started_at=inner.started_at,
            last_attempted_at=inner.last_attempted_at,
            finished_at=inner.finished_at,
            args=self.arguments["args"],
            kwargs=self.arguments["kwargs"],
            backend=self.backend_name,
            errors=inner.errors,
            worker_ids=inner.worker_ids,
        )
        # Django's own backends set it so, since the class is frozen.
        object.__setattr__(result, "_return_value", inner._return_value)
        return result


class Lease(models.Model):
    """A process of `jobs run`, for as long as it is heard of."""

    id = models.CharField(primary_key=True, max_length=32)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    backend_name = models.CharField(max_length=32)
    queues = models.JSONField(null=True)
    """Their names, or "*" for all; None if that is not known, of a process of an earlier version."""
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.host}, process {self.pid}"
