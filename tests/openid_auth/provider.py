"""The sample provider as another process, and what a person does there, over real HTTP without a browser.

The fixture `provider` comes from the folder's conftest.py; its people, teams and behaviour are the sample's again for
each test.
"""

from __future__ import annotations

import html
import http.client
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from testproject.provider.register import Behaviour, Register

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Answer:
    """Where the provider sends the browser: by a redirect, or by a form that posts `posted`."""

    url: str
    posted: dict[str, str] | None = None

    @property
    def fields(self) -> dict[str, str]:
        """All that the site is told, by the address and by the form."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True)) | (self.posted or {})


@dataclass
class Provider:
    """A running provider. `url` is what starts identifier select."""

    url: str
    folder: Path

    @property
    def endpoint(self) -> str:
        return f"{self.url}+openid"

    def identity(self, nickname: str = "ada") -> str:
        return f"{self.url}+id/{self.register.read().called(nickname).key}"

    @property
    def register(self) -> Register:
        return Register(self.folder)

    def rename(self, nickname: str, new: str) -> None:
        with self.register.change() as contents:
            contents.called(nickname).nickname = new

    def put_into(self, nickname: str, *teams: str) -> None:
        """The person is in these teams, and in no others."""
        with self.register.change() as contents:
            contents.called(nickname).teams = list(teams)
            contents.teams |= {team: team for team in teams if team not in contents.teams}

    def behave(self, **changes: object) -> None:
        with self.register.change() as contents:
            contents.behaviour = Behaviour(**{**vars(contents.behaviour), **changes})  # type: ignore[arg-type]

    def forget_associations(self) -> None:
        """As after a restart without its files: what sites agreed with it holds no longer."""
        shutil.rmtree(self.folder / "openid", ignore_errors=True)

    def decide(
        self,
        request: str,
        nickname: str = "ada",
        *,
        form: dict[str, str] | None = None,
        allow: bool = True,
        security_key: bool = False,
    ) -> Answer:
        """Open what a site sent the browser to, answer the question there, and return where that leads.

        `form` is for a request that a site sends by a form.
        """
        status, headers, page = self.fetch(request, form)
        if status == 302:
            return Answer(headers["Location"])
        assert status == 200, page
        fields = hidden_fields(page)
        fields |= {"person": self.register.read().called(nickname).key, "allow" if allow else "cancel": "1"}
        if security_key:
            fields["security_key"] = "on"
        cookie = headers["Set-Cookie"].partition(";")[0]
        status, headers, page = self.fetch(f"{self.url}decide", fields, cookie)
        if status == 302:
            return Answer(headers["Location"])
        assert status == 200, page
        action = re.search(r'action="([^"]+)"', page)
        assert action, page
        return Answer(html.unescape(action[1]), hidden_fields(page))

    def fetch(
        self, url: str, form: dict[str, str] | None = None, cookie: str = ""
    ) -> tuple[int, http.client.HTTPMessage, str]:
        parts = urlsplit(url)
        assert url.startswith(self.url), url
        connection = http.client.HTTPConnection(parts.netloc, timeout=20)
        headers = {"Cookie": cookie, "Referer": self.url}
        if form is None:
            connection.request("GET", url.removeprefix(f"http://{parts.netloc}"), headers=headers)
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request("POST", url.removeprefix(f"http://{parts.netloc}"), urlencode(form), headers)
        response = connection.getresponse()
        body = response.read().decode()
        connection.close()
        return response.status, response.headers, body


@pytest.fixture
def provider(provider_process: Provider) -> Iterator[Provider]:
    yield provider_process
    provider_process.forget_associations()
    for file in provider_process.folder.glob("people.*"):
        file.unlink()


@pytest.fixture(scope="session")
def provider_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with started(tmp_path_factory.mktemp("provider"), "-m", "testproject.provider") as provider:
        yield provider


@contextmanager
def started(folder: Path, *program: str) -> Iterator[Provider]:
    """The provider as a process, which `program` runs in Python."""
    command = [sys.executable, *program, "--port", "0", "--folder", str(folder)]
    # Its input ends with this process, however that ends, and it with its input.
    with subprocess.Popen(
        [*command, "--until-input-ends"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        url = process.stdout.readline().strip()
        assert url, "The provider did not start; what it said is above."
        yield Provider(url, folder)
        process.stdin.close()


def hidden_fields(page: str) -> dict[str, str]:
    """Names and values of the hidden inputs of a page."""
    fields = {}
    for tag in re.findall(r"<input[^>]+>", page):
        attributes = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if attributes.get("type") == "hidden":
            fields[attributes["name"]] = attributes.get("value", "")
    return fields
