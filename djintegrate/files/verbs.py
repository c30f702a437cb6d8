"""The four verbs: files and folders anywhere on this machine, as part of the current transaction.

`files.transaction()` joins the transaction that there is, as a savepoint of it; alone, it is one.
"""

from __future__ import annotations

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
from .core.changes import Kind
from .core.places import PathPlace
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
            place = PathPlace(path)
            _refuse_other_kind(place.path, directory)
            unit.claim(place)
            unit.note(Kind.CREATE, place)

    def remove_file(self, path: Path, directory: bool | None = None) -> None:
        """Remove the file after the commit."""
        with self._changing() as unit:
            place = PathPlace(path)
            _refuse_other_kind(place.path, directory)
            unit.claim(place)
            unit.note(Kind.REMOVE, place)

    def copy_file(
        self, source: Path, target: Path, remove_existing: bool = False, directory: bool | None = None
    ) -> None:
        """Copy now; onto a file that exists, after the commit. `remove_existing` removes the source then."""
        with self._changing() as unit:
            _copy(unit, PathPlace(source), PathPlace(target), directory, follows=True)
            if remove_existing:
                unit.note(Kind.REMOVE, PathPlace(source))

    def move_file(self, source: Path, target: Path) -> None:
        """Copy now, and remove the source after the commit. Into `target`, if that is a folder."""
        with self._changing() as unit:
            place = PathPlace(target)
            if os.path.isdir(place.path):
                place = PathPlace(os.path.join(place.path, os.path.basename(PathPlace(source).path)))
            _copy(unit, PathPlace(source), place, None, follows=False)
            unit.note(Kind.REMOVE, PathPlace(source))

    def path(self, path: Path) -> str:
        """Where this transaction finds the content that `path` will have after the commit."""
        unit = world.reading(self.using)
        where = PathPlace(path) if unit is None else unit.where(PathPlace(path))
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


def _copy(unit: Unit, source: PathPlace, target: PathPlace, directory: bool | None, follows: bool) -> None:
    if source.key == target.key:
        raise shutil.SameFileError(f"{source!r} and {target!r} are the same file.")
    # In one order, whoever copies in which direction.
    for place in sorted((source, target), key=lambda place: place.key):
        unit.claim(place)
    now = unit.where(source)
    if now is None or not now.exists():
        raise FileNotFoundError(f"There is no {source!r} to copy.")
    _refuse_other_kind(now.path, directory)
    is_folder = os.path.isdir(now.path) and (follows or not os.path.islink(now.path))
    if is_folder and f"{target.path}{os.sep}".startswith(f"{source.path}{os.sep}"):
        raise shutil.Error(f"{source!r} cannot be copied into itself, to {target!r}.")
    staged = unit.stage(target)
    replaces = target.exists()
    change = unit.note(Kind.REPLACE if replaces else Kind.CREATE, target, staged)
    if is_folder:
        shutil.copytree(now.path, staged.path, symlinks=True)
    else:
        shutil.copy2(now.path, staged.path, follow_symlinks=follows)
    if not replaces and not target.create_from(staged):
        staged.remove()
        unit.cancel(change)
        raise FileExistsError(f"{target!r} was made by somebody else in this moment.")


def _refuse_other_kind(path: str, directory: bool | None) -> None:
    if directory is not None and os.path.lexists(path) and os.path.isdir(path) is not directory:
        kind, other = ("a folder", "a file") if directory else ("a file", "a folder")
        raise TransactionError(f"{path!r} is {other}, and directory={directory} says that it is {kind}.")
