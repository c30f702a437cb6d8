"""Pictures of the sample site for the README and the docs, from a site of its own with today's sample data.

`make screenshots` makes them, after those of Dojo's themes. It needs what `make run` needs, and Chromium.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from proofs.benchmarks.dojo.__main__ import chromium

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
LARGEST = 150_000
"""Bytes of an image: they are in the repository."""
WIDTH = 1080
SECONDS = 120
READY = "return document.readyState === 'complete' && document.documentElement.dataset.djintegrate !== 'loading'"


def main() -> int:
    IMAGES.mkdir(exist_ok=True)
    with serving() as address, chromium() as browser:
        browser.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
        sign_in_as_ada(browser, address)
        browser.get(f"{address}/one-transaction/")
        press(browser, "Write both, then fail")
        save(browser, "site-transaction", height=1000)
        browser.get(f"{address}/at/lisbon/grid/")
        save(browser, "site-rooms", height=830)
    return 0


@contextmanager
def serving() -> Iterator[str]:
    """The site as `make run` starts it, with a database that is thrown away."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        chosen = {"PORT": f"{port}", "SITE_FOLDER": folder, "DATABASE_URL": f"sqlite:{folder}/site.sqlite3"}
        # The build is kept from one run to the next.
        chosen["DOJO_ROOT"] = os.environ.get("DOJO_ROOT") or str(ROOT / ".cache" / "dojo")
        command = [sys.executable, "-m", "tools.run_site"]
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **chosen}, start_new_session=True)
        try:
            deadline = time.monotonic() + SECONDS
            while not is_up(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit("The sample site did not start; its last words are above.")
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)  # the server that reloads itself is two processes
            process.wait(timeout=30)


def is_up(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def sign_in_as_ada(browser: Chrome, address: str) -> None:
    browser.get(f"{address}/openid/login/?next=/")
    press(browser, "Sign in with the sample provider")
    browser.find_element("xpath", "//label[contains(., 'Ada Okoye')]").click()
    press(browser, "Sign in")


def press(browser: Chrome, text: str) -> None:
    browser.execute_script("window.before = true")
    browser.find_element("xpath", f"//main//button[normalize-space()='{text}']").click()
    wait_for(browser, "return !window.before")


def save(browser: Chrome, name: str, height: int) -> None:
    size = {"width": WIDTH, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    wait_for(browser, READY)
    image = browser.get_screenshot_as_png()
    if len(image) > LARGEST:
        sys.exit(f"The image {name} has {len(image):,} bytes, which is more than {LARGEST:,}.")
    (IMAGES / f"{name}.png").write_bytes(image)
    print(f"docs/images/{name}.png: {len(image):,} bytes")


def wait_for(browser: Chrome, script: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not browser.execute_script(script):
        if time.monotonic() > deadline:
            sys.exit(f"{browser.current_url} was not ready after {SECONDS} seconds.")
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
