"""Django's Tasks framework, wherever it is: in Django itself from 6.0 on, before that in the package django-tasks.

Where both are installed, some queues still speak through the package, as django-tasks-rq does.
"""

from __future__ import annotations

from datetime import datetime
from importlib.util import find_spec
from types import UnionType
from typing import TYPE_CHECKING, Any

from django.core.exceptions import SuspiciousOperation
from django.dispatch import Signal
from django.utils.module_loading import import_string

if TYPE_CHECKING or find_spec("django.tasks") is None:
    from django_tasks import TaskResult, TaskResultStatus, task, task_backends
    from django_tasks.backends.base import BaseTaskBackend
    from django_tasks.base import Task, TaskError
    from django_tasks.exceptions import InvalidTaskBackendError as InvalidTaskBackend
    from django_tasks.exceptions import TaskResultDoesNotExist, TaskResultMismatch
    from django_tasks.signals import task_enqueued, task_finished, task_started
else:
    from django.tasks import Task, TaskResult, TaskResultStatus, task, task_backends
    from django.tasks.backends.base import BaseTaskBackend
    from django.tasks.base import TaskError
    from django.tasks.exceptions import InvalidTaskBackend, TaskResultDoesNotExist, TaskResultMismatch
    from django.tasks.signals import task_enqueued, task_finished, task_started

RESULT_DOES_NOT_EXIST: tuple[type[Exception], ...] = (TaskResultDoesNotExist,)
"""What a queue may raise for a job that it does not know."""
STARTS: tuple[Signal, ...] = (task_started,)
"""What is sent where a worker begins a job, whoever's worker it is."""

if find_spec("django_tasks") is not None:
    import django_tasks.exceptions
    import django_tasks.signals

    RESULT_DOES_NOT_EXIST = (TaskResultDoesNotExist, django_tasks.exceptions.TaskResultDoesNotExist)
    STARTS = (task_started, django_tasks.signals.task_started)

ALL_QUEUES = "*"
"""Instead of their names, for a worker of each."""

__all__ = [
    "ALL_QUEUES",
    "RESULT_DOES_NOT_EXIST",
    "STARTS",
    "USING",
    "BaseTaskBackend",
    "InvalidTaskBackend",
    "Status",
    "Task",
    "TaskError",
    "TaskResult",
    "TaskResultDoesNotExist",
    "TaskResultMismatch",
    "backends_of",
    "name_of",
    "path_of",
    "refuse_wrong_kinds",
    "task",
    "task_backends",
    "task_enqueued",
    "task_finished",
    "task_started",
]


Status: Any = TaskResultStatus
"""READY, RUNNING, SUCCESSFUL or FAILED; as strings, in the rows."""


USING: dict[str, tuple[type | UnionType, str]] = {
    "priority": (int | float, "a whole number"),
    "queue_name": (str, "the name of a queue"),
    "run_after": (datetime, "a moment, such as timezone.now() + timedelta(hours=1)"),
    "backend": (str, "an alias of TASKS"),
}
"""What a task's using() takes."""


def name_of(path: str) -> str:
    """What a person calls the task at this dotted path: "export programme" for app.tasks.export_programme."""
    return path.rpartition(".")[2].replace("_", " ").strip() or path


def path_of(task: Task[Any, Any]) -> str:
    """Where a worker finds the task, by its function's name. What has another name there is refused."""
    path: str = task.module_path
    if not isinstance(import_string(path), Task):
        raise SuspiciousOperation(f"{path} is not a task: give the task the name that its function has.")
    return path


def refuse_wrong_kinds(task: Task[Any, Any], changes: dict[str, Any]) -> None:
    """TypeError where Django's own checks of what using() takes would fail for another reason."""
    for name, (kind, words) in USING.items():
        given = changes.get(name)
        if given is not None and not isinstance(given, kind):
            raise TypeError(f"{task.module_path}.using(): {name} is {given!r}. It has to be {words}.")


def backends_of(kind: type[Any]) -> list[Any]:
    """The backends in TASKS that are of this class, in the order of the setting."""
    return [backend for backend in task_backends.all() if isinstance(backend, kind)]
