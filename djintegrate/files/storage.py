"""TransactionalStorage: a storage of Django's around another one, whose changes are part of the transaction.

What it saves is there at once, under its final name. What it replaces or deletes is done after the commit.
"""

from __future__ import annotations

import errno
import os
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
from .core.places import STAGED, FilePlace, PathPlace, place_in
from .core.unit import Unit
from .exceptions import TransactionError


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
        validate_file_name(os.fspath(name), allow_relative_path=True)
        if not hasattr(content, "chunks"):
            content = File(content, name)
        with world.changing(self.using) as unit:
            saved = self._save_in(unit, os.fspath(name), content, max_length)
        validate_file_name(saved, allow_relative_path=True)
        return saved

    def delete(self, name: str) -> None:
        if not name:
            raise ValueError("The name must be given to delete().")
        self._remove(name)

    def delete_unless_named(self, name: str) -> None:
        """The same, if after the commit no row names the file any more. Until then it can be read."""
        self._remove(name, unless_named=True)

    def open(self, name: str, mode: str = "rb") -> File[Any]:
        if set(mode) & set("wax+"):
            return self._open_to_write(name, mode)
        content: File[Any] = self.inner.open(self._name_now(name), mode)
        return content

    # What reads them

    def exists(self, name: str) -> bool:
        unit = world.reading(self.using)
        change = None if unit is None else unit.latest(self.place(name))
        if unit is None or change is None:
            return bool(self.inner.exists(name))
        where = unit.where(self.place(name))
        return where is not None and bool(where.exists())

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        folders, names = self.inner.listdir(path)
        folders, names = ([each for each in names if not each.startswith(STAGED)] for names in (folders, names))
        unit = world.reading(self.using)
        if unit is not None:
            names = [each for each in names if unit.where(self.place(os.path.join(path, each))) is not None]
        return folders, names

    def path(self, name: str) -> str:
        return str(self.inner.path(self._name_now(name)))

    def size(self, name: str) -> int:
        return int(self.inner.size(self._name_now(name)))

    def url(self, name: str | None, *args: Any, **kwargs: Any) -> str:
        return str(self.inner.url(name, *args, **kwargs))

    def get_accessed_time(self, name: str) -> datetime:
        return self.inner.get_accessed_time(self._name_now(name))

    def get_created_time(self, name: str) -> datetime:
        return self.inner.get_created_time(self._name_now(name))

    def get_modified_time(self, name: str) -> datetime:
        return self.inner.get_modified_time(self._name_now(name))

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
            free = self.get_available_name(name, max_length=max_length)
            place = self.place(free)
            if self._overwrites() or unit.where(place) is None:
                unit.claim(place)
            elif not unit.try_claim(place):
                # Another transaction is about to use this name.
                name = self._another(name)
                continue
            if place.exists():
                if self._may_replace(unit, place, free):
                    return self._replace(unit, place, content)
                # Somebody was faster.
                unit.give_back(place)
                continue
            staged = staged or (unit.stage(place) if isinstance(place, FilePlace) else place)
            saved = self._create(unit, place, content, staged)
            if saved is not None:
                return saved

    def _may_replace(self, unit: Unit, place: Any, name: str) -> bool:
        """This transaction has removed what is there, or the storage overwrites what has the same name."""
        return unit.where(place) is None or self.inner.get_available_name(name) == name

    def _overwrites(self) -> bool:
        """As django-storages says it, and Django's file system storage."""
        return bool(getattr(self.inner, "file_overwrite", False) or getattr(self.inner, "_allow_overwrite", False))

    def _replace(self, unit: Unit, place: Any, content: Any) -> str:
        staged = unit.stage(place)
        unit.note(Kind.REPLACE, place, staged)
        self._save_as(staged, content)
        return str(place.name)

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
                unit.note(Kind.CREATE, place)
                return str(saved)
        if not is_local or place.create_from(staged):
            return str(place.name)
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
            unit.claim(place)
            unit.note(Kind.REMOVE, place, unless_named=unless_named)

    def _open_to_write(self, name: str, mode: str) -> File[Any]:
        if following.current(self.using) is None:
            return self.inner.open(name, mode)
        with world.changing(self.using) as unit:
            place = self.place(name)
            unit.claim(place)
            return self.inner.open(_name_of(self._place_to_write(unit, place, mode), beside=place), mode)

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
        if not set(mode) & set("wx") and latest is None:
            with self.inner.open(place.name) as content:
                self._save_as(staged, content)
        return staged

    def _name_now(self, name: str) -> str:
        unit = world.reading(self.using)
        if unit is None:
            return name
        place = self.place(name)
        where = unit.where(place)
        if where is None:
            raise FileNotFoundError(errno.ENOENT, "This transaction has removed the file", name)
        return name if where.key == place.key else _name_of(where, beside=place)

    def _another(self, name: str) -> str:
        folder, base = os.path.split(name)
        return os.path.join(folder, self.get_alternative_name(*os.path.splitext(base)))


def _name_of(where: Any, beside: Any) -> str:
    """The name in the storage of a place in the same folder, to which one of the verbs may have copied."""
    if isinstance(where, PathPlace) and not isinstance(where, FilePlace):
        where = beside.beside(os.path.basename(where.path))
    return str(where.name)
