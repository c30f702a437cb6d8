"""npm's oidc-provider, which the OpenID Foundation has certified, as another process; and a browser's way through it.

The fixture `certified` comes from the folder's conftest.py. Without Node the tests that want it are skipped.
"""

from __future__ import annotations

import http.cookiejar
import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

HERE = Path(__file__).parent / "oidc_provider"
FOLDER = Path(__file__).resolve().parents[2] / ".cache" / "oidc-provider"
FILES = ("package.json", "package-lock.json", "server.mjs")
GROUPS = "openid email profile groups"
ADA = {
    "sub": "ada-1", "preferred_username": "ada", "name": "Ada Okoye", "given_name": "Ada", "family_name": "Okoye",
    "email": "ada@people.example", "email_verified": True, "groups": ["sprint-schedulers"],
}  # fmt: skip
BRUNO = {"sub": "bruno-2", "preferred_username": "bruno", "email": "bruno@people.example", "groups": []}


class Certified:
    """The tests' side of the process. `url` is the issuer."""

    def __init__(self, url: str) -> None:
        self.url = url

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def is_person(self, person: dict[str, Any] | None) -> None:
        """Who comes from now on; None for one who says no."""
        self.control(person=person)

    def control(self, **changes: Any) -> list[str]:
        """What was asked for since the last time."""
        found: list[str] = self._post("/control", changes)["requests"]
        return found

    def register(self, site: str = "http://testserver", key: str = "staff", **more: Any) -> dict[str, Any]:
        """A new client of the provider's, for a site whose entry has this key. What the entry says of it."""
        asked = {
            "redirect_uris": [f"{site}/openid/connect/{key}/complete/"],
            "post_logout_redirect_uris": [f"{site}/"],
            "scope": GROUPS,
            **more,
        }
        client = self._post("/reg", asked)
        entry = {"name": "Staff", "key": key, "issuer": self.url, "client_id": client["client_id"], "scope": GROUPS}
        return entry | ({"client_secret": client["client_secret"]} if "client_secret" in client else {})

    def browser(self) -> Browser:
        return Browser(self)

    def _post(self, path: str, data: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            f"{self.url}{path}", json.dumps(data).encode(), {"Content-Type": "application/json"}
        )
        with _opener().open(request, timeout=20) as response:
            return json.load(response)


class Browser:
    """A person's browser at the provider: it keeps the provider's cookies, and stops where it is sent elsewhere."""

    def __init__(self, provider: Certified) -> None:
        self._provider = provider
        self._opener = _opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def go(self, url: str) -> str:
        """Where the provider sends it in the end; the text of its page, if it stays there."""
        for _step in range(12):
            if not url.startswith(self._provider.url):
                return url
            try:
                with self._opener.open(url, timeout=20) as page:
                    return str(page.read().decode())
            except urllib.error.HTTPError as answer:
                location = answer.headers["Location"]
                if not location:
                    return str(answer.read().decode())
                url = location if "://" in location else f"{self._provider.url}{location}"
        raise AssertionError(f"It goes round: {url}")

    def post(self, url: str, form: dict[str, str]) -> str:
        """As `go`, after a form."""
        try:
            with self._opener.open(url, urlencode(form).encode(), timeout=20) as page:
                return str(page.read().decode())
        except urllib.error.HTTPError as answer:
            location = answer.headers["Location"] or ""
            return self.go(location if "://" in location else f"{self._provider.url}{location}")


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


def _opener(*handlers: Any) -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay(), *handlers)


@pytest.fixture(scope="session")
def certified_process() -> Iterator[Certified]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node and npm are not installed: no certified provider of OpenID Connect.")
    install(npm)
    command = [node, "--no-warnings", "server.mjs"]
    with subprocess.Popen(
        command, cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        url = process.stdout.readline().strip()
        assert url, "The certified provider did not start."
        yield Certified(url)
        process.stdin.close()


def install(npm: str) -> None:
    """What the lock file says, once; the server itself as it is now."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    lock = (HERE / "package-lock.json").read_bytes()
    kept = FOLDER / "package-lock.json"
    is_there = (FOLDER / "node_modules").is_dir() and kept.exists() and kept.read_bytes() == lock
    for name in FILES:
        shutil.copyfile(HERE / name, FOLDER / name)
    if is_there:
        return
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--silent", "--cache", str(FOLDER.parent / "npm")]
    done = subprocess.run([npm, "ci", *options], cwd=FOLDER, capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(FOLDER / "node_modules", ignore_errors=True)
        pytest.skip(f"npm could not fetch oidc-provider: {done.stderr[-300:]}")


@pytest.fixture
def certified(certified_process: Certified) -> Certified:
    certified_process.is_person(ADA)
    certified_process.control()
    return certified_process
