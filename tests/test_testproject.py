"""The sample site: its views in this process, and the whole of what `make run` starts, over real HTTP."""

from __future__ import annotations

import http.cookiejar
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import transaction
from django.test import Client

from djintegrate.storm_backend import get_store
from testproject.guestbook.models import Note
from testproject.guestbook.storm_models import Visit
from tools import run_site

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.django_db(transaction=True)
class TestGuestbook:
    def test_a_line_is_kept_by_both_orms(self, client: Client) -> None:
        response = client.post("/sign/", {"text": "kept by both"}, follow=True)
        assert response.redirect_chain == [("/?outcome=kept", 302)]
        assert response.content.decode().count("kept by both") == 2
        assert texts() == (["kept by both"], ["kept by both"])

    def test_a_failure_after_both_were_written_keeps_neither(self, client: Client) -> None:
        response = client.post("/sign/", {"text": "kept by neither", "fail": "1"}, follow=True)
        assert "Rolled back." in response.content.decode()
        assert "kept by neither" not in response.content.decode()
        assert texts() == ([], [])

    def test_the_next_line_is_kept_after_a_failure(self, client: Client) -> None:
        client.post("/sign/", {"text": "first", "fail": "1"})
        client.post("/sign/", {"text": "second"})
        assert texts() == (["second"], ["second"])

    def test_an_empty_line_is_refused_with_a_reason(self, client: Client) -> None:
        response = client.post("/sign/", {"text": " "})
        assert response.status_code == 400
        assert "This field is required." in response.content.decode()
        assert texts() == ([], [])

    def test_what_visitors_write_is_escaped(self, client: Client) -> None:
        page = client.post("/sign/", {"text": "<script>alert(1)</script>"}, follow=True).content.decode()
        assert "<script>" not in page
        assert page.count("&lt;script&gt;") == 2

    def test_signing_needs_a_csrf_token(self) -> None:
        assert Client(enforce_csrf_checks=True).post("/sign/", {"text": "forged"}).status_code == 403
        assert texts() == ([], [])

    @pytest.fixture(autouse=True)
    def _no_visits(self, transactional_db: None) -> Iterator[None]:
        yield
        # Django's flush empties the tables of Django's models only.
        with transaction.manager:
            get_store("main").find(Visit).remove()


def test_the_served_site_writes_and_has_an_admin(site: Callable[[str, dict[str, str] | None], str]) -> None:
    assert "Nothing yet." in site("/", None)
    assert site("/sign/", {"text": "over HTTP"}).count("<q>over HTTP</q>") == 2
    assert "Rolled back." in (undone := site("/sign/", {"text": "undone", "fail": "1"}))
    assert "<q>undone</q>" not in undone
    assert ".halves" in site("/static/guestbook/style.css", None)

    admin = site("/admin/login/?next=/admin/guestbook/note/", {"username": "admin", "password": "admin"})
    assert "over HTTP" in admin
    assert "1 note" in admin


def test_a_port_in_use_is_named_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        with pytest.raises(SystemExit, match=f"Port {port} .* make run PORT={port + 1}"):
            run_site.main()


@pytest.mark.parametrize("command", [["check", "--fail-level", "WARNING"], ["makemigrations", "--check", "--dry-run"]])
def test_the_site_has_nothing_to_complain_about(command: list[str], tmp_path: Path) -> None:
    done = manage(command, {"DATABASE_URL": f"sqlite:{tmp_path}/site.sqlite3"})
    assert done.returncode == 0, done.stderr


def test_without_debug_a_secret_key_is_demanded() -> None:
    done = manage(["check"], {"DEBUG": "0"})
    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr


@pytest.fixture
def site(tmp_path: Path, db_kind: str) -> Iterator[Callable[[str, dict[str, str] | None], str]]:
    """The site as `make run` starts it, on the database under test, and a browser of a kind: (address, form) → page."""
    uri = f"sqlite:{tmp_path}/site.sqlite3" if db_kind == "sqlite" else os.environ[f"TEST_{db_kind.upper()}_URI"]
    cookies = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(cookies)
    )  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    def browse(address: str, form: dict[str, str] | None) -> str:
        url = f"http://127.0.0.1:{port}{address}"
        data = None
        if form is not None:
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browse(url_of_form(address), None))
            assert token
            data = urllib.parse.urlencode({**form, "csrfmiddlewaretoken": token[1]}).encode()
        with opener.open(url, data, timeout=30) as response:
            return response.read().decode()

    with serving(port, uri):
        yield browse


@contextmanager
def serving(port: int, uri: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.run_site"],
        cwd=ROOT, env=environment({"PORT": str(port), "DATABASE_URL": uri}), start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"The site did not come up:\n{process.communicate(timeout=5)[0]}")
                time.sleep(0.05)
        yield
    finally:
        if process.poll() is None:
            # The whole group: the server that reloads itself is two processes.
            os.killpg(process.pid, signal.SIGTERM)
            process.communicate(timeout=30)


def url_of_form(address: str) -> str:
    return "/" if address == "/sign/" else address


def manage(arguments: list[str], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment(variables), capture_output=True, text=True
    )


def environment(variables: dict[str, str]) -> dict[str, str]:
    """This process's, less what would tell the site of other settings than its own."""
    others = ("ALLOWED_HOSTS", "DATABASE_URL", "DEBUG", "DJANGO_SETTINGS_MODULE", "PORT", "SECRET_KEY")
    return {name: value for name, value in os.environ.items() if name not in others} | variables


def texts() -> tuple[list[str], list[str]]:
    """What Storm has, and what Django has."""
    with transaction.manager:
        return [visit.text for visit in get_store("main").find(Visit)], [note.text for note in Note.objects.all()]
