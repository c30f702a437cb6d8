"""The browser of the tests: one headless Chromium for the session, and for each test a context as new.

tests/conftest.py takes the fixtures from here; the functions are for the tests to import. Tests of the browser run
beside SQLite alone: what a page does in a browser is the same over every database. `@pytest.mark.beside("sqlite",
"postgres")` is for those that go through all of a site.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.support.combinations import THOROUGH

if TYPE_CHECKING:
    from selenium import webdriver

PROGRAMS = ("chromium", "chromedriver")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--lang=en",
    "--no-first-run",
    "--no-proxy-server",
]
SHARED_MEMORY = "/dev/shm"
SHARED_MEMORY_NEEDED = 2**30
WIDE = (1280, 900)
NARROW = (360, 740)
AS_NEW: dict[str, dict[str, object]] = {
    "Network.clearBrowserCookies": {},
    "Network.clearBrowserCache": {},
    "Emulation.setEmulatedMedia": {"features": []},
    "Emulation.setFocusEmulationEnabled": {"enabled": False},
    "Emulation.setTimezoneOverride": {"timezoneId": ""},
}
"""What undoes whatever a test did to a browser."""


@pytest.fixture
def browser(request: pytest.FixtureRequest, db_kind: str) -> Iterator[webdriver.Chrome]:
    """A Chromium without cookies, cache or storage, at an empty page. It has no proxy and speaks English."""
    chromium = _chromium(request, db_kind)
    # Not above: most runs of the tests need no browser, and this import takes its time.
    from selenium.common.exceptions import WebDriverException

    context, window = _window(chromium)
    chromium.switch_to.window(window)
    resize(chromium, WIDE)
    chromium.get_log("browser")  # What earlier tests left there is not this one's.
    yield chromium
    # On a machine that is busy enough the answer may come late; the next test has a context of its own in any case.
    with suppress(WebDriverException):
        chromium.browser.remove_user_context(context)
    chromium.switch_to.window(chromium.window_handles[0])


@pytest.fixture
def kept_browser(request: pytest.FixtureRequest, db_kind: str) -> Iterator[webdriver.Chrome]:
    """The same, for a site that has an address of its own in each test: its window is kept for the next test.

    A window and a context take longer than many a test. A site that keeps its address needs those of `browser`: of
    what a page may have put into the browser, the storage of other sites than that of the last page stays here.
    """
    chromium = _chromium(request, db_kind)
    from selenium.common.exceptions import WebDriverException

    windows: list[str] = request.getfixturevalue("kept_windows")
    if not windows:
        windows.append(_window(chromium)[1])
    chromium.switch_to.window(windows[0])
    resize(chromium, WIDE)
    chromium.get_log("browser")
    yield chromium
    try:
        _leave(chromium)
    except WebDriverException:
        # A window that is closed, or asks something, is nothing for the next test.
        windows.clear()
    chromium.switch_to.window(chromium.window_handles[0])


@pytest.fixture(scope="session")
def kept_windows() -> list[str]:
    """At most one."""
    return []


def _chromium(request: pytest.FixtureRequest, db_kind: str) -> webdriver.Chrome:
    beside = request.node.get_closest_marker("beside")
    databases = beside.args if beside else ("sqlite",)
    if db_kind not in databases:
        pytest.skip(f"This runs in a browser, and beside {' and '.join(databases)} alone.")
    chromium: webdriver.Chrome = request.getfixturevalue("chromium")
    return chromium


def _window(chromium: webdriver.Chrome) -> tuple[str, str]:
    """A new context, and a window in it."""
    context = chromium.browser.create_user_context()
    return context, chromium.browsing_context.create(type="window", user_context=context)


def _leave(chromium: webdriver.Chrome) -> None:
    """An empty page, and nothing of what was there is left. By a script: the browser's process stays the same."""
    chromium.switch_to.default_content()
    storage = "for (const store of ['sessionStorage', 'localStorage']) { try { window[store].clear(); } catch {} }"
    chromium.execute_script(f"{storage} location.replace('about:blank')")
    for command, options in AS_NEW.items():
        chromium.execute_cdp_cmd(command, options)


@pytest.fixture(scope="session")
def chromium() -> Iterator[webdriver.Chrome]:
    """The one process; tests ask for `browser`."""
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        why = f"No {' and no '.join(missing)} in PATH. On Debian, as root: apt-get install chromium chromium-driver"
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(why)
        pytest.skip(why)
    # Not above: most runs of the tests need no browser, and this import takes its time.
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in FLAGS:
        options.add_argument(flag)
    if not _has_shared_memory():
        # A container often has too little of it. Files in its place cost some of the processor's time.
        options.add_argument("--disable-dev-shm-usage")
    options.set_capability("webSocketUrl", True)  # contexts are BiDi's
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    # How often it looks for an answer of BiDi's. By itself it waits for a tenth of a second, four times in each test.
    driver.command_executor.client_config.websocket_interval = 0.005
    try:
        yield driver
    finally:
        driver.quit()


def _has_shared_memory() -> bool:
    return os.path.isdir(SHARED_MEMORY) and shutil.disk_usage(SHARED_MEMORY).free >= SHARED_MEMORY_NEEDED


def resize(browser: webdriver.Chrome, size: tuple[int, int]) -> None:
    """Make the page as wide and high as `size` says, as a small screen would; a window has a least width."""
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def looks() -> dict[tuple[int, int], tuple[bool, ...]]:
    """The sizes in which axe is to look at a page, and whether it is dark then: each of both once.

    `make thorough` has all of them together. A page's colours have nothing to do with its width.
    """
    if THOROUGH:
        return dict.fromkeys((WIDE, NARROW), (False, True))
    return {WIDE: (False,), NARROW: (True,)}


def prefer_dark(browser: webdriver.Chrome, dark: bool = True) -> None:
    feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


@contextmanager
def without_javascript(browser: webdriver.Chrome) -> Iterator[None]:
    """Pages that are loaded inside run no script. Selenium itself finds and clicks all the same."""
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def wait_for(browser: webdriver.Chrome, condition: Callable[[], object], why: str, seconds: float = 15) -> None:
    """Until the condition holds. A click returns before its page is there, and pages go while they are read."""
    from selenium.common.exceptions import TimeoutException, WebDriverException
    from selenium.webdriver.support.wait import WebDriverWait

    try:
        WebDriverWait(browser, seconds, 0.05, [WebDriverException]).until(lambda _: condition())
    except TimeoutException:
        raise AssertionError(f"{why}, but at {browser.current_url}: {page_text(browser)}") from None


def page_text(browser: webdriver.Chrome) -> str:
    """What the page says; nothing while it loads."""
    return str(browser.execute_script("return document.readyState === 'complete' ? document.body.innerText : ''"))


def complaints(browser: webdriver.Chrome) -> list[str]:
    """What the browser's console says since it was last asked: script errors, refused and failed requests."""
    told = [entry["message"] for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    # Which the browser asks of every site by itself.
    return [message for message in told if "/favicon.ico" not in message]
