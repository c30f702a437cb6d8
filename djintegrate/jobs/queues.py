"""Who works for which queue, as far as is known here: by the leases of `jobs run`, and by what RQ says of its workers.

Nothing of this decides what a worker takes. Where nobody here knows, a queue counts as one that somebody works for.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.utils import timezone

from .backends import DatabaseBackend
from .models import Lease
from .tasks import ALL_QUEUES, Status, backends_of


@dataclass(frozen=True)
class Unserved:
    """A queue that nobody works for, and the command of manage.py by which somebody would."""

    backend_name: str
    name: str
    command: str
    waiting: int = 0
    """So many jobs, where they are rows."""
    is_configured: bool = True
    """Whether the entry of TASKS has it; if not, `jobs run` refuses its name."""


def serves(lease: Lease, queue: str) -> bool:
    return lease.queues is None or ALL_QUEUES in lease.queues or queue in lease.queues


def alive() -> list[Lease]:
    return list(Lease.objects.filter(until__gte=timezone.now()))


def unserved(backend: Any, leases: Iterable[Lease]) -> Iterator[Unserved]:
    """Of the queues that this entry of TASKS has, or in which jobs wait."""
    waiting = _waiting(backend)
    names = {*backend.queues, *waiting}
    is_served = _known_of(backend, names, leases)
    for name in sorted(names):
        if not is_served(name):
            is_configured = not backend.queues or name in backend.queues
            yield Unserved(backend.alias, name, command(backend, name), waiting.get(name, 0), is_configured)


def unserved_of(backend: Any, queue: str, leases: Iterable[Lease]) -> Unserved | None:
    """The same of one queue, however many jobs wait in it."""
    is_served = _known_of(backend, [queue], leases)(queue)
    return None if is_served else Unserved(backend.alias, queue, command(backend, queue))


def command(backend: Any, queue: str) -> str:
    if not isinstance(backend, DatabaseBackend):
        return f"rqworker --job-class django_tasks_rq.Job {shlex.quote(queue)}"
    [first, *_others] = backends_of(DatabaseBackend)
    entry = "" if backend.alias == first.alias else f" --backend {shlex.quote(backend.alias)}"
    return f"jobs run{entry} --queues {shlex.quote(queue)}"


def _known_of(backend: Any, names: Iterable[str], leases: Iterable[Lease]) -> Callable[[str], bool]:
    """Whether somebody works for one of these queues of this backend."""
    if isinstance(backend, DatabaseBackend):
        mine = [lease for lease in leases if lease.backend_name == backend.alias]
        return lambda queue: any(serves(lease, queue) for lease in mine)
    served = _of_rq(backend, names)
    return lambda queue: served is None or queue in served


def _of_rq(backend: Any, names: Iterable[str]) -> set[str] | None:
    """The queues for which RQ has a worker; None for another queue than RQ's, or if Redis does not answer."""
    if not any(kind.__module__.startswith("django_tasks_rq.") for kind in type(backend.inner).__mro__):
        return None
    import django_rq
    from rq import Worker

    try:
        workers = [each for name in names for each in Worker.all(connection=django_rq.get_connection(name))]
        return {name for worker in workers for name in worker.queue_names()}
    except Exception:
        # Whatever Redis' library raises if its server is away. That, others say.
        return None


def _waiting(backend: Any) -> dict[str, int]:
    if not isinstance(backend, DatabaseBackend):
        return {}
    from django_tasks_db.models import DBTaskResult

    rows = DBTaskResult.objects.filter(backend_name=backend.alias, status=Status.READY)
    return dict(rows.order_by().values_list("queue_name").annotate(Count("pk")))
