"""The pages of jobs in Chromium under a strict Content-Security-Policy, while real jobs run."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from csp.constants import NONCE
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from tests.dojo.conftest import dojo_root as dojo_root
from tests.dojo.test_csp import POLICY
from tests.jobs import tasks
from tests.jobs.helpers import JOBS, names, work
from tests.support.axe import violations
from tests.support.browser import complaints, page_text, wait_for, without_javascript

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*JOBS, pytest.mark.urls("tests.jobs.urls")]


class Page:
    """The page of one job, in the browser of its owner."""

    def __init__(self, browser: Any, site: str, owner: User) -> None:
        self.browser, self.site, self.owner = browser, site, owner
        client = Client()
        client.force_login(owner)
        browser.get(f"{site}/sign-in/")
        browser.add_cookie({"name": "sessionid", "value": client.cookies["sessionid"].value})

    def show(self, job: Any, prefix: str = "jobs") -> None:
        self.browser.get(f"{self.site}/{prefix}/{job.id}/")

    def wait_for(self, text: str) -> None:
        wait_for(self.browser, lambda: text in page_text(self.browser), f"The page should say {text!r}", seconds=60)

    def bar(self) -> dict[str, Any]:
        """The plain bar's value, or that it has none; and of how much."""
        found: dict[str, Any] = self.browser.execute_script(
            "const bar = document.querySelector('progress');"
            "return {value: bar.hasAttribute('value') ? bar.value : null, max: bar.max, hidden: bar.hidden};"
        )
        return found

    def buttons(self) -> list[str]:
        """What can be pressed."""
        return [each.text for each in self.browser.find_elements("tag name", "button") if each.is_displayed()]

    def press(self, text: str) -> None:
        self.browser.find_element("xpath", f"//button[text()='{text}']").click()

    def assert_sound(self) -> None:
        assert complaints(self.browser) == []
        assert violations(self.browser) == []


@pytest.fixture
def page(settings: Any, live_server: Any, browser: Any) -> Page:
    settings.LOGIN_URL = "login"
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": {**POLICY, "script-src": [NONCE]}}
    settings.MIDDLEWARE = [
        "csp.middleware.CSPMiddleware",
        *settings.MIDDLEWARE,
        "djintegrate.jobs.middleware.JobsMiddleware",
    ]
    ada = User.objects.create_user("ada")
    settings.JOBS_OWNER = lambda: ada
    return Page(browser, live_server.url, ada)


@pytest.fixture
def worker() -> Iterator[Any]:
    """worker() empties the queue beside the test."""
    with ThreadPoolExecutor(1) as pool:
        begun: list[Future[None]] = []
        yield lambda: begun.append(pool.submit(_work_and_close))
        for each in begun:
            each.result()


def test_the_bar_moves_while_the_transaction_of_the_job_is_open(page: Page, worker: Any, tmp_path: Path) -> None:
    job = tasks.wait_until_told.enqueue(str(tmp_path))
    page.show(job)
    page.wait_for("Waiting for a worker")
    assert page.bar()["value"] is None
    page.assert_sound()
    worker()
    page.wait_for("Running half of it")
    assert page.bar() == {"value": 1, "max": 2, "hidden": False}
    assert names() == [], "the job's transaction is open"
    (tmp_path / "go").touch()
    page.wait_for("Done")
    assert page.bar()["value"] == page.bar()["max"]
    assert names() == ["waiting"]
    page.wait_for("Started")
    page.wait_for("Ended")
    assert page.buttons() == []
    page.assert_sound()


def test_its_button_stops_a_job(page: Page, worker: Any, tmp_path: Path) -> None:
    job = tasks.wait_until_told.enqueue(str(tmp_path))
    (tmp_path / "deaf").touch()
    worker()
    page.show(job)
    try:
        page.wait_for("Running half of it")
        assert page.buttons() == ["Stop"]
        page.press("Stop")
        page.wait_for("Stopping …")
        assert page.buttons() == []
        (tmp_path / "deaf").unlink()
        page.wait_for("Stopped as asked")
        page.wait_for("Ended")
        assert page.buttons() == []
    finally:
        (tmp_path / "deaf").unlink(missing_ok=True)
        (tmp_path / "go").touch()
    assert names() == []
    page.show(job)
    assert page.bar() == {"value": 1, "max": 2, "hidden": False}
    assert not page.browser.find_elements("xpath", "//button[text()='Stop']")
    page.assert_sound()


def test_who_is_signed_out_is_told_to_sign_in_again(page: Page, worker: Any, tmp_path: Path) -> None:
    job = tasks.wait_until_told.enqueue(str(tmp_path))
    page.show(job)
    page.wait_for("Waiting for a worker")
    cookie = page.browser.get_cookie("sessionid")
    page.browser.delete_cookie("sessionid")
    page.wait_for("You have been signed out. Sign in again.")
    assert "does not answer" not in page_text(page.browser)
    link = page.browser.find_element("link text", "You have been signed out. Sign in again.")
    assert link.get_attribute("href").endswith(f"/jobs/{job.id}/")
    # In another window.
    page.browser.add_cookie({"name": "sessionid", "value": cookie["value"]})
    worker()
    try:
        page.wait_for("Running half of it")
        assert "signed out" not in page_text(page.browser)
    finally:
        (tmp_path / "go").touch()
    page.wait_for("Done")


def test_a_job_that_is_not_this_persons_is_no_site_that_does_not_answer(page: Page) -> None:
    job = tasks.add.enqueue("it")
    page.show(job)
    page.wait_for("Waiting for a worker")
    client = Client()
    client.force_login(User.objects.create_user("somebody else"))
    page.browser.add_cookie({"name": "sessionid", "value": client.cookies["sessionid"].value})
    page.wait_for("This job cannot be seen any more.")


def test_a_job_that_is_put_off_says_until_when_and_goes_on(page: Page) -> None:
    job = tasks.put_off.enqueue(1)
    page.show(job)
    page.wait_for("Waiting for a worker")
    work()
    page.wait_for("Will try again at")
    page.wait_for("It is too early.")
    page.assert_sound()
    DBTaskResult.objects.update(run_after=timezone.now())
    work()
    page.wait_for("Failed")
    assert "Attempts\n2" in page_text(page.browser) or "Attempts 2" in page_text(page.browser)


def test_a_job_that_fails_and_one_that_says_nothing_end_by_themselves(page: Page) -> None:
    for task, said in ((tasks.fail, "Failed"), (tasks.add, "Done")):
        job = task.enqueue("it")
        page.show(job)
        page.wait_for("Waiting for a worker")
        work()
        page.wait_for(said)
        assert "cannot be done" not in page_text(page.browser)
        page.assert_sound()
    page.browser.get(f"{page.site}/jobs/")
    text = page_text(page.browser)
    assert "Fail" in text and "Failed" in text and "Add" in text and "Done" in text
    page.assert_sound()


def test_a_job_that_its_queue_forgets_is_not_waited_for(page: Page, redis: Any) -> None:
    job = tasks.add.using(backend="outbox").enqueue("it")
    page.show(job)
    page.wait_for("Waiting for a worker")
    redis.flushall()
    page.wait_for("Nothing is known of it any more")
    assert page.bar() == {"value": 0, "max": 1, "hidden": False}
    page.assert_sound()


def test_without_javascript_the_page_comes_again_by_itself(page: Page) -> None:
    job = tasks.report.enqueue(4)
    with without_javascript(page.browser):
        page.show(job)
        assert "Waiting for a worker" in _body(page)
        work()
        wait_for(page.browser, lambda: "Done" in _body(page), "The page should come again", seconds=60)
        assert "row 4" in _body(page)


def test_with_dojo_the_bar_is_a_dijit(page: Page, worker: Any, tmp_path: Path, dojo_root: Path) -> None:
    job = tasks.wait_until_told.enqueue(str(tmp_path))
    worker()
    try:
        page.show(job, "with-dojo")
        page.wait_for("Running half of it")
        wait_for(page.browser, lambda: page.bar()["hidden"], "There should be a dijit", seconds=60)
        assert _dijit(page) == [False, 1, 2]
    finally:
        (tmp_path / "go").touch()
    page.wait_for("Done")
    wait_for(page.browser, lambda: _dijit(page) == [False, 1, 1], "The dijit should be full")
    page.assert_sound()


def _dijit(page: Page) -> Any:
    return page.browser.execute_script(
        "const bar = require('dijit/registry').byNode(document.querySelector('.dijitProgressBar'));"
        "return [bar.indeterminate, Number(bar.value), bar.maximum];"
    )


def _body(page: Page) -> str:
    return str(page.browser.find_element("tag name", "body").text)


def _work_and_close() -> None:
    work()
    connections.close_all()
