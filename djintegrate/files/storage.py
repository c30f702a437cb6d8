"""TransactionalStorage: a storage of Django's around another one, whose changes are part of the transaction.

What it saves is there at once, under its final name. What it replaces or deletes is done after the commit.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage
from django.core.files.utils import validate_file_name
from django.utils.deconstruct import deconstructible
from django.utils.module_loading import import_string

from djintegrate.common import following

from . import identities, world
from .core.changes import Kind
from .core.places import FilePlace, PathPlace, is_staged, normal, place_in
from .core.unit import Unit
from .exceptions import TransactionError
from .opened import opened, writes
from .saved import SavedName

logger = logging.getLogger("djintegrate.files")

_ABOUT_NAMES = ("get_available_name", "is_name_available", "exists", "path")


@deconstructible(path="djintegrate.files.TransactionalStorage")
class TransactionalStorage(identities.Transactional, Storage):
    """`storage` is another storage, or an entry as in STORAGES; `using` is the alias whose rows name its files."""

    def __init__(self, storage: Storage | Mapping[str, Any] | None = None, using: str = "default") -> None:
        self.using = using
        self._storage = storage
        identities.remember(self)

    @cached_property
    def inner(self) -> Any:
        """The storage that has the files."""
        if isinstance(self._storage, Mapping):
            unknown = set(self._storage) - {"BACKEND", "OPTIONS"}
            if unknown or "BACKEND" not in self._storage:
                raise ImproperlyConfigured(
                    f"The storage inside of a TransactionalStorage is {sorted(self._storage)!r}. Give it BACKEND, and "
                    "OPTIONS if it has any."
                )
            return import_string(self._storage["BACKEND"])(**self._storage.get("OPTIONS", {}))
        return FileSystemStorage() if self._storage is None else self._storage

    @cached_property
    def identity(self) -> str:
        return identities.identity_of(self)

    def __getattr__(self, name: str) -> Any:
        # What only the inner one has: base_url, a bucket, and so on.
        if name.startswith("_") or name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)

    def place(self, name: str) -> Any:
        return place_in(self.inner, self.identity, name)

    # What changes files

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        name = content.name if name is None else name
        given = os.fspath(name)
        name = normal(given)
        # Each of them that is another name; an examination is long.
        for each in {given, name}:
            validate_file_name(each, allow_relative_path=True)
        if not hasattr(content, "chunks"):
            content = File(content, given)
        with world.changing(self.using) as unit:
            saved = self._save_in(unit, name, content, max_length)
        if saved != name:
            validate_file_name(saved, allow_relative_path=True)
        return saved

    def delete(self, name: str) -> None:
        if not name:
            raise ValueError("The name must be given to delete().")
        self._remove(name)

    def delete_unless_named(self, name: str) -> None:
        """The same, if after the commit no row names the file any more. Until then it can be read."""
        if self.place(name).is_normal:
            self._remove(name, unless_named=True)
        else:
            # Rows that name the file are found by its name.
            logger.warning("%r is no name that %s gives: no file is deleted.", name, type(self.inner).__name__)

    def is_there_to_stay(self, name: str) -> bool:
        """As exists(), but a transaction that is about to replace or remove the file is waited for."""
        with world.changing(self.using) as unit:
            place = self.place(name)
            latest = unit.latest(place)
            if latest is None:
                unit.claim(place)
                unit.give_back(place)
            where = unit.where(place)
            return where is not None and bool(where.exists())

    def open(self, name: str, mode: str = "rb") -> File[Any]:
        if writes(mode):
            return self._open_to_write(name, mode)
        return opened(self, name, mode, now=self.name_now(name))

    # What reads them

    def exists(self, name: str) -> bool:
        unit = world.reading(self.using)
        if unit is None:
            return bool(self.inner.exists(name))
        place = self.place(name)
        where = unit.where(place)
        if where is place and unit.latest(place) is None:
            return bool(self.inner.exists(name))
        return where is not None and bool(where.exists())

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        unit = world.reading(self.using)
        now = path if unit is None or not unit.changes else self.name_now(path)
        folders, names = self.inner.listdir(now)
        folders, names = ([each for each in names if not is_staged(each)] for names in (folders, names))
        if unit is not None and unit.changes:
            found = [(each, unit.where(self.place(os.path.join(now, each)))) for each in [*folders, *names]]
            was_folder = set(folders)
            folders = [each for each, where in found if _is_folder(where, each in was_folder)]
            names = [each for each, where in found if where is not None and not _is_folder(where, each in was_folder)]
        return folders, names

    def path(self, name: str) -> str:
        return str(self.inner.path(self.name_now(name)))

    def size(self, name: str) -> int:
        return int(self.inner.size(self.name_now(name)))

    def url(self, name: str | None, *args: Any, **kwargs: Any) -> str:
        return str(self.inner.url(name, *args, **kwargs))

    def get_accessed_time(self, name: str) -> datetime:
        return self.inner.get_accessed_time(self.name_now(name))

    def get_created_time(self, name: str) -> datetime:
        return self.inner.get_created_time(self.name_now(name))

    def get_modified_time(self, name: str) -> datetime:
        return self.inner.get_modified_time(self.name_now(name))

    def name_now(self, name: str) -> str:
        """The name under which the inner storage has what this transaction finds under this one."""
        unit = world.reading(self.using)
        if unit is None:
            return name
        place = self.place(name)
        where = unit.where(place)
        if where is None:
            raise FileNotFoundError(errno.ENOENT, "This transaction has removed the file", name)
        return name if where.key == place.key else _name_of(where, beside=place)

    # What makes names

    def get_valid_name(self, name: str) -> str:
        return str(self.inner.get_valid_name(name))

    def get_alternative_name(self, file_root: str, file_ext: str) -> str:
        return str(self.inner.get_alternative_name(file_root, file_ext))

    def generate_filename(self, filename: str) -> str:
        return str(self.inner.generate_filename(filename))

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        unit = world.reading(self.using)
        if unit is not None and unit.changes and unit.where(self.place(name)) is None:
            # This transaction has removed what is there.
            return name
        return str(self.inner.get_available_name(name, max_length=max_length))

    # Steps of these

    def _save_in(self, unit: Unit, name: str, content: Any, max_length: int | None) -> str:
        staged: Any = None
        while True:
            place = self._free_place(unit, name, max_length)
            if self._overwrites() or unit.where(place) is None:
                unit.claim(place)
            elif not unit.try_claim(place):
                # Another transaction is about to use this name.
                name = self._another(name)
                continue
            if place.exists():
                if self._may_replace(unit, place):
                    return self._replace(unit, place, content)
                # Somebody was faster.
                unit.give_back(place)
                continue
            staged = staged or (unit.stage(place) if isinstance(place, FilePlace) else place)
            saved = self._create(unit, place, content, staged)
            if saved is not None:
                return saved

    def _free_place(self, unit: Unit, name: str, max_length: int | None) -> Any:
        """Where the storage puts what comes under this name, which is a valid one."""
        if self._takes_free_names and not (max_length and len(name) > max_length):
            place = self._place_to_change(unit, name)
            if not place.exists():
                return place
        return self._place_to_change(unit, self.get_available_name(name, max_length=max_length))

    @cached_property
    def _takes_free_names(self) -> bool:
        """Whether get_available_name() is Django's, which leaves a valid name that nobody has as it is."""
        kinds = (type(self), TransactionalStorage), (type(self.inner), FileSystemStorage)
        return all(
            getattr(kind, each, None) is getattr(own, each, None) for kind, own in kinds for each in _ABOUT_NAMES
        )

    def _may_replace(self, unit: Unit, place: Any) -> bool:
        """This transaction has removed what is there, or the storage overwrites what has the same name."""
        return unit.where(place) is None or self.inner.get_available_name(place.name) == place.name

    def _overwrites(self) -> bool:
        """As django-storages says it, and Django's file system storage."""
        return bool(getattr(self.inner, "file_overwrite", False) or getattr(self.inner, "_allow_overwrite", False))

    def _replace(self, unit: Unit, place: Any, content: Any) -> str:
        staged = unit.stage(place)
        before = unit.where(place)
        change = unit.note(Kind.REPLACE, place, staged)
        self._save_as(staged, content)
        if before is not None and getattr(self.inner, "file_permissions_mode", "") is None:
            _keep_mode(before, staged)
        return SavedName(place.name, change.fate)

    def _create(self, unit: Unit, place: Any, content: Any, staged: Any) -> str | None:
        """The name that it was saved under. None if somebody outside of all transactions has just taken this one."""
        is_local = staged is not place
        change = unit.note(Kind.CREATE, place, staged if is_local else None)
        if not (is_local and staged.exists()):
            saved = staged.save(content)
            if saved != staged.name:
                # A storage that finds names of its own.
                unit.cancel(change)
                place = self.place(saved)
                unit.claim(place)
                change = unit.note(Kind.CREATE, place)
                return SavedName(saved, change.fate)
        if not is_local or place.create_from(staged):
            return SavedName(place.name, change.fate)
        unit.cancel(change)
        return None

    def _save_as(self, place: Any, content: Any) -> None:
        saved = place.save(content)
        if saved != place.name:
            self.inner.delete(saved)
            raise TransactionError(
                f"{type(self.inner).__name__} finds names of its own ({saved!r}): nothing in it can be replaced."
            )

    def _remove(self, name: str, unless_named: bool = False) -> None:
        with world.changing(self.using) as unit:
            place = self.place(name)
            if unit.where(place) is None:
                # This transaction has removed it, or a folder that it is in.
                return
            place = self._place_to_change(unit, name)
            unit.claim(place)
            if isinstance(place, FilePlace):
                if not place.exists() and unit.latest(place) is None:
                    return
                now, latest = unit.followed(place), unit.latest(place)
                is_seen = now is not None and os.path.isdir(now.path)
                if is_seen and not self._may_remove(name, unit.where(place), unless_named):
                    return
                is_replaced = latest is not None and latest.kind is Kind.REPLACE
                if is_replaced and not unless_named and os.path.isdir(place.path):
                    # The folder on the disk, or the link to one, is seen no more, and goes whole.
                    place = PathPlace(place.path).real
            unit.note(Kind.REMOVE, place, unless_named=unless_named)

    def _may_remove(self, name: str, folder: Any, unless_named: bool) -> bool:
        """A storage deletes an empty folder, and says as the system does why another one stays."""
        number = 0
        if os.path.islink(folder.path):
            number = errno.ENOTDIR
        elif any(self.listdir(name)):
            number = errno.ENOTEMPTY
        elif folder.key == self.place("").key:
            # Its own, which Django would delete.
            number = errno.EINVAL
        if number and not unless_named:
            raise OSError(number, os.strerror(number), name)
        if number:
            logger.warning("A row has named %r, which is a folder: %s. It stays.", name, os.strerror(number))
        return not number

    def _place_to_change(self, unit: Unit, name: str) -> Any:
        place = self.place(name)
        if unit.here(place) is not place:
            raise TransactionError(
                f"{name!r} is in a folder that this transaction has replaced or removed as a whole. Until the commit "
                "the storage cannot change what is in there."
            )
        return place

    def _open_to_write(self, name: str, mode: str) -> File[Any]:
        if following.current(self.using) is None:
            return opened(self, name, mode, now=name)
        with world.changing(self.using) as unit:
            place = self._place_to_change(unit, name)
            unit.claim(place)
            now = self._place_to_write(unit, place, mode)
            return opened(self, name, mode, now=_name_of(now, beside=place))

    def _place_to_write(self, unit: Unit, place: Any, mode: str) -> Any:
        latest = unit.latest(place)
        if latest is not None and latest.kind in (Kind.CREATE, Kind.REPLACE):
            return unit.where(place)
        if not place.exists():
            unit.note(Kind.CREATE, place)
            return place
        if "x" in mode and latest is None:
            return place
        staged = unit.stage(place)
        unit.note(Kind.REPLACE, place, staged)
        if latest is None:
            if not set(mode) & set("wx"):
                with self.inner.open(place.name) as content:
                    self._save_as(staged, content)
            elif isinstance(staged, FilePlace):
                os.close(os.open(staged.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            _keep_mode(place, staged)
        return staged

    def _another(self, name: str) -> str:
        folder, base = os.path.split(name)
        return os.path.join(folder, self.get_alternative_name(*os.path.splitext(base)))


def _name_of(where: Any, beside: Any) -> str:
    """The name in the storage of a place where a transaction finds `beside`, to which the verbs may have copied."""
    if isinstance(where, PathPlace) and not isinstance(where, FilePlace):
        real = where.key.removeprefix("path:")
        if f"path:{os.path.dirname(real)}" == os.path.dirname(beside.key):
            return str(beside.beside(os.path.basename(real)).name)
        name = os.path.relpath(real, os.path.realpath(beside.storage.path("")))
        if name.startswith(os.pardir):
            raise TransactionError(
                f"{beside!r} is in a folder that this transaction has replaced, outside of the storage. The storage "
                "can read what is in there after the commit."
            )
        return name
    return str(where.name)


def _keep_mode(old: Any, new: Any) -> None:
    """Written in its place, a file has its permissions still."""
    if isinstance(old, PathPlace) and isinstance(new, PathPlace):
        shutil.copymode(old.path, new.path)


def _is_folder(where: Any, was_folder: bool) -> bool:
    if where is None:
        return False
    return os.path.isdir(where.path) if isinstance(where, PathPlace) else was_folder
