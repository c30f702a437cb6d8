"""`make bench-dojo`: measures in Chromium, prints a table, and fails where a number is beyond its limit.

Every limit is a count, or a ratio of two things of the same run: the machine's speed is in neither. A few milliseconds
decide about the first paint, so what is not the page's own is kept out, for each page alike. The page before is left
first, for what is torn down of it would count. The pages are isolated from other origins, for else the browser rounds
the time of a paint to four milliseconds. Files come from memory, as site.py says.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from django.core.management import call_command
from django.template import engines
from django.test import RequestFactory

from djintegrate.dojo import conf
from djintegrate.dojo.build import build
from djintegrate.dojo.page.page import Dojo
from proofs.benchmarks.dojo import collecting, site

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

REQUESTS_AT_MOST = 3
GZIPPED_AT_MOST = 108 * 1024
PAINT_AT_MOST = 1.1
READY_AT_MOST = 1.25
DOJO_FORM_AT_MOST = 0.15
COLLECTING_AT_MOST = 2.0
SLOWED = (1, 4)
"""How much slower than this machine's the browser's processor is."""
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage",
         "--disable-sync", "--lang=en", "--no-first-run", "--no-proxy-server"]  # fmt: skip
# Notes when the page says that its dijits are there; runs before the page's own scripts.
WATCH = """new MutationObserver(() => {
    if (document.documentElement && document.documentElement.dataset.djintegrate === "ready") {
        window.readyAfter = window.readyAfter || performance.now();
    }
}).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-djintegrate"] });"""
DONE = """const [dijits, done] = arguments;
(function look() {
    const [paint] = performance.getEntriesByName("first-paint");
    if (paint && (window.readyAfter || !dijits)) { done([paint.startTime, window.readyAfter || 0]); }
    else { setTimeout(look, 20); }
})();"""
# Templates of dijits are HTML, and belong to the JavaScript. Images are not counted.
REQUESTED = """return performance.getEntriesByType("resource").map(entry => entry.name)
    .filter(name => /[.](js|css|html)([?]|$)/.test(name))"""


@dataclass
class Load:
    """One load of a page with an empty cache, in milliseconds."""

    paint: float
    ready: float
    urls: list[str]


@dataclass
class Row:
    what: str
    found: str
    limit: str
    is_kept: bool


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.benchmarks.dojo", description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="how often each page is loaded")
    options = parser.parse_args()
    site.configure()
    call_command("dojo_install")
    call_command("dojo_build")
    build.build(
        build.Order(conf.root().absolute(), site.FLOOR_BUILD.absolute(), site.FLOOR_MODULES, locales=conf.locales()),
        lambda text: None,
    )
    rows: list[Row] = []
    with site.serving() as address, chromium() as browser:
        for slower in SLOWED:
            browser.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": slower})
            loads = in_turns(browser, address, options.runs)
            if slower == 1:
                rows += [row for page in DIJITS for row in sizes(page, loads[page][0])]
            rows += list(times(loads, slower))
    collected, rendered = dojo_form_beside_rendering()
    rows.append(ratio("dojo_form of 20 fields / rendering them", [collected], [rendered], DOJO_FORM_AT_MOST))
    rows.append(ratio("collectstatic of the build / of as many bytes", *collecting.times(), COLLECTING_AT_MOST))
    width = max(len(row.what) for row in rows)
    for row in rows:
        print(f"{row.what:<{width}}  {row.found:>22}   {row.limit:<14} {'kept' if row.is_kept else 'BROKEN'}")
    return 0 if all(row.is_kept for row in rows) else 1


DIJITS = {"dijits": "plain", "dijits-with-look": "plain-with-look"}
"""Each page of dijits, and the plain page that is shown before them."""


def in_turns(browser: Chrome, address: str, runs: int) -> dict[str, list[Load]]:
    """Loads of each page, in turns there and back, so that a busy moment of the machine falls on all."""
    loads: dict[str, list[Load]] = {page: [] for page in (*DIJITS, *DIJITS.values(), "floor")}
    for turn in range(runs):
        for page, done in list(loads.items())[:: 1 if turn % 2 else -1]:
            done.append(load(browser, f"{address}/{page}/", page not in DIJITS.values()))
    return loads


def sizes(page: str, load: Load) -> Iterator[Row]:
    requests = len(load.urls)
    yield Row(f"{page}: requests for JavaScript and CSS", str(requests), f"at most {REQUESTS_AT_MOST}",
              requests <= REQUESTS_AT_MOST)  # fmt: skip
    scripts = sum(gzipped_size(url) for url in load.urls if url.endswith(".js"))
    styles = sum(gzipped_size(url) for url in load.urls if url.endswith(".css"))
    found = f"{scripts / 1024:.1f} + {styles / 1024:.1f} KB"
    yield Row(f"{page}: both, gzipped", found, f"at most {GZIPPED_AT_MOST / 1024:.0f} KB",
              scripts + styles <= GZIPPED_AT_MOST)  # fmt: skip


def times(loads: dict[str, list[Load]], slower: int) -> Iterator[Row]:
    slow = f", processor {slower} times slower" if slower > 1 else ""
    paints = {page: [one.paint for one in done] for page, done in loads.items()}
    ready = {page: [one.ready for one in done] for page, done in loads.items()}
    for page, plain in DIJITS.items():
        yield ratio(f"{page}: first paint / {plain}{slow}", paints[page], paints[plain], PAINT_AT_MOST)
    for page in DIJITS:
        yield ratio(f"{page}: ready / hand-written Dojo{slow}", ready[page], ready["floor"], READY_AT_MOST)


def ratio(what: str, these: Sequence[float], those: Sequence[float], at_most: float) -> Row:
    """Of the medians of the faster halves: what else the machine does can only make a run slower.

    How far the ratios of single runs are apart tells how quiet the machine was.
    """
    found = quick(these) / quick(those)
    each = sorted(one / other for one, other in zip(these, those, strict=True))
    low, high = each[len(each) // 4], each[len(each) * 3 // 4]
    said = f"{found:.2f}" + (f" ({low:.2f} to {high:.2f})" if len(each) > 1 else "")
    return Row(what, said, f"at most {at_most}", found <= at_most)


def quick(times: Sequence[float]) -> float:
    return median(sorted(times)[: (len(times) + 1) // 2])


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
        browser.set_script_timeout(120)
        yield browser
    finally:
        browser.quit()


def load(browser: Chrome, address: str, has_dijits: bool) -> Load:
    browser.get("about:blank")
    browser.get(address)
    paint, ready = browser.execute_async_script(DONE, has_dijits)
    return Load(float(paint), float(ready), browser.execute_script(REQUESTED))


def gzipped_size(url: str) -> int:
    """Of a static file, as a server would send it."""
    from django.contrib.staticfiles import finders

    found = finders.find(url.partition("/static/")[2])
    return len(gzip.compress(Path(found).read_bytes(), 9)) if found else 0


def dojo_form_beside_rendering() -> tuple[float, float]:
    """Seconds that dojo_form() and what the tag then writes take, and those that the form's HTML takes."""
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
