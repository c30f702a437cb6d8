"""What jobs cost: `python -m proofs.benchmarks.jobs`. Both sides of each row are taken by turns, in one process.

Enqueueing beside the insertion of the queue's own row by hand, in a transaction; and empty tasks through a worker
beside the same on django-tasks-db's own backend. Ends with 1 when a bound does not hold.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from statistics import median
from typing import cast, get_args

import django

from tools.servers import Kind, running

ENQUEUE_BOUND = 1.1
THROUGHPUT_BOUND = 0.95
THEIRS = "theirs"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.benchmarks.jobs", description=__doc__)
    parser.add_argument("--db", choices=get_args(Kind), default="postgres")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--tasks", type=int, default=100, help="in each round of a worker")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="djintegrate-") as folder, running(cast(Kind, options.db)) as server:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "proofs.jobs.site", "JOBS_PROOF_FOLDER": folder, "JOBS_PROOF_URI": server.uri(),
        }  # fmt: skip
        from django.conf import settings

        settings.TASKS = {
            **settings.TASKS, THEIRS: {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []},
        }  # fmt: skip
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0, run_syncdb=True)
        # First: PostgreSQL passes over the rows that were deleted, and those of the other half are all of one backend.
        throughput = 1 / _ratio(
            lambda: _work("default", options.tasks), lambda: _work(THEIRS, options.tasks), options.rounds
        )
        enqueue = _ratio(_enqueue, _insert, options.rounds)
    print(f"Jobs on {options.db}")
    print(f"  enqueue() beside the row by hand: {enqueue:.2f} (at most {ENQUEUE_BOUND})")
    print(
        f"  empty tasks beside the inner engine's own: {throughput:.2f} of its throughput (at least {THROUGHPUT_BOUND})"
    )
    return 0 if enqueue <= ENQUEUE_BOUND and throughput >= THROUGHPUT_BOUND else 1


def _ratio(ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> float:
    """The median of the rounds' ratios, the first round left out."""
    ratios = []
    for number in range(rounds + 1):
        # Which side comes first makes a small difference.
        if number % 2:
            first = ours()
            ratios.append(first / theirs())
        else:
            second = theirs()
            ratios.append(ours() / second)
    return median(ratios[1:])


def _enqueue() -> float:
    from proofs.jobs.tasks import grant

    return _in_transactions(lambda: grant.enqueue("a key"))


def _insert() -> float:
    from django_tasks_db.models import DBTaskResult

    from proofs.jobs.tasks import grant

    return _in_transactions(
        lambda: DBTaskResult.objects.create(
            args_kwargs={"args": ["a key"], "kwargs": {}}, task_path=grant.module_path, backend_name="default"
        )
    )


def _in_transactions(write: Callable[[], object], times: int = 100) -> float:
    import transaction
    from django_tasks_db.models import DBTaskResult

    began = time.perf_counter()
    for _ in range(times):
        with transaction.manager:
            write()
    took = time.perf_counter() - began
    DBTaskResult.objects.all().delete()
    return took


def _work(backend: str, count: int) -> float:
    """The seconds that a worker takes for this many empty tasks."""
    from django_tasks_db.management.commands.db_worker import Worker
    from django_tasks_db.models import DBTaskResult

    from proofs.benchmarks import jobs_tasks

    task = jobs_tasks.theirs if backend == THEIRS else jobs_tasks.ours
    for _ in range(count):
        task.enqueue()
    worker = Worker(
        queue_names=["*"], interval=0, batch=True, backend_name=backend, startup_delay=False, max_tasks=None,
        worker_id="benchmark", excluded_queue_names=[],
    )  # fmt: skip
    began = time.perf_counter()
    worker.run()
    took = time.perf_counter() - began
    assert DBTaskResult.objects.filter(status="SUCCESSFUL").count() == count
    DBTaskResult.objects.all().delete()
    return took


if __name__ == "__main__":
    sys.exit(main())
