"""The jobs whose workers are killed."""

from __future__ import annotations

import time
from pathlib import Path

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


@task
def refuse(key: str) -> None:
    raise ValueError(f"{key} is refused")


@task
def wait(folder: str) -> None:
    """Until the file `go` is there."""
    Effect.objects.create(key=folder[-40:])
    Path(folder, "begun").touch()
    while not Path(folder, "go").exists():
        time.sleep(0.02)
