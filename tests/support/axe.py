"""Accessibility, as axe-core sees it in the browser. It comes from npm, pinned, and is kept beside the other parts."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

from tests.support import npm

if TYPE_CHECKING:
    from selenium import webdriver

AXE = "axe-core@4.14.1"
INTEGRITY = "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(browser: webdriver.Chrome, *within: str) -> list[str]:
    """What is wrong with the page the browser shows, or with what these selectors name: a line for each element."""
    if not browser.execute_script("return 'axe' in window"):
        browser.execute_script(_source())
    options = json.dumps({"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]})
    context = json.dumps([[selector] for selector in within] or [["html"]])
    found = browser.execute_async_script(
        f"axe.run({{include: {context}}}, {options}).then(arguments[0], e => arguments[0](String(e)))"
    )
    assert isinstance(found, dict), found
    return [
        f"{broken['id']}: {broken['help']}: {node['html']} {node['any'][0]['message'] if node['any'] else ''}"
        for broken in found["violations"]
        for node in broken["nodes"]
    ]


@cache
def _source() -> str:
    return npm.text(AXE, INTEGRITY, "axe.min.js")
