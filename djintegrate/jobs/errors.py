"""What may go wrong with a job, beside the errors of its own function."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta


class Stopped(Exception):
    """Somebody asked the job to stop, and it did. A task raises this when stop_requested() says so."""


class JobLost(Exception):
    """The job is not this worker's any more: its lease ran out, and another worker may have begun it again."""


class WorkerKilled(Exception):
    """The worker that ran the job was killed, as often as a job may be run at all."""


class PutOff(Exception):
    """The task cannot be done now: the same job is to run again after a pause. Its cause says what was in the way."""

    def __init__(self, reason: str, pauses: Sequence[timedelta]) -> None:
        """After the last of the pauses the job fails, with the cause.

        `reason` is for whoever the job belongs to. What the cause says is not: it may name what is inside.
        """
        super().__init__(reason)
        self.reason = reason
        self.pauses = pauses
