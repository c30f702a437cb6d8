"""The same empty task twice: on this project's backend, and on that of django-tasks-db."""

from __future__ import annotations

from djintegrate.jobs import task


@task
def ours() -> None:
    """Nothing."""


@task(backend="theirs")
def theirs() -> None:
    """Nothing."""
