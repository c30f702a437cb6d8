"""`make bench-dojo`: measures in Chromium, prints a table, and fails where a number is beyond its limit."""

from __future__ import annotations

import argparse
import gzip
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import call_command
from django.template import engines
from django.test import RequestFactory

from djintegrate.dojo.page.page import Dojo
from proofs.benchmarks.dojo import site

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

REQUESTS_AT_MOST = 4
GZIPPED_AT_MOST = 115 * 1024
DOJO_FORM_AT_MOST = 0.15
SHARE_AT_MOST = 1 / 3
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage",
         "--disable-sync", "--lang=en", "--no-first-run", "--no-proxy-server"]  # fmt: skip
# Notes when the page says that its dijits are there; runs before the page's own scripts.
WATCH = """new MutationObserver(() => {
    if (document.documentElement && document.documentElement.dataset.djintegrate === "ready") {
        window.readyAfter = window.readyAfter || performance.now();
    }
}).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-djintegrate"] });"""
# Templates of dijits are HTML, and belong to the JavaScript. Images are not counted.
REQUESTED = """return performance.getEntriesByType("resource").map(entry => entry.name)
    .filter(name => /[.](js|css|html)([?]|$)/.test(name))"""


@dataclass
class Load:
    """One load of the page with an empty cache."""

    milliseconds: float
    urls: list[str]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.benchmarks.dojo", description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="how often each page is loaded")
    options = parser.parse_args()
    site.configure()
    call_command("dojo_install")
    call_command("dojo_build")
    with site.serving() as address, chromium() as browser:
        loads: dict[str, list[Load]] = {"source": [], "build": []}
        for _ in range(options.runs):
            # In turns, so that a busy moment of the machine falls on both.
            for kind, done in loads.items():
                settings.DOJO_URL = f"/static/{kind}/dojo"
                done.append(load(browser, address))
    source, build = (median(one.milliseconds for one in loads[kind]) for kind in ("source", "build"))
    requests = {kind: len(done[0].urls) for kind, done in loads.items()}
    gzipped = sum(gzipped_size(url) for url in loads["build"][0].urls if url.endswith(".js"))
    collecting, rendering = dojo_form_beside_rendering()
    rows = [
        ("requests for JavaScript and CSS", f"{requests['source']}", f"{requests['build']}",
         f"at most {REQUESTS_AT_MOST}", requests["build"] <= REQUESTS_AT_MOST),
        ("gzipped JavaScript", "", f"{gzipped / 1024:.0f} KB",
         f"at most {GZIPPED_AT_MOST / 1024:.0f} KB", gzipped <= GZIPPED_AT_MOST),
        (f"ready, median of {options.runs}", f"{source:.0f} ms", f"{build:.0f} ms",
         "at most a third", build <= SHARE_AT_MOST * source),
        ("a form of 20 fields", f"rendered {rendering * 1e6:.0f} µs", f"dojo_form {collecting * 1e6:.0f} µs",
         f"at most {DOJO_FORM_AT_MOST} of rendering", collecting <= DOJO_FORM_AT_MOST * rendering),
    ]  # fmt: skip
    print(f"\n{'':<34}{'from the sources':>20}{'built':>20}   limit")
    for what, before, after, limit, kept in rows:
        print(f"{what:<34}{before:>20}{after:>20}   {limit}: {'kept' if kept else 'BROKEN'}")
    return 0 if all(row[-1] for row in rows) else 1


@contextmanager
def chromium() -> Iterator[Chrome]:
    missing = [program for program in ("chromium", "chromedriver") if not shutil.which(program)]
    if missing:
        sys.exit(f"No {' and no '.join(missing)} in PATH. On Debian, as root: apt-get install chromium chromium-driver")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in FLAGS:
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        browser.execute_cdp_cmd("Network.enable", {})
        browser.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
        browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        yield browser
    finally:
        browser.quit()


def load(browser: Chrome, address: str) -> Load:
    browser.get(address)
    deadline = time.monotonic() + 60
    while not (ready := browser.execute_script("return window.readyAfter")):
        if time.monotonic() > deadline:
            sys.exit("The dijits were not ready after a minute.")
        time.sleep(0.02)
    return Load(float(ready), browser.execute_script(REQUESTED))


def gzipped_size(url: str) -> int:
    """Of a static file, as a server would send it."""
    from django.contrib.staticfiles import finders

    found = finders.find(url.partition("/static/")[2])
    return len(gzip.compress(Path(found).read_bytes(), 9)) if found else 0


def dojo_form_beside_rendering() -> tuple[float, float]:
    """Seconds that dojo_form() and what the tag then writes take, and those that the form's HTML takes."""
    settings.DOJO_URL = "/static/build/dojo"
    request: Any = RequestFactory().get("/")
    head = engines["django"].from_string("{% load dojo %}{% dojo request.dojo %}")

    def collect(form: Any) -> None:
        request.dojo = Dojo(request)
        request.dojo.dojo_form(form)
        head.render({}, request)

    return best(collect), best(lambda form: form.as_div())


def best(work: Callable[[Any], Any], rounds: int = 50) -> float:
    found = []
    for _ in range(rounds):
        form = site.Twenty()
        began = time.perf_counter()
        work(form)
        found.append(time.perf_counter() - began)
    return min(found)


if __name__ == "__main__":
    sys.exit(main())
