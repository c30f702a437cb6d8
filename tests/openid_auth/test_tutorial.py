"""The tutorial "Log in with Launchpad", followed on a new project, with the sample provider in Launchpad's place."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.openid_auth.live import Visitor
from tests.openid_auth.provider import Provider
from tests.support.forks import python

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/tutorial/log-in-with-launchpad.md").read_text()


@pytest.fixture
def club(tmp_path: Path, provider: Provider, db_kind: str) -> Iterator[str]:
    """The site that the tutorial makes, running."""
    if db_kind != "sqlite":
        pytest.skip("The tutorial's site is on SQLite.")
    urls, settings, teams, groups, _, offline = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    offline = offline.replace("http://127.0.0.1:8001/", provider.url)
    offline = offline.replace("127.0.0.1:8001", provider.url.removeprefix("http://").rstrip("/"))
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    environment["PYTHONPATH"] = str(ROOT)

    def run(*command: str) -> None:
        done = python(*command, cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stderr

    run("-m", "django", "startproject", "club", ".")
    (tmp_path / "club/urls.py").write_text(urls)
    with (tmp_path / "club/settings.py").open("a") as file:
        file.write("\n".join(["", settings, teams, offline]))
    run("manage.py", "migrate")
    run("manage.py", "shell", "-c", groups)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"],
        cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def test_its_end_is_what_it_says(club: str, provider: Provider) -> None:
    visitor = Visitor(club, provider)
    assert visitor.fetch("/").location == "/openid/login/?next=/"
    page = visitor.deliver(visitor.decide(visitor.begin(following="/"), "ada"))
    assert (page.status, page.location) == (302, "/"), page.text
    said = visitor.fetch("/").text
    assert said == "Hello ada, of the groups: schedulers, proposers"
    assert f"`{said}`" in PAGE


def wait_for(port: int, process: Any) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail("The tutorial's site did not come up.")
