"""What a type checker knows of request.dojo: its attributes by their names, and the four themes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import type_checkers

VIEW = """\
from djintegrate.dojo.http import DojoHttpRequest

def view(request: DojoHttpRequest) -> None:
    request.dojo.theme = "soria"
    request.dojo.dj_config["isDebug"] = True
    request.dojo.form_function = ("site.forms", "dijitize")
    request.dojo.theme = "clara"  # wrong
    request.dojo.them = "soria"  # wrong
    request.dojo.src = "/static/dojo.js"  # wrong
"""


@pytest.mark.skipif(sys.version_info < (3, 11), reason="django-stubs wants Python 3.11.")
def test_a_misspelt_attribute_and_a_misspelt_theme_are_found(tmp_path: Path, db_kind: str) -> None:
    if db_kind != "sqlite":
        pytest.skip("What a type checker says depends on no database.")
    folder = type_checkers.environment()
    file = tmp_path / "view.py"
    file.write_text(VIEW)
    command = [
        str(folder / "bin/python"),
        "-m",
        "mypy",
        "--strict",
        "--ignore-missing-imports",
        "--follow-imports=silent",
    ]
    done = subprocess.run(
        [*command, f"--cache-dir={folder / 'mypy-dojo'}", str(file)],
        cwd=type_checkers.ROOT, capture_output=True, text=True,
    )  # fmt: skip
    found = {int(number) for number in re.findall(r"view\.py:(\d+): error", done.stdout)}
    assert found == {number for number, line in enumerate(VIEW.splitlines(), 1) if "# wrong" in line}, done.stdout
