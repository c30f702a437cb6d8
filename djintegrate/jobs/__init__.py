"""Long work outside of the request: a job starts if, and only if, the transaction commits.

On Django's Tasks framework: a function with `@task` is enqueued with `.enqueue()`. Inside of a task `progress()`,
`stop_requested()` and `step()` are at hand.
"""

from __future__ import annotations

from .backends import DatabaseBackend, OutboxBackend
from .errors import JobLost, Stopped
from .reports import progress, stop_requested
from .running import step
from .tasks import task

__all__ = [
    "DatabaseBackend",
    "JobLost",
    "OutboxBackend",
    "Stopped",
    "progress",
    "step",
    "stop_requested",
    "task",
]
