"""What a running job and those who watch it tell each other, through Django's cache.

Not through the database: the job's transaction is open, so nobody would see what it writes there, and on SQLite nobody
else could write at all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from math import isfinite
from time import monotonic
from typing import Any

from django.core.cache import BaseCache, caches

from . import conf
from .texts import cut, readable

logger = logging.getLogger("djintegrate.jobs")

KEPT_SECONDS = 24 * 60 * 60
"""A job that reports nothing for a day shows no progress any more until its next report."""

PAUSE_SECONDS = 30
"""For so long a job does without a cache that has not answered: each attempt to reach its server may take seconds."""

LONGEST_MESSAGE = 500

_running: ContextVar[Reporter | None] = ContextVar("running", default=None)


@dataclass(frozen=True)
class Progress:
    """How far a job is. `total` is None where nobody knows how much there is to do."""

    done: float = 0
    total: float | None = None
    message: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def progress(done: float, total: float | None = None, message: object = "") -> None:
    """Tell how far the task is. Others see it at once. Outside of a task, this does nothing.

    `done` is taken for 0 if it is less, and for `total` if it is more; a long message is cut. What is no number leaves
    the bar where it is, with a warning in the log: what the task has done is worth more than what it says of that.
    """
    reporter = _running.get()
    if reporter is None:
        return
    if not _is_number(done):
        reporter.refuse(f"done is {done!r}. Make it a number.")
    elif total is not None and not _is_number(total):
        reporter.refuse(f"total is {total!r}. Make it a number, or None where it is not known.")
    else:
        if total is not None:
            total = max(total, 0)
            done = min(done, total)
        reporter.tell(Progress(max(done, 0), total, cut(readable(str(message)), LONGEST_MESSAGE)))


def stop_requested() -> bool:
    """Whether somebody has asked the task to stop. A task that stops raises djintegrate.jobs.Stopped."""
    reporter = _running.get()
    return reporter is not None and reporter.is_asked_to_stop()


def progress_of(job: str) -> Progress | None:
    """The last report of the job with this id, or None."""
    found = _cache().get(_key("progress", job))
    return None if found is None else Progress(**found)


def ask_to_stop(job: str) -> None:
    _cache().set(_key("stop", job), True, KEPT_SECONDS)


def forget(job: str) -> None:
    """The job begins anew: what was said of its earlier run does not count."""
    _cache().delete_many([_key("progress", job), _key("stop", job)])


class Reporter:
    """Speaks for a job that runs in this process. That the cache does not answer is no reason for the job to fail."""

    def __init__(self, job: str) -> None:
        self.last: Progress | None = None
        """The last report, whether or not others could see it."""
        self._job = job
        self._silent_until = 0.0
        self._has_warned = False
        self._has_refused = False

    def tell(self, progress: Progress) -> None:
        self.last = progress
        self._reach(lambda cache: cache.set(_key("progress", self._job), progress.as_json(), KEPT_SECONDS))

    def refuse(self, why: str) -> None:
        """Once for a job, which may say the same for each of a million rows."""
        if not self._has_refused:
            self._has_refused = True
            logger.warning("progress() of job %s: %s The job goes on; its bar stays where it is.", self._job, why)

    def is_asked_to_stop(self) -> bool:
        return bool(self._reach(lambda cache: cache.get(_key("stop", self._job))))

    def _reach(self, call: Callable[[BaseCache], Any]) -> Any:
        cache = _cache()
        if monotonic() < self._silent_until:
            return None
        try:
            return call(cache)
        except Exception as error:
            # Whatever the cache's own library raises if its server is away.
            self._silent_until = monotonic() + PAUSE_SECONDS
            if not self._has_warned:
                self._has_warned = True
                logger.warning(
                    "JOBS_CACHE does not answer: %s. Job %s goes on; others cannot see its progress, or stop it.",
                    error,
                    self._job,
                )
            return None


@contextmanager
def reporting(reporter: Reporter | None) -> Iterator[None]:
    """What calls progress() and stop_requested() in this block is the job of this reporter."""
    token = _running.set(reporter)
    try:
        yield
    finally:
        _running.reset(token)


def stop_asked_of(job: str) -> bool:
    """Whether the job with this id was asked to stop."""
    return bool(_cache().get(_key("stop", job)))


def _is_number(value: object) -> bool:
    if isinstance(value, float):
        return isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _cache() -> BaseCache:
    return caches[conf.cache()]


def _key(what: str, job: str) -> str:
    return f"djintegrate.jobs:{what}:{job}"
