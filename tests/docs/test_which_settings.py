"""The page "Which settings do I need?": each of its blocks is enough for a new project, and has no line too many."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.support.doc_pages import ROOT, blocks
from tests.support.forks import python

PAGE = "docs/reference/which-settings.md"
HEADINGS = ["Storm", "OpenID", "Dojo", "Files", "Jobs", "JSON-RPC", "Roles", "All of them"]
URLS = """
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.template import engines
from django.urls import include
from tests.support.which_settings_site import enqueue_and_fail, write_and_fail

def dojo(request):
    return HttpResponse(engines["django"].from_string("{% load dojo %}{% dojo request.dojo %}").render({}, request))

urlpatterns += [
    path("fail/", write_and_fail),
    path("enqueue/", enqueue_and_fail),
    path("members/", login_required(lambda request: HttpResponse())),
    path("dojo/", dojo),
]
"""


@pytest.mark.parametrize("heading", HEADINGS)
def test_the_block_is_enough_and_no_line_can_be_left_out(heading: str, tmp_path: Path, db_kind: str) -> None:
    if db_kind != "sqlite":
        pytest.skip("The page's sites are on SQLite.")
    settings, urls = block_of(heading)
    call_command("startproject", "site_of_the_page", str(tmp_path))
    folder = tmp_path / "site_of_the_page"
    (tmp_path / "dojo" / "dojo").mkdir(parents=True)
    (tmp_path / "dojo" / "dojo" / "dojo.js").touch()  # as dojo_install does
    (tmp_path / "roles.xml").write_text(blocks(PAGE, "xml")[0].text)
    with (folder / "urls.py").open("a") as file:
        file.write("\n".join([URLS, *urls]))
    start = (folder / "settings.py").read_text()
    statements = [ast.unparse(statement) for statement in ast.parse(settings).body]
    variants = {"whole": statements}
    # The last block has the lines of the others, which have been left out there.
    for number in range(len(statements) if heading != HEADINGS[-1] else 0):
        variants[f"without_{number}"] = statements[:number] + statements[number + 1 :]
    for name, kept in variants.items():
        (folder / f"{name}.py").write_text("\n".join([start, *kept]))
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    done = python("-m", "tests.support.which_settings_site", heading, *variants, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    works = [variant for variant in done.stdout.split() if variant in variants]
    assert "whole" in works, done.stderr
    assert [set(statements) - set(variants[variant]) for variant in works if variant != "whole"] == []


def block_of(heading: str) -> tuple[str, list[str]]:
    """The settings below a heading, and the lines for urls.py that go with them."""
    headings = [(text.count("\n", 0, match.start()), match[1]) for text in [(ROOT / PAGE).read_text()]
                for match in re.finditer(r"^## (.*)$", text, re.MULTILINE)]  # fmt: skip
    below: dict[str, list[str]] = {}
    for block in blocks(PAGE, "python"):
        nearest = [name for line, name in headings if line < block.line][-1]
        below.setdefault(nearest, []).append(block.text)
    assert list(below) == HEADINGS
    settings, *urls = below[heading]
    return settings, urls if heading != HEADINGS[-1] else [line for each in HEADINGS for line in below[each][1:]]
