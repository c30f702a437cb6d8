"""What may go wrong with a job, beside the errors of its own function."""

from __future__ import annotations


class Stopped(Exception):
    """Somebody asked the job to stop, and it did. A task raises this when stop_requested() says so."""


class JobLost(Exception):
    """The job is not this worker's any more: its lease ran out, and another worker may have begun it again."""


class WorkerKilled(Exception):
    """The worker that ran the job was killed, as often as a job may be run at all."""
