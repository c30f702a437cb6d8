"""docs/tutorial/files-in-the-transaction.md, done from beginning to end in a new project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from djintegrate.files.core.journal import entries_in
from tests.support.doc_pages import ROOT, blocks
from tests.support.forks import python

PAGE = "docs/tutorial/files-in-the-transaction.md"


def test_the_page_does_what_it_says(tmp_path: Path, db_kind: str) -> None:
    if db_kind != "sqlite":
        pytest.skip("The page's site is on SQLite.")

    def run(*command: str, text: str | None = None) -> None:
        environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
        environment["PYTHONPATH"] = f"{ROOT}{os.pathsep}{tmp_path}"
        done = python("-W", "ignore", *command, cwd=tmp_path, env=environment, typed=text or "")
        assert done.returncode == 0, done.stdout + done.stderr

    settings, model, *shell = [block.text for block in blocks(PAGE, "python")]
    _, first, second = [block.text for block in blocks(PAGE, "console")]
    for command in (line.removeprefix("$ ") for line in first.splitlines()):
        if command.startswith(("django-admin", "python ")):
            run(*command.replace("django-admin", "python -m django").removeprefix("python ").split())
    with (tmp_path / "archive" / "settings.py").open("a") as file:
        file.write(settings)
    (tmp_path / "talks" / "models.py").write_text(model)
    for command in second.splitlines():
        run(*command.removeprefix("$ python ").split())
    run("manage.py", "check", "--fail-level", "WARNING")
    run("manage.py", "shell", text="exec(" + repr("".join(shell)) + ")")
    assert [path for path in (tmp_path / "media").rglob("*") if path.is_file()] == []
    assert [path for path in (tmp_path / "var" / "files-journal").glob("*.journal") if entries_in(path)] == []
