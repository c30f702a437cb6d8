"""What a job says of itself is seen by others while its transaction is open; and what others ask, it hears."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from math import inf, nan
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
from django.db import connections

from djintegrate import jobs
from djintegrate.jobs import catalogue, reports
from tests.jobs import tasks
from tests.jobs.conftest import serving
from tests.jobs.helpers import JOBS, names, only_row, work
from tests.support.helpers import wait_until

pytest_plugins = ["tests.support.fixtures"]
pytestmark = JOBS


class TestProgress:
    def test_it_is_seen_while_the_transaction_of_the_job_is_open(self, tmp_path: Path) -> None:
        job = tasks.wait_until_told.enqueue(str(tmp_path))
        with _running(tmp_path):
            known = catalogue.find(job.id)
            assert known is not None and known.progress
        assert known is not None and known.progress == reports.Progress(1, 2, "half of it")

    def test_the_last_value_is_kept_in_the_row(self) -> None:
        job = tasks.report.enqueue(3)
        work()
        reports.forget(job.id)
        known = catalogue.find(job.id)
        assert known is not None and known.progress == reports.Progress(3, 3, "row 3")

    def test_the_last_value_of_a_job_that_fails_is_kept_as_well(self) -> None:
        job = tasks.report_and_fail.enqueue(2, 3)
        work()
        reports.forget(job.id)
        known = catalogue.find(job.id)
        assert known is not None and (known.state, known.progress) == ("FAILED", reports.Progress(2, 3, "two"))

    def test_a_job_that_runs_again_has_said_nothing_yet(self) -> None:
        job = tasks.report_and_fail.enqueue(2, 3)
        work()
        known = catalogue.find(job.id)
        assert known is not None
        catalogue.retry(known)
        assert "progress" not in only_row().args_kwargs

    def test_outside_of_a_job_it_does_nothing(self) -> None:
        jobs.progress(1, 2)
        assert not jobs.stop_requested()

    @pytest.mark.parametrize(("done", "total"), [("1", 2), (1, "2"), (True, 2), (None, 1), (nan, 1), (1, inf)])
    def test_what_is_no_number_leaves_the_bar_where_it_is_with_one_warning(
        self, done: object, total: object, caplog: pytest.LogCaptureFixture
    ) -> None:
        reporter = reports.Reporter("a-job")
        with reports.reporting(reporter):
            jobs.progress(1, 2)
            for _ in range(2):
                jobs.progress(done, total)  # type: ignore[arg-type]
        assert reporter.last == reports.Progress(1, 2)
        [said] = caplog.messages
        assert "a-job" in said and "Make it a number" in said

    def test_a_job_that_divides_nothing_by_nothing_keeps_its_work(self) -> None:
        tasks.add_and_report_no_number.enqueue("it")
        work()
        assert (only_row().status, names()) == ("SUCCESSFUL", ["it by Django", "it by Storm"])

    @pytest.mark.parametrize(
        ("said", "kept"),
        [
            ((-5, 10), (0, 10)),
            ((50, 10), (10, 10)),
            ((3, -1), (0, 0)),
            ((50, None), (50, None)),
            ((-1, None), (0, None)),
        ],
    )
    def test_it_lies_between_nothing_and_all(self, said: tuple[Any, Any], kept: tuple[Any, Any]) -> None:
        reporter = reports.Reporter("a-job")
        with reports.reporting(reporter):
            jobs.progress(*said)
        assert reporter.last == reports.Progress(*kept)

    def test_a_long_message_is_cut(self) -> None:
        reporter = reports.Reporter("a-job")
        with reports.reporting(reporter):
            jobs.progress(1, 2, "long " * 600)
        assert reporter.last is not None
        assert len(reporter.last.message) <= 500 and reporter.last.message.endswith(" …")


class TestStopping:
    def test_a_running_job_hears_of_it(self, tmp_path: Path) -> None:
        job = tasks.wait_until_told.enqueue(str(tmp_path))
        with _running(tmp_path):
            known = catalogue.find(job.id)
            assert known is not None and catalogue.stop(known) == "asked to stop"
            wait_until(lambda: catalogue.find(job.id).is_finished)  # type: ignore[union-attr]
        ended = catalogue.find(job.id)
        assert ended is not None and ended.was_stopped and ended.is_finished

    def test_a_waiting_job_never_begins(self) -> None:
        job = tasks.add.enqueue("it")
        known = catalogue.find(job.id)
        assert known is not None and catalogue.stop(known) == "stopped before it began"
        work()
        assert (only_row().status, only_row().worker_ids) == ("FAILED", [])

    def test_a_job_that_has_ended_cannot_be_stopped(self) -> None:
        job = tasks.add.enqueue("it")
        work()
        known = catalogue.find(job.id)
        assert known is not None
        with pytest.raises(catalogue.NotPossible, match="has ended"):
            catalogue.stop(known)


@pytest.mark.usefixtures("redis_server")
class TestACacheThatDoesNotAnswer:
    """A real Redis is the cache, and is killed."""

    @pytest.fixture
    def start(self, settings: Any) -> Iterator[Callable[[], Popen[bytes]]]:
        socket = Path(os.environ["TEST_FOLDER"], "cache.socket")
        backend = "django.core.cache.backends.redis.RedisCache"
        settings.CACHES = {**settings.CACHES, "jobs": {"BACKEND": backend, "LOCATION": f"unix://{socket}"}}
        with ExitStack() as stack:
            yield lambda: stack.enter_context(serving(socket))

    @pytest.fixture
    def killed(self, start: Callable[[], Popen[bytes]]) -> None:
        kill(start())

    @pytest.mark.usefixtures("killed")
    def test_the_job_succeeds_and_its_last_report_is_kept(self) -> None:
        job = tasks.report.enqueue(3)
        work()
        known = catalogue.find(job.id)
        assert known is not None and (known.state, known.progress) == ("SUCCESSFUL", reports.Progress(3, 3, "row 3"))

    @pytest.mark.usefixtures("killed")
    def test_a_job_that_fails_does_so_by_its_own_error(self) -> None:
        job = tasks.report_and_fail.enqueue(2, 3)
        work()
        known = catalogue.find(job.id)
        assert known is not None and (known.state, known.progress) == ("FAILED", reports.Progress(2, 3, "two"))
        assert known.error == "ValueError: no more"

    @pytest.mark.usefixtures("killed")
    def test_it_is_logged_once_for_each_job(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reports, "PAUSE_SECONDS", 0)
        ids = [tasks.report.enqueue(2).id for _ in range(2)]
        work()
        said = [record.getMessage() for record in caplog.records if "JOBS_CACHE does not answer" in record.getMessage()]
        assert [sum(f"Job {job} goes on" in line for line in said) for job in ids] == [1, 1]

    @pytest.mark.usefixtures("killed")
    def test_nobody_has_asked_it_to_stop(self) -> None:
        tasks.ask_whether_to_stop.enqueue()
        work()
        assert (only_row().status, only_row().return_value) == ("SUCCESSFUL", False)

    def test_when_it_answers_again_it_hears_the_next_report_after_a_while(
        self, start: Callable[[], Popen[bytes]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reporter = reports.Reporter("a-job")
        kill(start())
        reporter.tell(reports.Progress(1))
        start()
        reporter.tell(reports.Progress(2))
        assert reports.progress_of("a-job") is None
        later = reports.monotonic() + reports.PAUSE_SECONDS
        monkeypatch.setattr(reports, "monotonic", lambda: later)
        reporter.tell(reports.Progress(3))
        assert reports.progress_of("a-job") == reports.Progress(3)


def kill(process: Popen[bytes]) -> None:
    process.kill()
    process.wait()


@contextmanager
def _running(folder: Path) -> Iterator[None]:
    """A worker runs wait_until_told(), which has written a row; at the block's end it may go on."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(_work_and_close)
        try:
            wait_until((folder / "begun").exists)
            yield
        finally:
            (folder / "go").touch()
        done.result()


def _work_and_close() -> None:
    work()
    connections.close_all()
