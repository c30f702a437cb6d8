"""docs/tutorial/a-job-with-a-progress-bar.md, done from beginning to end in a new project, with real processes."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest

from tests.support.doc_pages import ROOT, blocks

PAGE = "docs/tutorial/a-job-with-a-progress-bar.md"
SECONDS = 60


class Reader:
    """Somebody who does what the page says, in a new project, and looks at the site in a browser of sorts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
        self.environment = {**kept, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
        self.processes: list[subprocess.Popen[bytes]] = []
        handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())]
        self.browser = urllib.request.build_opener(*handlers)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.site = f"127.0.0.1:{probe.getsockname()[1]}"

    def run(self, command: str, **variables: str) -> None:
        done = subprocess.run(
            self._words(command), cwd=self.folder, env={**self.environment, **variables}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, command: str) -> None:
        with (self.folder / "log").open("ab") as log:
            words = self._words(command)
            self.processes.append(
                subprocess.Popen(words, cwd=self.folder, env=self.environment, stdout=log, stderr=log)
            )

    def write(self, name: str, text: str, mode: str = "w") -> None:
        with (self.folder / name).open(mode) as file:
            file.write(text)

    def open(self, path: str, **values: str) -> tuple[str, str]:
        """Where that led, and what is there."""
        address = f"http://{self.site}{path}"
        data = urlencode(values).encode() if values else None
        with self.browser.open(urllib.request.Request(address, data, {"Referer": address})) as answer:
            return answer.url, answer.read().decode()

    def press(self, page: str, action: str, **values: str) -> None:
        [token] = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page))
        self.open(action, csrfmiddlewaretoken=token, **values)

    def sign_in(self) -> bool:
        page = self.open("/admin/login/")[1]
        self.press(page, "/admin/login/", username="ada", password="ada", next="/admin/")
        return True

    def stop_site(self) -> None:
        site = self.processes.pop(0)
        site.terminate()
        site.wait(timeout=SECONDS)

    def close(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(timeout=SECONDS)

    @staticmethod
    def _words(command: str) -> list[str]:
        return [sys.executable if word == "python" else word for word in command.removeprefix("$ ").split()]


@pytest.fixture
def reader(tmp_path: Path, db_kind: str) -> Iterator[Reader]:
    if db_kind != "sqlite":
        pytest.skip("The page's site is on SQLite.")
    reader = Reader(tmp_path)
    yield reader
    reader.close()


def test_the_page_does_what_it_says(reader: Reader) -> None:
    settings, task, view, urls = [block.text for block in blocks(PAGE, "python")]
    compiler, install, migrate, serve, work = [block.text.strip() for block in blocks(PAGE, "console")]
    # As the tests have it already.
    assert compiler.startswith("$ sudo apt install gcc")
    *environment, fetch, start, make_app = install.split("\n")
    assert environment == ["$ python3 -m venv .venv", "$ . .venv/bin/activate"] and "djintegrate[jobs]" in fetch
    reader.run(start.replace("django-admin", "python -m django"))
    reader.run(make_app)
    reader.write("mysite/settings.py", settings, "a")
    reader.run(migrate)
    for name, text in (("reports/tasks.py", task), ("reports/views.py", view), ("mysite/urls.py", urls)):
        reader.write(name, text)
    reader.run("python manage.py check --fail-level WARNING")
    account = {"DJANGO_SUPERUSER_USERNAME": "ada", "DJANGO_SUPERUSER_PASSWORD": "ada"}
    reader.run("python manage.py createsuperuser --noinput --email=", **account)
    reader.start(f"{serve} --noreload {reader.site}")
    reader.start(work)
    wait(lambda: "csrfmiddlewaretoken" in reader.open("/admin/login/")[1], reader)
    # SQLite refuses a request that has read and then writes while `jobs run` does; as the page says, one tries again.
    wait(reader.sign_in, reader)

    address, page = reader.open("/begin/")
    job = address.removeprefix(f"http://{reader.site}")
    assert re.match(r"/jobs/[\w-]+/$", job) and "<h1>Count sheep</h1>" in page

    def status() -> Any:
        return json.loads(reader.open(f"{job}status/")[1])

    # The bar moves.
    wait(lambda: status()["done"], reader)
    before = status()
    wait(lambda: status()["done"] > before["done"], reader)
    assert (before["state"], before["total"], before["message"]) == ("running", 100, f"sheep {before['done']}")
    # Stop stops.
    reader.press(page, f"{job}stop/")
    wait(lambda: status()["state"] == "stopped", reader)
    assert status()["done"] < 100
    assert status()["message"] == "Good night."

    # Now begin() fails after enqueue().
    reader.stop_site()
    broken = view.replace('    return redirect("jobs:detail", job.id)', "    raise RuntimeError(job.id)")
    assert broken != view
    reader.write("reports/views.py", broken)
    reader.start(f"{serve} --noreload {reader.site}")
    wait(lambda: "<h1>Your jobs</h1>" in reader.open("/jobs/")[1], reader)
    with pytest.raises(HTTPError, match="500"):
        reader.open("/begin/")
    assert reader.open("/jobs/")[1].count("Count sheep") == 1


def test_who_is_not_signed_in_begins_nothing_and_is_sent_to_a_page_that_is_there(reader: Reader) -> None:
    settings, task, view, urls = [block.text for block in blocks(PAGE, "python")]
    reader.run("python -m django startproject mysite .")
    reader.run("python manage.py startapp reports")
    reader.write("mysite/settings.py", settings, "a")
    for name, text in (("reports/tasks.py", task), ("reports/views.py", view), ("mysite/urls.py", urls)):
        reader.write(name, text)
    reader.run("python manage.py migrate")
    visit = """
from django.test import Client
from django_tasks_db.models import DBTaskResult
for path in ("/begin/", "/jobs/"):
    answer = Client().get(path, follow=True, headers={"host": "localhost"})
    assert answer.status_code == 200 and b"csrfmiddlewaretoken" in answer.content, path
assert not DBTaskResult.objects.exists()
"""
    reader.write("visit.py", f"import django\ndjango.setup()\n{visit}")
    reader.run("python visit.py", DJANGO_SETTINGS_MODULE="mysite.settings")


def wait(condition: Callable[[], Any], reader: Reader) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except OSError:
            pass  # The site is not up yet.
        time.sleep(0.1)
    pytest.fail((reader.folder / "log").read_text())
