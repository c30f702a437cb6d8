"""What the doctor is told of the files: whether the journal's folder can be used, and what a crash has left in it."""

from __future__ import annotations

import os
from collections.abc import Iterator

from djintegrate.common.examination import Finding, ill

from . import upkeep
from .conf import config


def examine() -> Iterator[Finding]:
    folder = config.journal
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        yield ill("files", f"The journal {folder} cannot be written to.", "Correct FILES_JOURNAL, or its permissions.")
        return
    left = len(list(upkeep.waiting()))
    if left:
        many = f"{left} transactions, whose processes have died, wait"
        whose = many if left > 1 else "One transaction, whose process has died, waits"
        yield ill("files", f"{whose} to be completed or undone.", "Run: python manage.py files_recover")
    else:
        yield Finding("files", f"The journal {folder} can be used, and nothing is left to be completed or undone.")
