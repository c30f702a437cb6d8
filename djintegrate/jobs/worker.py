"""The process in which jobs run: the inner engine's own worker, with a line for each job."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, close_old_connections
from django.utils import timezone
from django_tasks_db.utils import is_locked_database_exception

from . import putting_off
from .errors import Stopped
from .running import STOPPED
from .tasks import ALL_QUEUES, Status, name_of, task_finished, task_started
from .texts import error_line, line

logger = logging.getLogger("djintegrate.jobs")

PARENT_SECONDS = 1.0


def work(name: str, parent: int, backend_name: str, queues: list[str], interval: float) -> None:
    """Run jobs until told to stop, or until `jobs run`, which is the process `parent`, has gone."""
    # Not above: it brings the models, which are not loaded when this module is.
    from django_tasks_db.management.commands.db_worker import Worker

    task_started.connect(_note_start, dispatch_uid="jobs.line_start")
    task_finished.connect(_say_end, dispatch_uid="jobs.line_end")
    worker = Worker(
        queue_names=queues, interval=interval, batch=True, backend_name=backend_name, startup_delay=False,
        max_tasks=None, worker_id=name, excluded_queue_names=[],
    )  # fmt: skip
    worker.configure_signals()
    threading.Thread(target=_end_with_parent, args=(worker, parent), daemon=True).start()
    while worker.running:
        if _is_there_work(backend_name, queues):
            # Until the queue is empty.
            worker.run()
        close_old_connections()
        if worker.running:
            time.sleep(interval)


def _is_there_work(backend_name: str, queues: list[str]) -> bool:
    """Asked without a lock: the inner engine's worker locks all of SQLite to look, and requests that write fail."""
    from django_tasks_db.models import DBTaskResult

    ready = DBTaskResult.objects.ready().filter(backend_name=backend_name)
    try:
        return bool((ready if ALL_QUEUES in queues else ready.filter(queue_name__in=queues)).exists())
    except OperationalError as error:
        if not is_locked_database_exception(error):
            raise
        return False


def _end_with_parent(worker: Any, parent: int) -> None:
    # Whoever kills `jobs run` wants its workers to end as well; nobody would restart them, or renew their lease.
    # It may have gone before this process had started.
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    worker.running = False


def _note_start(sender: Any, task_result: Any, **kwargs: Any) -> None:
    _began[task_result.id] = time.monotonic()


def _say_end(sender: Any, task_result: Any, **kwargs: Any) -> None:
    seconds = time.monotonic() - _began.pop(task_result.id, time.monotonic())
    job = f"{name_of(task_result.task.module_path)} {task_result.id}"
    if task_result.status == Status.SUCCESSFUL:
        logger.info("%s: done in %.1f s", job, seconds)
    elif task_result.status == Status.READY:
        row = task_result.db_result
        until = timezone.localtime(row.run_after) if timezone.is_aware(row.run_after) else row.run_after
        error = row.args_kwargs[putting_off.KEY]["error"]
        logger.warning("%s: put off after %.1f s, until %s: %s", job, seconds, f"{until:%H:%M:%S}", error)
    elif not task_result.errors:
        logger.warning("%s: another worker has it after %.1f s", job, seconds)
    else:
        failed = task_result.errors[-1]
        if failed.exception_class_path == STOPPED:
            words = line(failed.traceback.removeprefix(f"{STOPPED}: "))
            logger.info("%s: stopped after %.1f s: %s", job, seconds, words)
        else:
            error = line(error_line(failed.exception_class_path, failed.traceback))
            logger.warning("%s: failed after %.1f s: %s", job, seconds, error)


@contextmanager
def only_news() -> Iterator[None]:
    """Of what Django says of each job, only that it has failed, with the traceback for whoever is told of errors."""
    loggers = [logging.getLogger(name) for name in ("django.tasks", "django_tasks")]
    for each in loggers:
        each.addFilter(_is_news)
    try:
        yield
    finally:
        for each in loggers:
            each.removeFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    if not str(record.msg).startswith("Task id="):
        return True
    error = record.exc_info[1] if record.exc_info else None
    return record.levelno >= logging.ERROR and error is not None and not isinstance(error, Stopped)


_began: dict[str, float] = {}
