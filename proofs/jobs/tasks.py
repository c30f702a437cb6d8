"""The jobs whose workers are killed."""

from __future__ import annotations

from djintegrate import jobs
from djintegrate.jobs import task
from proofs.jobs.models import Effect


@task
def grant(key: str) -> None:
    """One transaction."""
    Effect.objects.create(key=key)


@task
def grant_in_steps(key: str) -> None:
    """Two transactions: what is in the first is there again if the job runs again."""
    with jobs.step():
        Effect.objects.create(key=key, is_step=True)
    Effect.objects.create(key=key)
