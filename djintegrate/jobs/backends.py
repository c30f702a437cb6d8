"""The two backends for TASKS: the queue in the database, and the outbox before a queue outside of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.core.checks import CheckMessage, Error
from django.utils.module_loading import import_string
from django_tasks_db.backend import DatabaseBackend as TheirDatabaseBackend
from django_tasks_db.backend import TaskResult as TheirTaskResult
from django_tasks_db.utils import normalize_uuid

from . import owners, values
from .running import TransactionalTask
from .tasks import (
    RESULT_DOES_NOT_EXIST,
    BaseTaskBackend,
    Status,
    Task,
    TaskResult,
    TaskResultDoesNotExist,
    path_of,
    task_enqueued,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .models import Job

OWNER = "owner"
"""The key under which a row of django-tasks-db has its owner, beside its arguments."""


class DatabaseBackend(TheirDatabaseBackend):
    """django-tasks-db's backend, with jobs that have an owner, and each of which runs as one transaction."""

    task_class = TransactionalTask

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        self.validate_task(task)
        result = _result(task, self._task_to_db_task(task, args, kwargs))
        task_enqueued.send(type(self), task_result=result)
        return result

    async def aenqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        self.validate_task(task)
        result = _result(task, await self._atask_to_db_task(task, args, kwargs))
        await task_enqueued.asend(type(self), task_result=result)
        return result

    def _task_to_db_task(self, task: Any, args: Any, kwargs: Any) -> Any:
        return self._rows().create(**self._fields(task, args, kwargs, owners.current_key()))

    async def _atask_to_db_task(self, task: Any, args: Any, kwargs: Any) -> Any:
        # Who is signed in, Django may still have to read from the database, which it does not do in an event loop.
        owner = await sync_to_async(owners.current_key)()
        return await self._rows().acreate(**self._fields(task, args, kwargs, owner))

    def _fields(self, task: Any, args: Any, kwargs: Any, owner: str | None) -> dict[str, Any]:
        arguments = values.arguments(task, args, kwargs) | ({} if owner is None else {OWNER: owner})
        return {
            "id": self._get_id(),
            "args_kwargs": arguments,
            "priority": task.priority,
            "task_path": path_of(task),
            "queue_name": task.queue_name,
            "run_after": task.run_after,
            "backend_name": self.alias,
        }

    def _rows(self) -> Any:
        # Tasks are made, and with them their backend, while the models are not loaded yet.
        from django_tasks_db.models import DBTaskResult

        return DBTaskResult.objects


class OutboxBackend(BaseTaskBackend):
    """A backend whose queue is outside of the database: the job waits in a row of the transaction until the commit."""

    task_class = TransactionalTask
    supports_async_task = True
    supports_get_result = True

    def __init__(self, alias: str, params: dict[str, Any]) -> None:
        super().__init__(alias, params)
        inner = self.options.get("backend")
        self.inner = None
        self._fault = f"OPTIONS['backend'] is {inner!r}"
        if isinstance(inner, dict) and isinstance(inner.get("BACKEND"), str):
            try:
                kind = import_string(inner["BACKEND"])
            except ImportError as error:
                # Whoever imports a task makes its backend: `check` would end there, before it could say this.
                self._fault = f"{inner['BACKEND']} cannot be imported ({error})"
                return
            # The inner queue's workers find this backend by its name, so it is the inner one's as well.
            self.inner = kind(alias, {"QUEUES": list(self.queues), **inner})
            self.queues = self.inner.queues
            self.supports_defer = self.inner.supports_defer
            self.supports_priority = self.inner.supports_priority

    def enqueue(self, task: Task[Any, Any], args: Any, kwargs: Any) -> TaskResult[Any]:
        from . import outbox

        self._inner().validate_task(task)
        job = outbox.add(self.alias, task, args, kwargs)
        result = job.waiting_result()
        task_enqueued.send(type(self), task_result=result)
        return result

    def get_result(self, result_id: str) -> TaskResult[Any]:
        from .models import Job, with_id

        job = with_id(Job.objects.filter(backend_name=self.alias), result_id)
        if job is None:
            raise TaskResultDoesNotExist(result_id)
        return self.result_of(job)

    def result_of(self, job: Job) -> TaskResult[Any]:
        """What the inner queue knows of the job, under the job's own id."""
        if not job.inner_id:
            return job.waiting_result()
        try:
            return job.sent_result(self._inner().get_result(job.inner_id))
        except RESULT_DOES_NOT_EXIST:
            raise TaskResultDoesNotExist(str(job.id)) from None

    def send(self, job: Job) -> str:
        """Put the job into the inner queue. Its id there."""
        task = job.task
        return str(self._inner().enqueue(task, job.arguments["args"], job.arguments["kwargs"]).id)

    def check(self, **kwargs: Any) -> Iterator[CheckMessage]:
        if self.inner is None:
            yield Error(
                f"TASKS[{self.alias!r}] has no backend for its outbox: {self._fault}.",
                hint='Name one that is installed: OPTIONS = {"backend": {"BACKEND": "django_tasks_rq.RQBackend"}}.',
                id="jobs.E003",
            )
        else:
            yield from self.inner.check(**kwargs)

    def _inner(self) -> Any:
        if self.inner is None:
            raise LookupError(f"TASKS[{self.alias!r}] has no backend for its outbox: {self._fault}.")
        return self.inner


def _result(task: Any, row: Any) -> Any:
    """As `row.task_result`, which would look for the task by its path."""
    return TheirTaskResult(
        db_result=row,
        task=task,
        id=normalize_uuid(row.pk),
        status=Status.READY,
        enqueued_at=row.enqueued_at,
        started_at=None,
        last_attempted_at=None,
        finished_at=None,
        args=row.args_kwargs["args"],
        kwargs=row.args_kwargs["kwargs"],
        backend=row.backend_name,
        errors=[],
        worker_ids=row.worker_ids,
    )
