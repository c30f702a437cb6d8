"""Jobs as people see them, of either backend: looked up, listed, stopped and begun again."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import MAXYEAR, datetime
from functools import cached_property
from itertools import islice
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db.models import Q
from django.utils import timezone

from . import putting_off, queues, reports
from .backends import OWNER, DatabaseBackend, OutboxBackend
from .errors import Stopped
from .models import Job, with_id
from .running import STOPPED
from .tasks import Status, TaskResultDoesNotExist, backends_of, name_of, task_backends
from .texts import error_line

logger = logging.getLogger("djintegrate.jobs")

READY, RUNNING = Status.READY, Status.RUNNING
SUCCESSFUL, FAILED = Status.SUCCESSFUL, Status.FAILED
FORGOTTEN = "FORGOTTEN"
"""The job was sent to a queue outside of the database, which knows nothing of it any more."""
UNKNOWN = "UNKNOWN"
"""That queue does not answer."""
MAIL = "djintegrate.jobs.mail.send_message"
COUNTED = 100
"""So many of the jobs before one are counted: a page asks again and again."""


class NotPossible(Exception):
    """The job is in a state in which this cannot be done. The text says which."""


class NotHeard(NotPossible):
    """The cache through which a job hears what others want of it does not answer."""


@dataclass(frozen=True)
class PutOff:
    """Why a job waits until it runs again: for whoever it belongs to, and for those who may see what is inside."""

    times: int
    begun: int
    reason: str
    error: str


@dataclass(frozen=True)
class Known:
    """A job, and what is known of it at this moment."""

    id: str
    task_path: str
    backend_name: str
    state: str
    owner: str | None
    enqueued_at: datetime | None
    queue: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exception: str = ""
    traceback: str = ""
    run_after: datetime | None = None
    put_off: PutOff | None = None
    subject: str = ""
    """Of a mail; with its recipients, who are not for everybody to see."""
    recipients: str = ""
    attempts: int = 0
    key: str = ""
    """The id that its worker knows, and reports progress under."""
    last_progress: reports.Progress | None = None

    @property
    def name(self) -> str:
        return name_of(self.task_path)

    @property
    def is_finished(self) -> bool:
        return self.state in (SUCCESSFUL, FAILED, FORGOTTEN)

    @property
    def was_stopped(self) -> bool:
        return self.exception == STOPPED

    @cached_property
    def word(self) -> str:
        """Its state: ready, later, running, stopping, successful, failed, stopped, forgotten or unknown."""
        if self.was_stopped:
            return "stopped"
        if self.state == READY and self.run_after is not None and self.run_after > timezone.now():
            return "later"
        if self.state == RUNNING and _is_asked_to_stop(self.key):
            return "stopping"
        return self.state.lower()

    @cached_property
    def ahead(self) -> int:
        """How many jobs are before it in its queue, as far as that is known."""
        source: Any = _source(self)
        return int(source.ahead(self))

    @cached_property
    def unserved(self) -> queues.Unserved | None:
        """Its queue, if nobody works for it as far as is known."""
        return queues.unserved_of(task_backends[self.backend_name], self.queue, queues.alive())

    @cached_property
    def progress(self) -> reports.Progress | None:
        return self.last_progress if self.is_finished else _progress_of(self.key)

    @property
    def error(self) -> str:
        """What went wrong: the class of the error, and the first line of what it says."""
        return error_line(self.exception, self.traceback)

    @property
    def words(self) -> str:
        """Of a job that has stopped: what its task has said."""
        return self.traceback.rpartition(f"{STOPPED}: ")[2].strip() if f"{STOPPED}: " in self.traceback else ""

    def is_of(self, user: Any) -> bool:
        return self.owner is not None and user.is_authenticated and self.owner == str(user.pk)


def find(job_id: object) -> Known | None:
    for source in _sources():
        found = source.find(str(job_id))
        if found is not None:
            return found
    return None


def recent(limit: int, owner: Any = None) -> list[Known]:
    """The latest jobs, of everybody or of one owner, the newest first."""
    found = [known for source in _sources() for known in islice(source.recent(owner), limit)]
    found.sort(key=lambda known: known.enqueued_at or timezone.now(), reverse=True)
    return found[:limit]


def stop(job: Known) -> str:
    """Keep a waiting job from running, and ask a running one to stop. What was done, in words."""
    return _source(job).stop(job)


def retry(job: Known) -> str:
    """Have a job that has failed, or was stopped, run again. What was done, in words."""
    if job.state != FAILED:
        raise NotPossible(f"Job {job.id} is {job.word}: only one that has failed or was stopped can run again.")
    return _source(job).retry(job)


class _Rows:
    """The jobs of the backends whose queue is django-tasks-db's table."""

    def __init__(self, backends: list[DatabaseBackend]) -> None:
        from django_tasks_db.models import DBTaskResult

        self.rows: Any = DBTaskResult.objects.filter(backend_name__in=[each.alias for each in backends])

    def find(self, job_id: str) -> Known | None:
        row = with_id(self.rows, job_id)
        return None if row is None else self._known(row)

    def recent(self, owner: Any) -> Iterator[Known]:
        rows = self.rows.order_by("-enqueued_at")
        if owner is not None:
            rows = rows.filter(**{f"args_kwargs__{OWNER}": str(owner.pk)})
        return map(self._known, rows.iterator(chunk_size=100))

    def stop(self, job: Known) -> str:
        # Nothing is written for a job that runs: on SQLite its transaction may hold the only lock for writing.
        if self.rows.filter(pk=job.id, status=RUNNING).exists():
            return _ask_to_stop(job)
        stopped = Stopped("The job was stopped before it had begun.")
        if self.rows.filter(pk=job.id, status=READY).update(
            status=FAILED, finished_at=timezone.now(), exception_class_path=STOPPED, traceback=f"{STOPPED}: {stopped}"
        ):
            return "stopped before it began"
        raise NotPossible(f"Job {job.id} has ended: there is nothing to stop.")

    def retry(self, job: Known) -> str:
        _forget_reports(job)
        row = self.rows.get(pk=job.id)
        self.rows.filter(pk=job.id, status=FAILED).update(
            status=READY, started_at=None, finished_at=None, exception_class_path="", traceback="", worker_ids=[],
            args_kwargs={
                name: value for name, value in row.args_kwargs.items() if name not in ("progress", putting_off.KEY)
            },
        )  # fmt: skip
        return "runs again"

    def ahead(self, job: Known) -> int:
        """How many would be taken first."""
        row = self.rows.filter(pk=job.id).first()
        if row is None:
            return 0
        waiting = self.rows.ready().filter(backend_name=row.backend_name, queue_name=row.queue_name)
        earlier = Q(run_after__lt=row.run_after) | Q(run_after=row.run_after, enqueued_at__lt=row.enqueued_at)
        return int(waiting.filter(Q(priority__gt=row.priority) | Q(earlier, priority=row.priority))[:COUNTED].count())

    @staticmethod
    def _known(row: Any) -> Known:
        kept = row.args_kwargs.get("progress")
        return Known(
            # The inner engine's word for a job that need not wait is the end of all time.
            run_after=row.run_after if row.run_after.year < MAXYEAR else None,
            **_told(row.task_path, row.args_kwargs),
            id=str(row.pk),
            task_path=row.task_path,
            backend_name=row.backend_name,
            state=row.status,
            owner=row.args_kwargs.get(OWNER),
            enqueued_at=row.enqueued_at,
            queue=row.queue_name,
            started_at=row.started_at,
            finished_at=row.finished_at,
            exception=row.exception_class_path,
            traceback=row.traceback,
            attempts=len(row.worker_ids) + putting_off.times_begun(row.args_kwargs),
            key=str(row.pk),
            last_progress=None if kept is None else reports.Progress(**kept),
        )


class _Outbox:
    """The jobs of the backends whose queue is outside of the database."""

    def __init__(self, backends: list[OutboxBackend]) -> None:
        self.jobs = Job.objects.filter(backend_name__in=[each.alias for each in backends])
        self._silent: set[str] = set()
        """The backends whose queue has not answered: it is not waited for once more for each job of a list."""

    def find(self, job_id: str) -> Known | None:
        job = with_id(self.jobs, job_id)
        return None if job is None else self._known(job)

    def recent(self, owner: Any) -> Iterator[Known]:
        jobs = self.jobs.order_by("-enqueued_at")
        return map(self._known, (jobs if owner is None else jobs.filter(owner=owner)).iterator(chunk_size=100))

    def stop(self, job: Known) -> str:
        if self.jobs.filter(pk=job.id, inner_id="", taken_at=None).delete()[0]:
            return "taken out of the outbox"
        if job.state == UNKNOWN:
            raise NotPossible(f"The queue of job {job.id} does not answer. Try again when it does.")
        if job.is_finished:
            raise NotPossible(f"Job {job.id} has ended: there is nothing to stop.")
        return _ask_to_stop(job)

    def ahead(self, job: Known) -> int:
        return 0

    def retry(self, job: Known) -> str:
        _forget_reports(job)
        kept = self.jobs.get(pk=job.id).arguments
        kept.pop(putting_off.KEY, None)
        self.jobs.filter(pk=job.id).update(inner_id="", taken_at=None, run_after=None, arguments=kept)
        return "is sent to its queue again"

    def _known(self, job: Job) -> Known:
        result, state = self._said_of(job)
        errors = result.errors if result is not None else []
        key = job.inner_id or str(job.pk)
        return Known(
            id=str(job.pk),
            task_path=job.task_path,
            backend_name=job.backend_name,
            state=state,
            owner=None if job.owner_id is None else str(job.owner_id),
            enqueued_at=job.enqueued_at,
            queue=job.queue_name,
            started_at=result and result.started_at,
            finished_at=result and result.finished_at,
            exception=errors[-1].exception_class_path if errors else "",
            traceback=errors[-1].traceback if errors else "",
            run_after=job.run_after,
            **_told(job.task_path, job.arguments),
            attempts=(len(result.worker_ids) if result is not None else 0) + putting_off.times_begun(job.arguments),
            key=key,
            last_progress=_progress_of(key),
        )

    def _said_of(self, job: Job) -> tuple[Any, str]:
        """What the queue says of the job, if anything, and the state that the job is in as far as anybody knows."""
        if not job.inner_id:
            return None, READY
        if job.backend_name in self._silent:
            return None, UNKNOWN
        try:
            result = task_backends[job.backend_name].result_of(job)
        except (TaskResultDoesNotExist, ImportError, SuspiciousOperation):
            # RQ keeps for a while what has ended; or the code has no such task any more.
            return None, FORGOTTEN
        except Exception as error:
            # Whatever the queue's own library raises if its server is away.
            logger.warning("The queue of %r does not answer: %s", job.backend_name, error)
            self._silent.add(job.backend_name)
            return None, UNKNOWN
        return result, str(result.status.value)


def _ask_to_stop(job: Known) -> str:
    with _telling(job, "cannot be asked to stop"):
        reports.ask_to_stop(job.key)
    return "asked to stop"


def _forget_reports(job: Known) -> None:
    """The job begins anew: a request to stop its earlier run would stop this one."""
    with _telling(job, "cannot run again now"):
        reports.forget(job.key)


@contextmanager
def _telling(job: Known, what: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # Whatever the cache's own library raises if its server is away.
        raise NotHeard(f"Job {job.id} {what}: JOBS_CACHE does not answer ({error}). Try again when it does.") from error


def _progress_of(key: str) -> reports.Progress | None:
    """The last report; none where the cache does not answer: whoever looks at a job sees the rest of it."""
    try:
        return reports.progress_of(key)
    except Exception as error:
        logger.warning("JOBS_CACHE does not answer: %s", error)
        return None


def _is_asked_to_stop(key: str) -> bool:
    try:
        return reports.stop_asked_of(key)
    except Exception as error:
        logger.warning("JOBS_CACHE does not answer: %s", error)
        return False


def _told(task_path: str, kept: dict[str, Any]) -> dict[str, Any]:
    """What is known of the job from that which is kept beside, and in, its arguments."""
    put_off = kept.get(putting_off.KEY)
    told: dict[str, Any] = {} if put_off is None else {"put_off": PutOff(**put_off)}
    if task_path == MAIL:
        message = kept["args"][0]
        # Not the blind copies, which no recipient sees either.
        told |= {"subject": message["subject"], "recipients": ", ".join([*message["to"], *message["cc"]])}
    return told


def _sources() -> Iterator[Any]:
    if found := backends_of(DatabaseBackend):
        yield _Rows(found)
    if found := backends_of(OutboxBackend):
        yield _Outbox(found)


def _source(job: Known) -> Any:
    return next(source for source in _sources() if source.find(job.id) is not None)
