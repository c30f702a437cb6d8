"""The fixtures of the Dojo tests: the real Dojo, a site that serves one page, and a browser that looks at it."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

from djintegrate.dojo import conf, grid, models
from djintegrate.dojo.build import build, discovery, install
from djintegrate.dojo.fields import auto
from tests.dojo import site
from tests.dojo.forms import Every, Many
from tests.support.browser import kept_browser as kept_browser
from tests.support.browser import kept_windows as kept_windows
from tests.support.browser import prefer_dark
from tests.support.processes import one_at_a_time

MODULES = ("djintegrate/start", "djintegrate/StoreSelect", "dijit/Dialog", *discovery.SELDOM)
"""Of the build, beside those of the forms Many and Every."""


@pytest.fixture(scope="session")
def dojo_root(db_kind: str) -> Path:
    """The folder with the real Dojo, as dojo_install puts it there."""
    if db_kind != "sqlite":
        pytest.skip("What needs Dojo runs beside SQLite alone.")
    root = Path(django_settings.DOJO_ROOT)
    with one_at_a_time(root.parent):
        if not install.installed(root):
            try:
                install.install(root, lambda text: None)
            except install.InstallError as error:
                if os.environ.get("CI", "").lower() in ("1", "true"):
                    pytest.fail(str(error))
                pytest.skip(str(error))
    return root


@pytest.fixture(scope="session")
def release(dojo_root: Path) -> Path:
    """A build with what the forms of the tests use. It is kept from run to run, until something in it changes."""
    if not shutil.which("node"):
        why = "There is no Node in PATH. On Debian, as root: apt-get install nodejs"
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(why)
        pytest.skip(why)
    order = build.Order(
        dojo_root,
        dojo_root.with_name("dojo-release"),
        sorted({*MODULES, *(dijit.module for _, dijit in models.dijits(Many())), *auto.modules_of(Every)}),
        {"djintegrate": discovery.BROWSER_FILES},
        conf.locales(),
        grid.STYLESHEETS,
        look=discovery.LOOK,
    )
    sources = [*discovery.BROWSER_FILES.iterdir(), *Path(build.__file__).parent.glob("*.py"), *install.LOCKED.iterdir()]
    state = [str(order), *(path.read_text() for path in sorted(sources))]
    digest = hashlib.sha256("".join(state).encode()).hexdigest()
    note = order.release / "state"
    with one_at_a_time(order.release.parent):
        if not note.exists() or note.read_text() != digest:
            build.build(order, lambda text: None)
            note.write_text(digest)
    return order.release


@pytest.fixture
def built(settings: Any, release: Path) -> None:
    """The site serves the build, and nothing of Dojo's sources."""
    settings.STATICFILES_DIRS = [("dojo-release", release)]
    settings.DOJO_URL = "/static/dojo-release/dojo"


@pytest.fixture
def sources(dojo_root: Path) -> None:
    """The site serves Dojo's sources, as in development before there is a build: two hundred requests for a page."""


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


class Site(ThreadedWSGIServer):
    """Ends the connections that a browser keeps open when it is closed, and so the threads behind them."""

    daemon_threads = True

    def __init__(self) -> None:
        self.connections: set[Any] = set()
        super().__init__(("127.0.0.1", 0), Quiet, ipv6=False)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def browser(kept_browser: Any) -> Any:
    """Each test's site has an address of its own, so that one window will do for all of them."""
    return kept_browser


@pytest.fixture
def server(request: pytest.FixtureRequest, settings: Any) -> Iterator[str]:
    """The address of a site with tests/dojo/site.py's pages and the static files. Settings hold from its first request.

    It serves the build, or, if the test names that fixture too, the `sources`. `settings` changed before the first
    request decide, the middleware too.
    """
    request.getfixturevalue("sources" if "sources" in request.fixturenames else "built")
    settings.ROOT_URLCONF = "tests.dojo.site"
    settings.MIDDLEWARE = ["djintegrate.dojo.middleware.DojoMiddleware"]
    httpd = Site()

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        with lock:
            if not handlers:
                handlers.append(StaticFilesHandler(WSGIHandler()))
        return handlers[0](environ, start_response)

    lock, handlers = threading.Lock(), []
    httpd.set_app(application)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()
    thread.join()
    site.reset()


@pytest.fixture
def show(server: str, browser: Any) -> Callable[..., Any]:
    """show(form_class, …) opens a page with this form and waits for its dijits: see site.Page for what it takes."""

    def show(*args: Any, state: str = "ready", **options: Any) -> Any:
        site.page = site.Page(*args, **options)
        browser.get_log("browser")  # what an earlier test's page said last
        browser.get(f"{server}/page/")
        if state:
            wait(browser, state)
        return browser

    return show


def wait(browser: Any, state: str = "ready", seconds: float = 30) -> None:
    """Until the page says that its dijits are made, or failed."""
    deadline = time.monotonic() + seconds
    found = "loading"
    while found not in ("ready", "failed") and time.monotonic() < deadline:
        time.sleep(0.02)
        found = browser.execute_script("return document.documentElement.dataset.djintegrate")
    assert found == state, browser.get_log("browser")


@pytest.fixture
def dark(browser: Any) -> Iterator[Callable[[bool], None]]:
    """Lets the browser prefer dark pages, or light ones again."""
    yield lambda is_dark: prefer_dark(browser, is_dark)
    prefer_dark(browser, False)
