"""What manage.py files_recover does, for those who call it from code."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from django.db import DatabaseError, connections

from . import world
from .core import decisions
from .core.journal import MARKERS
from .core.recovery import Outcome

LONG = 3600
"""Seconds after which a marker without a journal is not that of a transaction which begins."""


def recover() -> Iterator[Outcome]:
    """Complete or undo each transaction whose process has died."""
    yield from world.current().recovery.all()


def waiting() -> Iterator[tuple[str, list[str]]]:
    """The journals that nobody works on, with their changes in words."""
    yield from world.current().recovery.waiting()


def sweep() -> None:
    """Remove what no transaction needs any more: rows of decisions, and markers of paths."""
    here = world.current()
    if not here.folder.path.is_dir():
        return
    for alias in connections:
        # First the rows, then the journals: a transaction that comes between is in both.
        with contextlib.suppress(DatabaseError):
            # An alias without the table has no decisions.
            decisions.sweep(alias, here.folder.identity, lambda: {each.name for each in here.folder.journals()})
    _sweep_markers()


def _sweep_markers() -> None:
    folder = world.current().folder
    living = {journal.name for journal in folder.journals()}
    for marker in (folder.path / MARKERS).glob("*"):
        with contextlib.suppress(FileNotFoundError):
            # Who has just claimed a path has no journal yet.
            if marker.read_text() not in living and time.time() - marker.stat().st_mtime > LONG:
                marker.unlink()
