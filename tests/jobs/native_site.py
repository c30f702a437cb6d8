"""A site on Django's own backend, without the engine: jobs that commit, abort, fail, and are given to another worker.

Run by tests/jobs/test_native.py as a process of its own; it prints what it found as JSON.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, connections, transaction  # noqa: E402
from django_tasks_db.models import DBTaskResult  # noqa: E402

from djintegrate import jobs  # noqa: E402
from proofs.jobs.models import Effect  # noqa: E402


@jobs.task
def grant(key: str) -> None:
    Effect.objects.create(key=key)


@jobs.task
def grant_and_fail(key: str) -> None:
    grant.func(key)
    raise ValueError(key)


@jobs.task
def lose(key: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(_give_away, key).result()
    grant.func(key)


@jobs.task
def grant_in_steps(key: str) -> None:
    with jobs.step():
        grant.func(key)
    grant_and_fail.func(f"{key}, second")


def _give_away(key: str) -> None:
    """As another process would take the job."""
    [row] = [row for row in DBTaskResult.objects.filter(status="RUNNING") if row.args_kwargs["args"] == [key]]
    row.claim("another")
    connections.close_all()


def main() -> None:
    call_command("migrate", run_syncdb=True, verbosity=0)
    with transaction.atomic():
        grant.enqueue("committed")
    with suppress(ZeroDivisionError), transaction.atomic():
        grant.enqueue("aborted")
        raise ZeroDivisionError
    with transaction.atomic(), suppress(ZeroDivisionError), transaction.atomic():
        grant.enqueue("rolled back")
        raise ZeroDivisionError
    grant_and_fail.enqueue("failed")
    grant_in_steps.enqueue("step")
    lose.enqueue("lost")
    call_command("db_worker", batch=True, reload=False, startup_delay=False, verbosity=0)
    json.dump(
        {
            "backend": connection.settings_dict["ENGINE"],
            "effects": sorted(Effect.objects.values_list("key", flat=True)),
            "jobs": {_key(row): row.status for row in DBTaskResult.objects.all()},
            "in a block": connection.in_atomic_block,
        },
        sys.stdout,
    )


def _key(row: Any) -> str:
    return str(row.args_kwargs["args"][0])


main()
