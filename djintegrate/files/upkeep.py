"""What manage.py files_recover does, for those who call it from code."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from django.db import DatabaseError, connections

from . import world
from .core import decisions, paths
from .core.recovery import Outcome
from .core.unit import World


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
        with contextlib.suppress(DatabaseError, ValueError):
            # An alias without the table has no decisions. A journal that cannot be read may be about any of them.
            decisions.sweep(alias, here.folder.identity, lambda: _living(here))
    paths.sweep(here.folder)


def _living(here: World) -> set[str]:
    """The transactions that are not through; that the others are is to be known after a loss of power as well."""
    living = here.folder.transactions()
    if here.fsync:
        here.folder.sync()
    return living
