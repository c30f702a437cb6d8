"""Who works for which queue: a queue that nobody works for is said, by the doctor and on the page of a job in it."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from djintegrate.jobs import catalogue, examination, leases, queues, supervisor, wording
from djintegrate.jobs.models import Lease
from tests.jobs import tasks
from tests.jobs.helpers import JOBS

pytest_plugins = ["tests.support.fixtures"]
pytestmark = JOBS

OURS = "djintegrate.jobs.DatabaseBackend"
HERE = f"{socket.gethostname()}, process {os.getpid()}"


def entries(settings: Any, **entries: list[str]) -> None:
    """The entries of TASKS, with their queues."""
    settings.TASKS = {name: {"BACKEND": OURS, "QUEUES": queues} for name, queues in entries.items()}


def enqueue(queue: str, backend: str = "default", **options: Any) -> Any:
    return tasks.add.using(queue_name=queue, backend=backend, **options).enqueue("it")


def found(is_well: bool) -> list[tuple[str, str]]:
    return [
        (each.said, each.remedy)
        for each in examination.examine()
        if each.is_well is is_well and "cache" not in each.said
    ]


class TestTheDoctor:
    def test_names_the_queues_of_each_process(self, settings: Any) -> None:
        entries(settings, default=["default", "slow"])
        leases.take("default", ["slow", "default"])
        assert found(True) == [(f"Run by {HERE}: queues default, slow.", "")]
        leases.take("default", ["*"])
        assert (f"Run by {HERE}: queues default, slow; {HERE}: all queues.", "") in found(True)
        assert not found(False)

    def test_says_which_queue_is_run_by_nobody(self, settings: Any) -> None:
        entries(settings, default=["default", "mail", "slow"])
        leases.take("default", ["default"])
        enqueue("slow")
        enqueue("slow", run_after=timezone.now() + timedelta(hours=1))
        assert found(False) == [
            ("Nobody runs the queue 'mail'.", "Run: python manage.py jobs run --queues mail"),
            ("Nobody runs the queue 'slow', in which 2 jobs wait.", "Run: python manage.py jobs run --queues slow"),
        ]
        leases.take("default", ["slow", "mail"])
        assert not found(False)

    def test_without_names_in_the_settings_says_it_of_those_that_have_jobs(self, settings: Any) -> None:
        entries(settings, default=[])
        leases.take("default", ["default"])
        assert not found(False)
        enqueue("slow")
        assert found(False) == [
            ("Nobody runs the queue 'slow', in which 1 job waits.", "Run: python manage.py jobs run --queues slow")
        ]

    def test_of_a_queue_that_the_settings_have_no_more_the_remedy_can_be_followed(self, settings: Any) -> None:
        entries(settings, default=["default", "old"])
        enqueue("old")
        entries(settings, default=["default"])
        leases.take("default", ["default"])
        [(said, remedy)] = found(False)
        assert said == "Nobody runs the queue 'old', in which 1 job waits."
        assert remedy == "Add it to QUEUES in TASKS['default'], or run all: python manage.py jobs run"

    def test_does_not_take_one_entry_of_tasks_for_another(self, settings: Any) -> None:
        entries(settings, default=["default"], other=["default"])
        leases.take("default", ["*"])
        assert found(True) == [(f"Run by {HERE}: all queues of 'default'.", "")]
        assert found(False) == [
            (
                "Nobody runs the queue 'default' of TASKS['other'].",
                "Run: python manage.py jobs run --backend other --queues default",
            )
        ]

    def test_knows_nothing_of_a_process_of_an_earlier_version(self, settings: Any) -> None:
        entries(settings, default=["default", "slow"])
        lease = leases.take("default", ["default"])
        Lease.objects.update(queues=None)
        assert found(True) == [(f"Run by {HERE}.", "")]
        assert not found(False)
        lease.refresh_from_db()
        assert queues.serves(lease, "slow")

    def test_says_no_queue_where_nobody_runs_any(self, settings: Any) -> None:
        entries(settings, default=["default", "slow"])
        assert [said for said, _ in found(False)] == ["Nobody runs them."]


def test_a_lease_that_has_run_out_and_comes_back_has_its_queues() -> None:
    lease = leases.take("default", ["slow"])
    Lease.objects.all().delete()
    leases.renew(lease)
    assert Lease.objects.get().queues == ["slow"]


class TestThePage:
    @pytest.fixture
    def staff(self, settings: Any) -> Client:
        settings.ROOT_URLCONF = "tests.jobs.urls"
        client = Client()
        client.force_login(User.objects.create_superuser("boss"))
        return client

    def test_says_that_nobody_runs_the_jobs_queue(self, settings: Any, staff: Client) -> None:
        entries(settings, default=["default", "slow"])
        leases.take("default", ["default"])
        job = enqueue("slow")
        said = staff.get(f"/jobs/{job.id}/status/").json()["message"]
        assert said == (
            "Nobody runs the queue “slow”, as far as is known. Start a worker: manage.py jobs run --queues slow"
        )
        assert said in staff.get(f"/jobs/{job.id}/").content.decode()
        leases.take("default", ["slow"])
        assert staff.get(f"/jobs/{job.id}/status/").json()["message"] == ""

    def test_names_the_entry_where_that_is_not_the_first(self, settings: Any, staff: Client) -> None:
        entries(settings, default=["default"], other=["default"])
        leases.take("default", ["*"])
        said = staff.get(f"/jobs/{enqueue('default', backend='other').id}/status/").json()["message"]
        assert said.endswith("Start a worker: manage.py jobs run --backend other --queues default")

    def test_says_that_nobody_runs_any_where_that_is_so(self, settings: Any) -> None:
        entries(settings, default=["default", "slow"])
        job = catalogue.find(enqueue("slow").id)
        assert job is not None
        assert wording.message(job, for_staff=True).startswith("Nobody runs jobs, as far as is known.")


class TestRQ:
    @pytest.fixture
    def outbox(self, redis: Any, settings: Any) -> Any:
        settings.TASKS = {"default": settings.TASKS["outbox"]}
        leases.take("", ["*"])
        return redis

    @pytest.fixture
    def worker(self, outbox: Any) -> Iterator[None]:
        import django_rq
        from rq import Worker

        worker = Worker([django_rq.get_queue()], connection=outbox)
        worker.register_birth()
        yield
        worker.register_death()

    def test_of_its_queues_too_the_doctor_says_which_nobody_runs(self, outbox: Any) -> None:
        remedy = "Run: python manage.py rqworker --job-class django_tasks_rq.Job default"
        assert found(False) == [("Nobody runs the queue 'default'.", remedy)]
        assert found(True) == [(f"Run by {HERE}: what the outbox has left.", "")]

    def test_with_its_worker_there_is_nothing_to_say(self, worker: None) -> None:
        assert not found(False)
        job = catalogue.find(enqueue("default").id)
        assert job is not None and wording.message(job, for_staff=True) == ""

    def test_the_page_says_it(self, outbox: Any) -> None:
        job = catalogue.find(enqueue("default").id)
        assert job is not None
        assert wording.message(job, for_staff=True) == (
            "Nobody runs the queue “default”, as far as is known. "
            "Start a worker: manage.py rqworker --job-class django_tasks_rq.Job default"
        )

    def test_of_a_redis_that_does_not_answer_nothing_is_known(
        self, outbox: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
    ) -> None:
        import django_rq

        assert len(found(False)) == 1
        monkeypatch.setitem(django_rq.settings.QUEUES, "default", {"URL": f"unix://{tmp_path}/nobody.socket"})
        assert not found(False)


class TestTheGreeting:
    @pytest.fixture(autouse=True)
    def logs(self) -> Iterator[None]:
        """As they were before the command ran in this process."""
        loggers = [logging.getLogger(name) for name in ("djintegrate.jobs", "django_tasks_db")]
        before = [(each.level, list(each.handlers)) for each in loggers]
        yield
        for each, (level, handlers) in zip(loggers, before, strict=True):
            each.setLevel(level)
            each.handlers[:] = handlers

    @pytest.fixture
    def greeting(self, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
        monkeypatch.setattr(supervisor.Supervisor, "run", lambda self: None)

        def greeting(*options: str) -> str:
            call_command("jobs", "run", *options)
            return str(capsys.readouterr().out.splitlines()[0])

        return greeting

    def test_names_the_queues(self, settings: Any, greeting: Any) -> None:
        entries(settings, default=["default", "slow", "mail"])
        assert greeting() == "Running the jobs of 'default' with 1 worker. Queues: all. Ctrl-C ends."
        assert greeting("--queues", "slow") == "Running the jobs of 'default' with 1 worker. Queues: slow. Ctrl-C ends."
        assert greeting("--queues", "slow,mail", "--workers=2") == (
            "Running the jobs of 'default' with 2 workers. Queues: slow, mail. Ctrl-C ends."
        )
        assert (
            greeting("--queues", "slow,*") == "Running the jobs of 'default' with 1 worker. Queues: all. Ctrl-C ends."
        )

    def test_names_the_entry_where_there_are_several(self, settings: Any, greeting: Any) -> None:
        entries(settings, default=["default", "slow"], other=["default"])
        assert greeting("--queues", "slow") == (
            "Running the jobs of 'default' with 1 worker. Queues: slow. Ctrl-C ends."
        )
        assert greeting("--backend", "other").startswith("Running the jobs of 'other' with 1 worker. Queues: all.")

    def test_the_lease_has_them(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        entries(settings, default=["default", "slow"])
        seen: list[Any] = []

        def look_once(process: Any, lease: Lease) -> None:
            seen.extend(Lease.objects.values_list("queues", flat=True))
            process._is_stopping = True

        monkeypatch.setattr(supervisor.Supervisor, "_look_after", look_once)
        # This process is to hear its signals as before.
        monkeypatch.setattr(supervisor.signal, "signal", lambda *args: None)
        monkeypatch.setattr(supervisor, "TICK_SECONDS", 0)
        call_command("jobs", "run", "--queues", "slow", verbosity=0)
        assert seen == [["slow"]]


def test_a_table_of_an_earlier_version_is_to_be_migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lease._meta.get_field("queues"), "column", "not_there")
    with pytest.raises(CommandError, match=r"no column jobs_lease\.not_there\. Run manage\.py migrate"):
        call_command("jobs", "list")
