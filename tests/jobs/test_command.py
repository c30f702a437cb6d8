"""`manage.py jobs`: real processes on a site of their own, in a file of SQLite; and what the list says."""

from __future__ import annotations

import io
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django_tasks_db.models import DBTaskResult

from djintegrate.jobs.management.commands.jobs import Command
from djintegrate.jobs.models import Job, Lease
from tests.jobs import tasks
from tests.jobs.helpers import only_row, work
from tests.support.forks import python

pytest_plugins = ["tests.support.fixtures"]
SECONDS = 60
ROOT = Path(__file__).resolve().parents[2]


class Site:
    """A site with jobs, whose processes are others than this one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "proofs.jobs.site",
            "JOBS_PROOF_FOLDER": str(folder),
            "JOBS_PROOF_URI": f"sqlite:{folder}/site.sqlite3?timeout=30",
        }
        self.runners: list[subprocess.Popen[str]] = []

    def django(self, *arguments: str) -> str:
        return self._python("-m", "django", *arguments)

    def enqueue(self, task: str, *arguments: object) -> str:
        job = f"tasks.{task}.enqueue(*{arguments})"
        return self._python(
            "-c", f"import django; django.setup(); from proofs.jobs import tasks; print({job}.id)"
        ).strip()

    def run(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "django", "jobs", "run", "--no-reload", "--interval", "0.05", *arguments]
        process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.runners.append(process)
        return process

    def states(self) -> list[str]:
        """Of the jobs, in their order."""
        with closing(sqlite3.connect(self.folder / "site.sqlite3")) as connection:
            rows = connection.execute(f"SELECT status FROM {DBTaskResult._meta.db_table} ORDER BY enqueued_at")
            return [status for (status,) in rows]

    def close(self) -> None:
        (self.folder / "go").touch()
        for process in self.runners:
            for worker in workers_of(process):
                os.kill(worker, signal.SIGKILL)
            process.kill()
            process.communicate(timeout=SECONDS)

    def _python(self, *arguments: str) -> str:
        done = python(*arguments, cwd=ROOT, env=self.environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory, db_kind: str) -> Path:
    """The folder of a site whose tables are there."""
    if db_kind != "sqlite":
        pytest.skip("The processes' site is SQLite's.")
    site = Site(tmp_path_factory.mktemp("migrated"))
    site.django("migrate", "--run-syncdb")
    return site.folder


@pytest.fixture
def site(tmp_path: Path, migrated: Path) -> Iterator[Site]:
    shutil.copytree(migrated, tmp_path, dirs_exist_ok=True)
    site = Site(tmp_path)
    yield site
    site.close()


class TestRun:
    def test_it_runs_jobs_with_a_line_for_each_and_ends_when_asked_to(self, site: Site) -> None:
        good, bad = site.enqueue("grant", "a"), site.enqueue("refuse", "b")
        runner = site.run("--workers", "2")
        _wait_for(lambda: site.states() == ["SUCCESSFUL", "FAILED"])
        runner.terminate()
        said, _ = runner.communicate(timeout=SECONDS)
        assert runner.returncode == 0
        assert said.startswith("Running the jobs of 'default' with 2 workers.")
        assert f"grant {good}: done in " in said
        assert f"refuse {bad}: failed after " in said and "ValueError: b is refused" in said
        assert said.endswith("Ended.\n")

    def test_what_runs_at_sigterm_is_finished(self, site: Site) -> None:
        job = site.enqueue("wait", str(site.folder))
        runner = site.run()
        _wait_for((site.folder / "begun").exists)
        runner.terminate()
        time.sleep(0.5)
        (site.folder / "go").touch()
        said, _ = runner.communicate(timeout=SECONDS)
        assert f"wait {job}: done in " in said

    def test_what_takes_longer_than_the_grace_is_given_back(self, site: Site) -> None:
        site.enqueue("wait", str(site.folder))
        runner = site.run("--grace", "0.2")
        _wait_for((site.folder / "begun").exists)
        runner.terminate()
        said, _ = runner.communicate(timeout=SECONDS)
        assert "1 job of jobs-" in said and "given back" in said
        assert site.states() == ["READY"]

    def test_who_asks_twice_does_not_wait(self, site: Site) -> None:
        site.enqueue("wait", str(site.folder))
        runner = site.run("--grace", "100000")
        _wait_for((site.folder / "begun").exists)
        runner.terminate()
        time.sleep(0.5)
        assert runner.poll() is None
        runner.terminate()
        said, _ = runner.communicate(timeout=SECONDS)
        assert "given back" in said and site.states() == ["READY"]

    def test_the_job_of_a_worker_that_was_killed_runs_again(self, site: Site) -> None:
        site.enqueue("wait", str(site.folder))
        runner = site.run()
        _wait_for((site.folder / "begun").exists)
        [worker] = workers_of(runner)
        os.kill(worker, signal.SIGKILL)
        (site.folder / "go").touch()
        _wait_for(lambda: site.states() == ["SUCCESSFUL"])

    def test_the_jobs_of_a_process_that_was_killed_run_again_when_its_lease_is_over(self, site: Site) -> None:
        site.enqueue("wait", str(site.folder))
        runner = site.run()
        _wait_for((site.folder / "begun").exists)
        [worker] = workers_of(runner)
        runner.kill()
        os.kill(worker, signal.SIGKILL)
        (site.folder / "begun").unlink()
        site.run()
        _wait_for((site.folder / "begun").exists)
        (site.folder / "go").touch()
        _wait_for(lambda: site.states() == ["SUCCESSFUL"])

    def test_a_second_process_with_the_same_pid_file_says_who_holds_it(self, site: Site) -> None:
        file = site.folder / "jobs.pid"
        runner = site.run("--pidfile", str(file))
        _wait_for(lambda: file.exists() and bool(file.read_text()))
        second = site.run("--pidfile", str(file))
        said, _ = second.communicate(timeout=SECONDS)
        assert second.returncode == 1
        assert f"{file} is held by process {runner.pid}, which is running." in said
        runner.terminate()
        runner.wait(SECONDS)
        assert not file.exists()


@pytest.mark.django_db(transaction=True, databases=["default", "second"])
@pytest.mark.usefixtures("nothing_left")
class TestListStopRetry:
    def test_the_list_says_what_each_job_is_and_why_it_failed(self) -> None:
        assert _jobs("list") == "There are no jobs.\n"
        tasks.fail.enqueue("it")
        work()
        waiting = tasks.add.enqueue("it")
        first, second = _jobs("list").splitlines()
        assert first.startswith(f"{waiting.id}  ready") and first.endswith("  add")
        assert "  failed  " in second and second.endswith("ValueError: it cannot be done")

    def test_a_job_that_has_stopped_has_not_failed(self) -> None:
        job = tasks.stop_with.enqueue("Good night.")
        work()
        [line] = _jobs("list").splitlines()
        assert line.startswith(f"{job.id}  stopped  ") and line.endswith("  Good night.")

    def test_what_the_outbox_has_not_sent_is_counted(self, redis: object) -> None:
        tasks.add.using(backend="outbox").enqueue("it")
        Job.objects.update(inner_id="")
        assert "1 not sent" in _jobs("list")

    def test_a_failed_job_runs_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tasks, "failures_left", 0)
        job = tasks.fail.enqueue("it")
        with pytest.raises(CommandError, match="is ready: only one that has failed or was stopped can run again"):
            _jobs("retry", job.id)
        work()
        assert _jobs("retry", job.id) == f"fail {job.id}: runs again\n"
        assert (only_row().status, only_row().traceback) == ("READY", "")

    def test_so_does_one_that_was_stopped(self) -> None:
        job = tasks.add.enqueue("it")
        _jobs("stop", job.id)
        assert _jobs("retry", job.id) == f"add {job.id}: runs again\n"
        work()
        assert only_row().status == "SUCCESSFUL"

    def test_djangos_options_may_stand_on_both_sides_of_the_subcommand(self) -> None:
        parser = Command().create_parser("manage.py", "jobs")
        for words in (["list", "--settings", "x", "-v", "2"], ["--settings", "x", "-v", "2", "list"]):
            options = parser.parse_args(words)
            assert (options.settings, options.verbosity, options.traceback) == ("x", 2, False)

    @pytest.mark.parametrize("command", [["run"], ["list"], ["stop", "x"], ["retry", "x"]], ids=str)
    def test_without_tables_it_says_what_to_run(self, command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Lease._meta, "db_table", "jobs_not_there")
        with pytest.raises(CommandError, match=r"has no table jobs_not_there\. Run manage\.py migrate"):
            _jobs(*command)

    def test_a_waiting_job_is_stopped_once(self) -> None:
        job = tasks.add.enqueue("it")
        assert _jobs("stop", job.id) == f"add {job.id}: stopped before it began\n"
        with pytest.raises(CommandError, match="has ended"):
            _jobs("stop", job.id)

    @pytest.mark.parametrize("command", ["stop", "retry"])
    def test_an_unknown_job_is_said_to_be_unknown(self, command: str) -> None:
        with pytest.raises(CommandError, match="There is no job 'x'"):
            _jobs(command, "x")
        assert not DBTaskResult.objects.exists()


@pytest.mark.parametrize("wanted", ["nosuch"])
def test_a_backend_that_is_not_there_is_said_with_those_that_are(wanted: str) -> None:
    with pytest.raises(CommandError, match="'default', 'outbox'"):
        _jobs("run", "--backend", wanted)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--workers", "0", "'0' is not a whole number from 1 on"),
        ("--workers", "two", "'two' is not a whole number"),
        ("--interval", "-1", "'-1' is not a number of seconds"),
        ("--grace", "nan", "'nan' is not a number of seconds"),
        ("--queues", "mail,", "separated by commas, or \\* for all: any name"),
    ],
)
def test_an_option_that_does_not_fit_is_said_with_its_value(option: str, value: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        _jobs("run", f"{option}={value}")


def test_a_queue_that_the_backend_does_not_have_is_said_with_those_it_has(settings: Any) -> None:
    settings.TASKS = {"default": {"BACKEND": "djintegrate.jobs.DatabaseBackend", "QUEUES": ["mail", "exports"]}}
    with pytest.raises(CommandError, match=r"--queues is 'mail,export'.*: exports, mail"):
        _jobs("run", "--queues", "mail,export")


def workers_of(runner: subprocess.Popen[str]) -> list[int]:
    children = Path(f"/proc/{runner.pid}/task/{runner.pid}/children")
    return [int(pid) for pid in children.read_text().split()] if children.exists() else []


def _jobs(*arguments: str) -> str:
    out = io.StringIO()
    call_command("jobs", *arguments, stdout=out)
    return out.getvalue()


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
