"""What the tests of jobs share: a worker in this process, and what it left."""

from __future__ import annotations

from typing import Any

import pytest
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from tests.apps.people.models import Person

JOBS = [
    pytest.mark.django_db(transaction=True, databases=["default", "second"]),
    pytest.mark.usefixtures("nothing_left"),
]
"""For `pytestmark`: real commits, as a worker makes them."""


def work(name: str = "tests") -> None:
    """Run what is in the queue, by the inner engine's own worker."""
    worker = Worker(
        queue_names=["*"], interval=0, batch=True, backend_name="default", startup_delay=False, max_tasks=None,
        worker_id=name, excluded_queue_names=[],
    )  # fmt: skip
    worker.run()


def names() -> list[str]:
    return sorted(Person.objects.values_list("name", flat=True))


def only_row() -> Any:
    [row] = DBTaskResult.objects.all()
    return row
