"""Copies of files and folders, as the transaction sees them: with what it has changed in a folder so far."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass

from .places import PathPlace, is_folder, is_staged
from .unit import Unit


@dataclass(frozen=True)
class Seen:
    """A file, or a folder. `inside` is what is in one that the transaction has changed, by its names."""

    path: str
    inside: dict[str, Seen] | None = None


def seen(unit: Unit, now: PathPlace) -> Seen:
    """Where the transaction finds what is to be copied. To be asked before the copy is noted, which changes that."""
    if not is_folder(now.path) or not unit.has_changes_in(now):
        return Seen(now.path)
    inside = {}
    for name in os.listdir(now.path):
        # What waits to take a place is found by that.
        where = None if is_staged(name) else unit.where(PathPlace(os.path.join(now.path, name)))
        if where is not None:
            inside[name] = seen(unit, where)
    return Seen(now.path, inside)


def copy(source: Seen, target: str) -> None:
    """A link is copied as a link."""
    if source.inside is not None:
        os.mkdir(target)
        for name, each in source.inside.items():
            copy(each, os.path.join(target, name))
        shutil.copystat(source.path, target)
    elif is_folder(source.path):
        shutil.copytree(source.path, target, symlinks=True, ignore=_staged_of)
    else:
        shutil.copy2(source.path, target, follow_symlinks=False)


def _staged_of(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if is_staged(name)]
