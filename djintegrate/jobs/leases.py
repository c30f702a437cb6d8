"""Whose worker is alive: a process of `jobs run` renews its lease, and the jobs of one that does not are given back.

A worker's name begins with the lease of its process, so the row of a running job says which lease it hangs on. A job
that was given back too early runs twice, but only one of the two commits; see `running`.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.crypto import get_random_string

from . import conf
from .errors import WorkerKilled
from .models import Lease
from .tasks import ALL_QUEUES, Status

PREFIX = "jobs-"
RENEWALS = 3
"""How often a lease is renewed before it would run out."""


def take(backend_name: str, queues: Iterable[str] = (ALL_QUEUES,)) -> Lease:
    return Lease.objects.create(
        id=get_random_string(16), host=socket.gethostname(), pid=os.getpid(), backend_name=backend_name,
        queues=list(queues), until=_until(),
    )  # fmt: skip


def renew(lease: Lease) -> None:
    # It may have been removed as one that has run out, if this process was held up for long.
    Lease.objects.update_or_create(
        id=lease.id,
        defaults={"until": _until()},
        create_defaults={
            "host": lease.host, "pid": lease.pid, "backend_name": lease.backend_name,
            "queues": lease.queues, "until": _until(),
        },
    )  # fmt: skip


def worker_name(lease: Lease, number: int) -> str:
    return f"{PREFIX}{lease.id}.{number}"


@dataclass
class Left:
    """How many jobs of workers that have ended run again, and how many have failed: they killed too many."""

    given_back: int = 0
    failed: int = 0

    def said(self, whose: str) -> str:
        lines = []
        if self.given_back:
            lines.append(f"{jobs(self.given_back)} of {whose}: given back.")
        if self.failed:
            lines.append(f"{jobs(self.failed)} of {whose}: failed, having killed {conf.attempts()} workers.")
        return " ".join(lines)

    def __bool__(self) -> bool:
        return bool(self.given_back or self.failed)


def give_back_lost(backend_name: str) -> Left:
    """Give back the jobs whose process is not heard of any more."""
    Lease.objects.filter(until__lt=timezone.now()).delete()
    alive = set(Lease.objects.values_list("id", flat=True))
    return give_back(row for row in _running(backend_name) if _lease_of(row) not in {*alive, None})


def give_back_of(backend_name: str, worker: str) -> Left:
    """Give back what this worker, which has ended, had begun."""
    return give_back(row for row in _running(backend_name) if row.worker_ids[-1:] == [worker])


def give_back(rows: Iterable[Any]) -> Left:
    """Have these run again, or fail if they have killed as many workers as they may."""
    left = Left()
    for row in rows:
        as_taken = type(row).objects.filter(pk=row.pk, status=Status.RUNNING, started_at=row.started_at)
        if len(row.worker_ids) < conf.attempts():
            left.given_back += as_taken.update(status=Status.READY, started_at=None)
        else:
            error = f"{WorkerKilled.__module__}.{WorkerKilled.__qualname__}"
            left.failed += as_taken.update(
                status=Status.FAILED,
                finished_at=timezone.now(),
                exception_class_path=error,
                traceback=f"{error}: The worker was killed {len(row.worker_ids)} times while it ran this job.",
            )
    return left


def is_gone(lease: Lease) -> bool:
    """Whether its process has ended without a word. Of other machines nobody here knows that."""
    if lease.host != socket.gethostname():
        return False
    try:
        os.kill(lease.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        # Somebody else's, so it is there.
        return False
    return False


def jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"


def _running(backend_name: str) -> Any:
    from django_tasks_db.models import DBTaskResult

    return DBTaskResult.objects.filter(backend_name=backend_name, status=Status.RUNNING)


def _lease_of(row: Any) -> str | None:
    """The lease that a running job hangs on; None if its worker is not one of ours."""
    worker = row.worker_ids[-1] if row.worker_ids else ""
    return worker.removeprefix(PREFIX).rpartition(".")[0] if worker.startswith(PREFIX) else None


def _until() -> Any:
    return timezone.now() + timedelta(seconds=conf.lease_seconds())
