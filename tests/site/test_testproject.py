"""The sample site: its own tests, and the whole of what `make run` starts, over real HTTP."""

from __future__ import annotations

import html
import http.cookiejar
import json
import re
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.openid_auth.live import form_of
from tests.openid_auth.provider import hidden_fields
from tests.support.forks import python
from tests.support.sample_site import ROOT, environment, free_port, new_database, serving
from tests.support.sample_site import uri as uri
from tools import run_site

Browse = Callable[[str, "dict[str, str] | None"], str]


class Started(NamedTuple):
    port: int
    uri: str
    folder: Path


def test_the_served_site_has_sample_data_and_an_admin(site: Browse) -> None:
    home = site("/", None)
    assert re.findall(r'<h3><a href="/at/(\w+)/">', home) == ["lisbon", "tallinn"]
    assert "This is the sample site of djintegrate." in home
    steps = ["Sign in as Ada", "Break something", "Cause a conflict", "Propose a session", "Change teams"]
    assert re.findall(r'<h3><(?:a href="[^"]+"|button class="link")>([^<]+)</', home)[:5] == steps
    assert "Two ORMs on one connection" in site("/at/lisbon/grid/", None)
    assert ".agenda" in site("/static/sprints/style.css", None)

    admin = site("/admin/login/?next=/admin/sprints/sessionrow/", {"username": "admin", "password": "admin"})
    assert "32 sessions" in admin


def test_people_of_the_sample_provider_sign_in_offline_and_schedule(site: Browse) -> None:
    home = sign_in(site, "a7fG3kQ")
    assert 'title="Your identities">Ada Okoye</a>' in home
    waiting = re.search(r'Waiting for.*?href="(/at/lisbon/\d+/)"', site("/at/lisbon/", None), re.DOTALL)
    assert waiting
    assert "A room and a time" in site(f"{waiting[1]}schedule/", None)


def test_the_first_steps_take_a_click_each(site: Browse) -> None:
    """Ada is chosen at the provider already; the conflict is in the form that the link leads to."""
    home = site("/", None)
    page = site("/openid/login/?next=/", hidden_fields(home))
    assert re.findall(r'value="(\w+)" required checked>', page) == ["a7fG3kQ"]
    sign_in(site, "a7fG3kQ")
    conflict = re.search(r'<a href="([^"]+)">Cause a conflict', site("/", None))
    assert conflict
    form = site(html.unescape(conflict[1]), None)
    room = re.search(r'<option value="(\d+)" selected>', form)
    day, time = (re.search(rf'name="{name}" value="([^"]+)"', form) for name in ("day", "time"))
    assert room and day and time
    with pytest.raises(urllib.error.HTTPError) as refused:
        sent = {**hidden_fields(form), "room": room[1], "day": day[1], "time": time[1]}
        site(conflict[1].partition("?")[0], sent)
    page = refused.value.read().decode()
    assert " is taken by “" in page and "What is free on" in page


def test_a_failure_leaves_neither_half(site: Browse) -> None:
    sign_in(site, "b2Rw9xT")
    page = site("/one-transaction/", {"fail": "1"})
    assert "Rolled back." in page
    before, written, after = [tuple(map(int, re.findall(r">(\d+) rows", row))) for row in page.split("<tr")[2:5]]
    assert written == (before[0] + 1, before[1] + 1)
    assert after == before
    page = site("/one-transaction/", {})
    assert "Committed." in page
    assert tuple(map(int, re.findall(r">(\d+) rows", page.split("<tr")[4]))) == written


TESTS = "testproject.sprints.tests"


@pytest.mark.parametrize(
    ("labels", "least"),
    [
        pytest.param([TESTS], 100, marks=pytest.mark.at_length, id="all"),
        # Of locks and of both ORMs: what is not the same on every database.
        ([f"{TESTS}.test_at_once", f"{TESTS}.test_one_transaction"], 5),
    ],
)
def test_the_sites_own_tests_pass(uri: str, labels: list[str], least: int, db_kind: str) -> None:
    if db_kind == "sqlite" and labels != [TESTS]:
        pytest.skip("They are among all, which run on SQLite always.")
    done = manage(["test", *labels, "--noinput"], {"DATABASE_URL": uri})
    assert done.returncode == 0, done.stderr
    ran = re.search(r"Ran (\d+) tests", done.stderr)
    assert ran and int(ran[1]) >= least


@pytest.mark.at_length
def test_each_step_is_told_and_another_start_keeps_the_data(tmp_path: Path, started: Started) -> None:
    first = (started.folder / "said").read_text().splitlines()
    with serving(free_port(), started.uri, tmp_path) as second:
        pass
    # PATH leads nowhere here.
    assert (
        "Dojo: no Node in PATH, which builds it: forms stay plain HTML. With Node, make run brings the widgets."
        in first
    )
    assert any(line.startswith("Tables: ") for line in first)
    assert "Sample data: people, sprints and sessions" in first
    assert "Sample data: there are sprints already; nothing is changed" in second


def test_for_launchpad_three_settings_change(tmp_path: Path) -> None:
    show = "import json; from testproject import settings; print(json.dumps(vars(settings), default=str))"

    def settings(variables: dict[str, str]) -> dict[str, str]:
        done = python("-c", show, cwd=ROOT, env=environment(variables))
        assert done.returncode == 0, done.stderr
        return {name: value for name, value in json.loads(done.stdout).items() if name.isupper()}

    sample, launchpad = settings({}), settings({"OPENID_SSO_SERVER_URL": "https://login.launchpad.net/"})
    changed = {name for name in {*sample, *launchpad} if sample.get(name) != launchpad.get(name)}
    assert changed == {"OPENID_SSO_SERVER_URL", "OPENID_FETCH_ALLOWED_HOSTS", "OPENID_PROVIDERS"}


def test_a_port_in_use_is_named_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        with pytest.raises(SystemExit, match=f"Port {port} .* make run PORT={port + 1}"):
            run_site.main()


@pytest.mark.at_length
@pytest.mark.parametrize("command", [["check", "--fail-level", "WARNING"], ["makemigrations", "--check", "--dry-run"]])
def test_the_site_has_nothing_to_complain_about(command: list[str], tmp_path: Path) -> None:
    done = manage(command, {"SITE_FOLDER": str(tmp_path)})
    assert done.returncode == 0, done.stderr


@pytest.mark.at_length
def test_without_debug_a_secret_key_is_demanded() -> None:
    done = manage(["check"], {"DEBUG": "0"})
    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory, db_kind: str, django_db_blocker: Any) -> Iterator[Started]:
    """The site as `make run` starts it, on the database under test."""
    folder, port = tmp_path_factory.mktemp("site"), free_port()
    uri = new_database(folder, db_kind, django_db_blocker, "visited_site")
    with serving(port, uri, folder):
        yield Started(port, uri, folder)


@pytest.fixture
def site(started: Started) -> Browse:
    """That site, and a browser of a kind, without cookies: (address, form) → page."""
    cookies = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(cookies)
    )  # fmt: skip

    def browse(address: str, form: dict[str, str] | None) -> str:
        url = f"http://127.0.0.1:{started.port}{address}"
        data = None
        if form is not None and {"csrfmiddlewaretoken", "openid.sig"} & set(form):
            data = urllib.parse.urlencode(form).encode()
        elif form is not None:
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browse(address, None))
            assert token
            data = urllib.parse.urlencode({**form, "csrfmiddlewaretoken": token[1]}).encode()
        with opener.open(url, data, timeout=30) as response:
            return response.read().decode()

    return browse


def sign_in(site: Browse, person: str) -> str:
    """The page after it, by the button of OpenID 2.0."""
    question = site("/openid/login/", {"openid_identifier": "the one provider"})
    action, answer = form_of(site("/provider/decide", hidden_fields(question) | {"person": person, "allow": "1"}))
    return site(urllib.parse.urlsplit(action)._replace(scheme="", netloc="").geturl(), answer)


def manage(arguments: list[str], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return python("manage.py", *arguments, cwd=ROOT, env=environment(variables))
