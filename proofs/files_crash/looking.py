"""Rows beside files: what is missing, what is left over, what has the wrong content."""

from __future__ import annotations

import json
from pathlib import Path

from django.conf import settings
from django.db import connections

from djintegrate.files.core.journal import entries_in
from proofs.crash.killing import Report
from proofs.files_crash.models import Document, NativeDocument, Paper
from proofs.files_crash.site import NATIVE


def rows() -> dict[str, str]:
    """The path of each file that a committed row names, with its text."""
    media = Path(settings.FILES_JOURNAL).parent / "media"
    named = {str(media / row.file.name): row.text for row in Document.objects.using(NATIVE)}
    named |= {str(media / row.file.name): row.text for row in NativeDocument.objects.using(NATIVE)}
    return named | {row.path: row.text for row in Paper.objects.using(NATIVE)}


def dangling(report: Report) -> None:
    """Before any recovery; and how many journals wait for it."""
    missing = [path for path, _ in rows().items() if not Path(path).exists()]
    waiting = [path for path in Path(settings.FILES_JOURNAL).glob("*.journal") if entries_in(path)]
    report(json.dumps([len(waiting), missing]))


def compare(report: Report) -> None:
    """After it."""
    journal = Path(settings.FILES_JOURNAL)
    there = {str(path): path.read_text() for path in (journal.parent / "media").rglob("*") if path.is_file()}
    named = rows()
    with connections[NATIVE].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM files_decision")
        decided = cursor.fetchone()[0]
    wrong = [
        *(f"missing: {path}" for path in named.keys() - there.keys()),
        *(f"left over: {path}" for path in there.keys() - named.keys()),
        *(f"wrong content: {path}" for path in named.keys() & there.keys() if named[path] != there[path]),
        *(f"left in the journal: {path.name}" for path in journal.glob("*.journal")),
        *(f"left marker: {path.name}" for path in (journal / "paths").glob("*")),
        *([f"{decided} decisions left"] if decided else []),
    ]
    report(json.dumps([len(named), wrong]))
