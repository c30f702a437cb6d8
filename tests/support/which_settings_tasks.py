"""A task for the sites of "Which settings do I need?" that have jobs; a module of its own, for @task needs TASKS."""

from __future__ import annotations

from djintegrate.jobs import progress, task


@task
def count(to: int) -> int:
    progress(to, to)
    return to
