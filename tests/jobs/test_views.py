"""The pages of jobs: for their owner, and for staff with the permission; for nobody else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.template import Context, Template
from django.test import AsyncClient, Client, RequestFactory
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from djintegrate.jobs import catalogue, leases, wording
from djintegrate.jobs.models import Job
from tests.jobs import tasks
from tests.jobs.helpers import JOBS, only_row, work

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*JOBS, pytest.mark.urls("tests.jobs.urls")]


@pytest.fixture(autouse=True)
def site(settings: Any) -> None:
    settings.LOGIN_URL = "login"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "djintegrate.jobs.middleware.JobsMiddleware"]


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada")


def nowhere(folder: Path) -> dict[str, str]:
    """An entry of CACHES whose server is down."""
    return {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": f"unix://{folder}/none.socket"}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def staff(*permissions: str) -> User:
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


class TestTheOwner:
    def test_is_who_was_signed_in_when_it_was_enqueued(self, ada: User) -> None:
        job = signed_in(ada).get("/enqueue/").content.decode()
        known = catalogue.find(job)
        assert known is not None and known.is_of(ada)

    def test_is_who_was_signed_in_at_an_asynchronous_view(self, ada: User) -> None:
        client = AsyncClient()
        client.force_login(ada)
        job = async_to_sync(client.get)("/enqueue-asynchronously/").content.decode()
        known = catalogue.find(job)
        assert known is not None and known.is_of(ada)

    def test_is_nobody_for_those_who_were_not(self) -> None:
        job = Client().get("/enqueue/").content.decode()
        known = catalogue.find(job)
        assert known is not None and known.owner is None

    def test_is_whom_jobs_owner_names(self, ada: User, settings: Any) -> None:
        settings.JOBS_OWNER = lambda: ada
        known = catalogue.find(tasks.add.enqueue("it").id)
        assert known is not None and known.is_of(ada)

    def test_sees_the_job_and_its_state(self, ada: User) -> None:
        client = signed_in(ada)
        job = client.get("/enqueue/").content.decode()
        assert client.get(f"/jobs/{job}/status/").json() == {
            "id": job, "state": "ready", "label": "Waiting for a worker", "done": None, "total": None, "message": "",
            "error": "", "started": "", "ended": "", "attempts": 0,
        }  # fmt: skip
        work()
        assert client.get(f"/jobs/{job}/status/").json()["state"] == "successful"
        assert b"Done" in client.get(f"/jobs/{job}/").content
        assert f"/jobs/{job}/".encode() in client.get("/jobs/").content

    def test_may_stop_it(self, ada: User) -> None:
        client = signed_in(ada)
        job = client.get("/enqueue/").content.decode()
        assert client.get(f"/jobs/{job}/stop/").headers["Location"] == f"/jobs/{job}/"
        assert client.get(f"/jobs/{job}/status/").json()["state"] == "ready"
        assert client.post(f"/jobs/{job}/stop/").status_code == 302
        assert client.get(f"/jobs/{job}/status/").json()["state"] == "stopped"
        assert client.post(f"/jobs/{job}/stop/").status_code == 302

    @pytest.mark.parametrize("own", [False, True])
    def test_sees_the_words_of_a_task_that_has_stopped(self, ada: User, settings: Any, own: bool) -> None:
        settings.JOBS_OWNER = lambda: ada
        job = tasks.stop_with.enqueue("Good <night>.\nTwo lines.", own)
        work()
        client = signed_in(ada)
        status = client.get(f"/jobs/{job.id}/status/").json()
        assert (status["state"], status["label"]) == ("stopped", "Stopped")
        assert status["message"] == "Good <night>.\nTwo lines."
        assert b"Good &lt;night&gt;." in client.get(f"/jobs/{job.id}/").content

    def test_is_told_that_a_stop_was_asked_for(self, ada: User, settings: Any) -> None:
        settings.JOBS_OWNER = lambda: ada
        job = tasks.add.enqueue("it")
        only_row().claim("another")
        client = signed_in(ada)
        assert b"<button" in client.get(f"/jobs/{job.id}/").content
        shown = client.post(f"/jobs/{job.id}/stop/", follow=True).content
        assert "Stopping …".encode() in shown and b"<button" not in shown
        assert client.get(f"/jobs/{job.id}/status/").json()["state"] == "stopping"

    def test_is_told_that_a_running_job_could_not_be_asked(self, ada: User, settings: Any, tmp_path: Path) -> None:
        settings.JOBS_OWNER = lambda: ada
        job = tasks.add.enqueue("it")
        only_row().claim("another")
        settings.CACHES = {**settings.CACHES, "jobs": nowhere(tmp_path)}
        answer = signed_in(ada).post(f"/jobs/{job.id}/stop/")
        assert answer.status_code == 503 and b"could not be asked to stop just now" in answer.content
        with pytest.raises(CommandError, match=f"Job {job.id} cannot be asked to stop: JOBS_CACHE does not answer"):
            call_command("jobs", "stop", job.id)

    def test_sees_how_many_jobs_are_taken_first(self, ada: User, settings: Any) -> None:
        settings.JOBS_OWNER = lambda: ada
        jobs = [tasks.add.enqueue("it") for _ in range(3)]
        urgent = tasks.add.using(priority=5).enqueue("it")
        tasks.add.using(run_after=timezone.now() + timedelta(days=1)).enqueue("it")
        client = signed_in(ada)
        said = {job.id: client.get(f"/jobs/{job.id}/status/").json()["message"] for job in [urgent, *jobs]}
        assert list(said.values()) == ["", "1 job is before it", "2 jobs are before it", "3 jobs are before it"]

    def test_sees_when_it_began_and_ended_to_the_second(self, ada: User, settings: Any) -> None:
        settings.JOBS_OWNER = lambda: ada
        job = tasks.add.enqueue("it")
        work()
        page = signed_in(ada).get(f"/jobs/{job.id}/").content.decode()
        for moment in (only_row().started_at, only_row().finished_at):
            assert f"{timezone.localtime(moment):%H:%M:%S}" in page

    def test_reads_one_time_on_the_page_and_in_the_list(self, ada: User, settings: Any) -> None:
        settings.JOBS_OWNER = lambda: ada
        job = tasks.add.enqueue("it")
        shown = wording.moment(only_row().enqueued_at)
        for page in (f"/jobs/{job.id}/", "/jobs/"):
            assert shown in signed_in(ada).get(page).content.decode()

    def test_reads_what_a_job_has_said_before_it_failed_as_that(self, ada: User, settings: Any) -> None:
        settings.JOBS_OWNER = lambda: ada
        job = tasks.report_and_fail.enqueue(2, 3)
        work()
        assert signed_in(ada).get(f"/jobs/{job.id}/status/").json()["message"] == "after: two"
        assert b'<b data-said="state">Failed</b> <span data-said="message">after: two' in (
            signed_in(ada).get(f"/jobs/{job.id}/").content
        )

    @pytest.mark.parametrize("who", ["ada", "staff", "debug"])
    def test_is_told_that_nobody_runs_jobs_if_that_is_theirs_to_know(self, ada: User, settings: Any, who: str) -> None:
        settings.JOBS_OWNER = lambda: ada
        settings.DEBUG = who == "debug"
        job = tasks.add.enqueue("it")
        client = signed_in(staff_with_permission() if who == "staff" else ada)
        said = client.get(f"/jobs/{job.id}/status/").json()["message"]
        assert ("Start a worker: manage.py jobs run" in said) is (who != "ada")
        assert said in client.get(f"/jobs/{job.id}/").content.decode()
        leases.take("default")
        assert client.get(f"/jobs/{job.id}/status/").json()["message"] == ""

    def test_does_not_see_the_inside_of_an_error(self, ada: User, settings: Any) -> None:
        settings.JOBS_OWNER = lambda: ada
        job = tasks.fail.enqueue("secret")
        work()
        client = signed_in(ada)
        status = client.get(f"/jobs/{job.id}/status/").json()
        assert (status["state"], status["message"], status["error"]) == ("failed", "", "")
        assert "secret" not in str(status)
        assert b"secret" not in client.get(f"/jobs/{job.id}/").content


class TestOthers:
    @pytest.mark.parametrize("page", ["", "status/", "stop/"])
    def test_somebody_elses_job_is_a_404(self, ada: User, page: str) -> None:
        job = signed_in(ada).get("/enqueue/").content.decode()
        other = signed_in(User.objects.create_user("other"))
        ask = other.post if page == "stop/" else other.get
        assert ask(f"/jobs/{job}/{page}").status_code == 404
        assert DBTaskResult.objects.get().status == "READY"
        assert job.encode() not in other.get("/jobs/").content

    @pytest.mark.parametrize("page", ["", "{}/", "{}/status/"])
    def test_who_is_not_signed_in_is_asked_to(self, ada: User, page: str) -> None:
        job = signed_in(ada).get("/enqueue/").content.decode()
        answer = Client().get(f"/jobs/{page}".format(job))
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/sign-in/")

    def test_who_signs_in_to_stop_a_job_comes_to_its_page(self, ada: User) -> None:
        job = signed_in(ada).get("/enqueue/").content.decode()
        answer = Client().post(f"/jobs/{job}/stop/")
        assert answer.headers["Location"] == f"/sign-in/?next=/jobs/{job}/"
        assert DBTaskResult.objects.get().status == "READY"

    def test_staff_needs_the_permission(self) -> None:
        job = tasks.fail.enqueue("secret")
        work()
        client = signed_in(staff())
        assert client.get(f"/jobs/{job.id}/").status_code == 404
        client = signed_in(staff_with_permission())
        assert b"ValueError: secret cannot be done" in client.get(f"/jobs/{job.id}/").content
        assert client.get(f"/jobs/{job.id}/status/").json()["error"] == "ValueError: secret cannot be done"

    def test_staff_sees_no_traceback_of_a_job_that_has_stopped(self) -> None:
        job = tasks.stop_with.enqueue("Good night.")
        work()
        client = signed_in(staff("view_job"))
        page = client.get(f"/jobs/{job.id}/").content
        assert b"Good night." in page and b"What went wrong" not in page and b"Stopped:" not in page
        assert client.get(f"/jobs/{job.id}/status/").json()["error"] == ""

    def test_an_unknown_job_is_a_404(self, ada: User) -> None:
        assert signed_in(ada).get("/jobs/8e2a4a4c-9f0b-4f55-8d0d-1f5d1c3f2a11/").status_code == 404


class TestTheOutbox:
    def test_its_jobs_have_the_same_pages(self, ada: User, settings: Any, redis: Any) -> None:
        settings.JOBS_OWNER = lambda: ada
        job = tasks.add.using(backend="outbox").enqueue("it")
        client = signed_in(ada)
        assert client.get(f"/jobs/{job.id}/status/").json()["state"] == "ready"
        assert job.id.encode() in client.get("/jobs/").content
        assert Job.objects.get().owner == ada

    def test_a_job_whose_task_is_gone_is_still_shown(self, ada: User, settings: Any, redis: Any) -> None:
        settings.JOBS_OWNER = lambda: ada
        job = tasks.add.using(backend="outbox").enqueue("it")
        client = signed_in(ada)
        for path in ("tests.jobs.tasks.gone", "tests.jobs.nowhere.gone", "tests.jobs.tasks.time"):
            for inner in ("", Job.objects.get().inner_id):
                Job.objects.update(task_path=path, inner_id=inner)
                assert client.get(f"/jobs/{job.id}/").status_code == 200
                assert job.id.encode() in client.get("/jobs/").content

    def test_what_the_queue_has_forgotten_is_not_said_to_be_done(self, ada: User, settings: Any, redis: Any) -> None:
        settings.JOBS_OWNER = lambda: ada
        job = tasks.add.using(backend="outbox").enqueue("it")
        redis.flushall()
        client = signed_in(ada)
        assert client.get(f"/jobs/{job.id}/status/").json()["state"] == "forgotten"
        for page in (f"/jobs/{job.id}/", "/jobs/"):
            shown = client.get(page).content
            assert b"Nothing is known of it any more" in shown
            # In what a script may show later, each state is named.
            assert b">Done<" not in shown
        assert b'<button class="jobs-button">' not in client.get(f"/jobs/{job.id}/").content
        with pytest.raises(catalogue.NotPossible, match="is forgotten"):
            catalogue.retry(known(job.id))

    def test_a_queue_that_does_not_answer_is_said_on_the_pages(
        self, ada: User, settings: Any, redis: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.JOBS_OWNER = lambda: ada
        jobs = [tasks.add.using(backend="outbox").enqueue(name) for name in ("one", "two")]
        client = signed_in(ada)
        with away(redis):
            listed = client.get("/jobs/")
            assert listed.status_code == 200
            assert listed.content.count(b"Not known: the queue does not answer") == 2
            assert caplog.text.count("The queue of 'outbox' does not answer") == 1, "it was waited for twice"
            shown = client.get(f"/jobs/{jobs[0].id}/")
            assert shown.status_code == 200 and b"Not known: the queue does not answer" in shown.content
            assert client.get(f"/jobs/{jobs[0].id}/status/").json()["state"] == "unknown"
            assert client.post(f"/jobs/{jobs[0].id}/stop/").status_code == 302
            with pytest.raises(catalogue.NotPossible, match="does not answer"):
                catalogue.stop(known(jobs[0].id))
            assert client.get("/admin/jobs/job/").status_code == 302  # ada is not staff
            call_command("jobs", "list")
        assert client.get(f"/jobs/{jobs[0].id}/status/").json()["state"] == "ready"

    def test_a_cache_that_does_not_answer_leaves_the_pages_without_progress(
        self, ada: User, settings: Any, redis: Any, tmp_path: Any
    ) -> None:
        settings.JOBS_OWNER = lambda: ada
        jobs = [tasks.add.enqueue("it"), tasks.add.using(backend="outbox").enqueue("it")]
        settings.CACHES = {**settings.CACHES, "jobs": nowhere(tmp_path)}
        client = signed_in(ada)
        assert client.get("/jobs/").status_code == 200
        for job in jobs:
            status = client.get(f"/jobs/{job.id}/status/").json()
            assert (status["state"], status["done"]) == ("ready", None)

    def test_the_admin_shows_it_and_stops_it(self, ada: User, redis: Any) -> None:
        tasks.add.using(backend="outbox").enqueue("it")
        Job.objects.update(inner_id="", taken_at=None)
        client = signed_in(User.objects.create_superuser("root"))
        assert b"add" in client.get("/admin/jobs/job/").content
        client.post("/admin/jobs/job/", {"action": "stop", "_selected_action": [str(Job.objects.get().pk)]})
        assert not Job.objects.exists()


class TestTheTag:
    def test_it_shows_how_far_the_job_is_and_a_way_on_without_javascript(self, ada: User) -> None:
        job = tasks.report.enqueue(4)
        html = render(job)
        assert f'data-job="/jobs/{job.id}/status/"' in html
        assert "<progress" in html and f'<noscript><p><a href="/jobs/{job.id}/">' in html
        work()
        assert 'max="1" value="1"' in render(job.id)
        assert "<noscript>" not in render(job)

    def test_a_job_that_is_not_there_shows_nothing(self) -> None:
        assert render("8e2a4a4c-9f0b-4f55-8d0d-1f5d1c3f2a11").strip() == ""

    @pytest.mark.parametrize(
        ("job", "said"), [("nonsense", "no job &#x27;nonsense&#x27;"), ("", "no job &#x27;&#x27;"), (None, "")]
    )
    def test_in_debug_it_says_that_it_was_given_no_job(self, settings: Any, job: Any, said: str) -> None:
        assert render(job).strip() == ""
        settings.DEBUG = True
        assert said in render(job)
        assert bool(said) == bool(render(job).strip())

    def test_what_a_job_says_is_escaped(self, settings: Any) -> None:
        tasks.say.enqueue("<script>alert(1)</script>")
        work()
        html = render(str(only_row().pk))
        assert "<script>alert" not in html and "&lt;script&gt;alert(1)" in html


def known(job_id: str) -> catalogue.Known:
    found = catalogue.find(job_id)
    assert found is not None
    return found


@contextmanager
def away(redis: Any) -> Iterator[None]:
    """The server's socket is somewhere else for a while, so that nobody reaches it."""
    socket = Path(os.environ["TEST_FOLDER"], "redis.socket")
    socket.rename(socket.with_suffix(".away"))
    redis.connection_pool.disconnect()
    try:
        yield
    finally:
        socket.with_suffix(".away").rename(socket)


def staff_with_permission() -> User:
    User.objects.filter(username="staff").delete()
    return staff("view_job")


def render(job: Any) -> str:
    request = RequestFactory().get("/")
    return Template("{% load jobs %}{% job_progress job %}").render(Context({"job": job, "request": request}))
