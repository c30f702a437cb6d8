"""Accessibility, as axe-core sees it in the browser. It comes from npm, pinned, and is kept beside the other parts."""

from __future__ import annotations

import json
import os
import tarfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings

from djintegrate.dojo.build import install

if TYPE_CHECKING:
    from selenium import webdriver

AXE = install.Package(
    "axe-core",
    "4.14.1",
    "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    "axe-core",
)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(browser: webdriver.Chrome) -> list[str]:
    """What is wrong with the page the browser shows: a line for each element."""
    browser.execute_script(_source())
    options = json.dumps({"runOnly": {"type": "tag", "values": RULES}})
    found = browser.execute_async_script(f"axe.run({options}).then(arguments[0], e => arguments[0](String(e)))")
    assert isinstance(found, dict), found
    return [
        f"{broken['id']}: {broken['help']}: {node['html']} {node['any'][0]['message'] if node['any'] else ''}"
        for broken in found["violations"]
        for node in broken["nodes"]
    ]


@cache
def _source() -> str:
    try:
        archive = install._archive(AXE, Path(settings.DOJO_CACHE), lambda text: None, "")
    except install.InstallError as error:
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    with tarfile.open(archive) as tar:
        file = tar.extractfile("package/axe.min.js")
        assert file is not None
        return file.read().decode()
