"""Jobs: a task keeps the parameters and the result of its function."""

from __future__ import annotations

from typing_extensions import assert_type

from djintegrate.jobs import JobLost, Stopped, progress, step, stop_requested, task


@task
def export(sprint: int, title: str = "") -> str:
    for done in range(10):
        progress(done, 10, "sessions")
        assert_type(stop_requested(), bool)
        if stop_requested():
            raise Stopped
        with step() as nothing:
            assert_type(nothing, None)
    return title


@task(priority=5)
def urgent() -> None:
    """With options."""


def enqueue() -> None:
    result = export.enqueue(1, title="August")
    assert_type(result.id, str)
    assert_type(result.return_value, str | None)
    assert_type(export.call(1), str)
    urgent.enqueue()
    assert issubclass(JobLost, Exception)
