"""The four verbs: files and folders anywhere on this machine, as part of the current transaction.

`files.transaction()` joins the transaction that there is, as a savepoint of it; alone, it is one.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from types import TracebackType
from typing import Any

import transaction as zope
from django.db import transaction as django

from djintegrate.common import following

from . import world
from .core import copying
from .core.changes import Kind
from .core.places import PathPlace, is_folder
from .core.unit import Unit
from .exceptions import TransactionError

Path = str | os.PathLike[str]


def transaction(using: str = "default") -> Transaction:
    """For a `with` statement: it joins the current transaction, as a savepoint, or begins one."""
    return Transaction(using)


class Transaction:
    """Begins by `with` or begin(). Each further begin() is a savepoint, which is ended by itself."""

    def __init__(self, using: str = "default") -> None:
        self.using = using
        self._blocks: list[AbstractContextManager[Any]] = []

    def __enter__(self) -> Transaction:
        self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end(kind, error, traceback)

    def begin(self) -> None:
        block = self._block()
        block.__enter__()
        self._blocks.append(block)

    def commit(self) -> None:
        self._end(None, None, None)

    def rollback(self) -> None:
        with suppress(_Asked):
            self._end(_Asked, _Asked(), None)

    def add_file(self, path: Path, directory: bool | None = None) -> None:
        """The file was created just now, or is about to be: it is removed if the transaction does not commit."""
        with self._changing() as unit:
            place = _to_change(path)
            here = unit.claim(place)
            latest = None if here is None else unit.latest(here)
            if here is not place or (latest is not None and latest.kind in (Kind.REPLACE, Kind.REMOVE)):
                raise TransactionError(
                    f"This transaction has removed or replaced {place!r}, or a folder that it is in. What was there is "
                    "there until the commit, so that nothing new can be made in its place: use copy_file()."
                )
            _refuse_other_kind(place.path, directory)
            unit.note(Kind.CREATE, place.real)

    def remove_file(self, path: Path, directory: bool | None = None) -> None:
        """Remove the file after the commit."""
        with self._changing() as unit:
            here = unit.claim(_to_change(path))
            now = None if here is None else unit.where(here)
            if here is None or now is None or (unit.latest(here) is None and not here.exists()):
                # There is nothing to remove.
                return
            _refuse_other_kind(now.path, directory)
            unit.note(Kind.REMOVE, here.real)

    def copy_file(
        self, source: Path, target: Path, remove_existing: bool = False, directory: bool | None = None
    ) -> None:
        """Copy now; onto a file that exists, after the commit. `remove_existing` removes the source then."""
        with self._changing() as unit:
            place = _to_change(source) if remove_existing else _place(source)
            _copy(unit, place, _to_change(target), directory, follows=True, removes=remove_existing)

    def move_file(self, source: Path, target: Path) -> None:
        """Copy now, and remove the source after the commit. Into `target`, if that is a folder."""
        with self._changing() as unit:
            place, goal = _to_change(source), _place(target)
            if _is_seen_as_folder(unit, goal):
                goal = PathPlace(os.path.join(goal.path, os.path.basename(place.path)))
            _copy(unit, place, _to_change(goal.path), None, follows=False, removes=True)

    def path(self, path: Path) -> str:
        """Where this transaction finds the content that `path` will have after the commit."""
        unit = world.reading(self.using)
        where = _place(path) if unit is None else unit.where(_place(path))
        if where is None:
            raise FileNotFoundError(f"This transaction has removed {os.fspath(path)!r}.")
        return str(where.path)

    def _changing(self) -> AbstractContextManager[Unit]:
        if not self._blocks:
            raise TransactionError(
                "The transaction is not active. Call this inside of `with files.transaction() as t:`, or after begin()."
            )
        return world.changing(self.using)

    def _block(self) -> AbstractContextManager[Any]:
        followed = following.current(self.using)
        if followed is None or followed.has_statements:
            return django.atomic(using=self.using)
        # Nothing of this alias is part of Zope's transaction but its files.
        return _zope_savepoint()

    def _end(self, *error: Any) -> None:
        if not self._blocks:
            raise TransactionError("The transaction is not active: it was ended more often than begun.")
        self._blocks.pop().__exit__(*error)


class _Asked(Exception):
    """Somebody called rollback()."""


@contextmanager
def _zope_savepoint() -> Iterator[None]:
    savepoint = zope.savepoint(optimistic=True)
    try:
        yield
    except BaseException:
        savepoint.rollback()
        raise


def _place(path: Path) -> PathPlace:
    """What no file can have as its path is refused before anything is noted."""
    text = os.fsdecode(path)
    if not text:
        # abspath() has the working directory for it.
        raise FileNotFoundError(errno.ENOENT, "An empty path names no file", text)
    if b"\0" in os.fsencode(text):
        raise ValueError(f"The path {text!r} has a NUL in it.")
    return PathPlace(text)


def _to_change(path: Path) -> PathPlace:
    place = _place(path)
    real = place.key.removeprefix("path:").rstrip("/") + "/"
    journal = f"{os.path.realpath(world.current().folder.path)}/"
    if real == "/" or f"{_working_directory()}/".startswith(real):
        raise TransactionError(f"{place!r} is the root, the working directory, or a folder above it. It stays.")
    if journal.startswith(real) or real.startswith(journal):
        raise TransactionError(f"{place!r} is FILES_JOURNAL, or in it, or above it. It stays.")
    return place


def _working_directory() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        # Somebody has removed it.
        return ""


def _copy(
    unit: Unit, source: PathPlace, target: PathPlace, directory: bool | None, follows: bool, removes: bool
) -> None:
    # In one order, whoever copies in which direction.
    for place in sorted((source, target), key=lambda place: place.key):
        unit.claim(place)
    start = unit.here(source)
    now = None if start is None else unit.followed(start) if follows else unit.where(start)
    if start is None or now is None or not now.exists():
        raise FileNotFoundError(f"There is no {source!r} to copy.")
    _refuse_other_kind(now.path, directory)
    goal = _goal(unit, target, is_folder(now.path)).real
    if start.key == goal.key:
        raise shutil.SameFileError(f"{source!r} and {target!r} are the same file.")
    if is_folder(now.path) and goal.key.startswith(f"{now.key}/"):
        raise shutil.Error(f"{source!r} cannot be copied into itself, to {target!r}.")
    content = copying.seen(unit, now)
    staged = unit.stage(goal)
    replaces = goal.exists()
    change = unit.note(Kind.REPLACE if replaces else Kind.CREATE, goal, staged, leads_on=not now.is_plain())
    copying.copy(content, staged.path)
    if not replaces and not goal.create_from(staged):
        staged.remove()
        unit.cancel(change)
        raise FileExistsError(f"{target!r} was made by somebody else in this moment.")
    if removes and not start.key.startswith(f"{goal.key}/"):
        # Otherwise it goes with the folder that it has taken the place of.
        unit.note(Kind.REMOVE, start.real)


def _goal(unit: Unit, target: PathPlace, is_folder: bool) -> PathPlace:
    """Where a copy is made. For a folder, the folders that it is to be in are made as well, as copytree() does."""
    folder = PathPlace(os.path.dirname(target.path))
    now = unit.where(folder)
    if now is None or not now.exists():
        if not is_folder:
            raise FileNotFoundError(errno.ENOENT, "There is no folder for this path", target.path)
        _make_folder(unit, folder)
    elif not _is_seen_as_folder(unit, folder):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), target.path)
    goal = unit.claim(target)
    assert goal is not None
    return goal


def _make_folder(unit: Unit, place: PathPlace) -> None:
    now = unit.where(place)
    if now is not None and now.exists():
        if not _is_seen_as_folder(unit, place):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), place.path)
        return
    _make_folder(unit, PathPlace(os.path.dirname(place.path)))
    here = unit.claim(place)
    assert here is not None
    here = here.real
    if here.exists():
        # One that was removed is there until the commit.
        staged = unit.stage(here)
        unit.note(Kind.REPLACE, here, staged, leads_on=True)
        os.mkdir(staged.path)
        return
    change = unit.note(Kind.FOLDER, here)
    try:
        os.mkdir(here.path)
    except FileExistsError:
        unit.cancel(change)
        raise


def _is_seen_as_folder(unit: Unit, place: PathPlace) -> bool:
    """Whether the transaction finds a folder there, or a link to one."""
    now = unit.followed(place)
    return now is not None and os.path.isdir(now.path)


def _refuse_other_kind(path: str, directory: bool | None) -> None:
    if directory is not None and os.path.lexists(path) and os.path.isdir(path) is not directory:
        kind, other = ("a folder", "a file") if directory else ("a file", "a folder")
        raise TransactionError(f"{path!r} is {other}, and directory={directory} says that it is {kind}.")
