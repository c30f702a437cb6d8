"""What a running job and those who watch it tell each other, through Django's cache.

Not through the database: the job's transaction is open, so nobody would see what it writes there, and on SQLite nobody
else could write at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import Any

from django.core.cache import BaseCache, caches

from . import conf

KEPT_SECONDS = 24 * 60 * 60
"""A job that reports nothing for a day shows no progress any more until its next report."""

_running: ContextVar[str | None] = ContextVar("running", default=None)


@dataclass(frozen=True)
class Progress:
    """How far a job is. `total` is None where nobody knows how much there is to do."""

    done: float = 0
    total: float | None = None
    message: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def progress(done: float, total: float | None = None, message: object = "") -> None:
    """Tell how far the task is. Others see it at once. Outside of a task, this does nothing."""
    if not _is_number(done):
        raise TypeError(f"done is {done!r}. Make it a number.")
    if total is not None and not _is_number(total):
        raise TypeError(f"total is {total!r}. Make it a number, or None where it is not known.")
    job = _running.get()
    if job is not None:
        _cache().set(_key("progress", job), Progress(done, total, str(message)).as_json(), KEPT_SECONDS)


def stop_requested() -> bool:
    """Whether somebody has asked the task to stop. A task that stops raises djintegrate.jobs.Stopped."""
    job = _running.get()
    return job is not None and bool(_cache().get(_key("stop", job)))


def progress_of(job: str) -> Progress | None:
    """The last report of the job with this id, or None."""
    found = _cache().get(_key("progress", job))
    return None if found is None else Progress(**found)


def ask_to_stop(job: str) -> None:
    _cache().set(_key("stop", job), True, KEPT_SECONDS)


def forget(job: str) -> None:
    """The job begins anew: what was said of its earlier run does not count."""
    _cache().delete_many([_key("progress", job), _key("stop", job)])


@contextmanager
def reporting(job: str) -> Iterator[None]:
    """What calls progress() and stop_requested() in this block is the job with this id."""
    token = _running.set(job)
    try:
        yield
    finally:
        _running.reset(token)


def stop_asked_of(job: str) -> bool:
    """Whether the job with this id was asked to stop."""
    return bool(_cache().get(_key("stop", job)))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cache() -> BaseCache:
    return caches[conf.cache()]


def _key(what: str, job: str) -> str:
    return f"djintegrate.jobs:{what}:{job}"
