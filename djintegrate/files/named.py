"""Whether any row still names a file: of a FileField of Django's, or of a StoredFile of Storm's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

from django.apps import apps
from django.core.files.storage import FileSystemStorage, InMemoryStorage
from django.db import DatabaseError, connections, models, router
from django.db.models import FileField

from .core.places import FilePlace
from .identities import Transactional


def is_named(place: Any, using: str) -> bool:
    """What no storage keeps is named by nobody."""
    if not hasattr(place, "storage"):
        return False
    return any(_has_row(field, place) for field in file_fields()) or any(
        _has_stored(column, place) for column in list(_columns)
    )


def file_fields() -> Iterator[FileField]:
    """Those of the site, whatever their storage is; each belongs to the model that has its column."""
    for model in apps.get_models(include_auto_created=True):
        # A proxy has the fields of the model that it stands for, and a child also those of its parents.
        yield from (each for each in model._meta.concrete_fields if isinstance(each, FileField) and each.model is model)


def fields_of(model: type[models.Model]) -> Iterator[FileField]:
    """Those of one model whose storage is transactional, with those that it inherits."""
    for field in model._meta.concrete_fields:
        if isinstance(field, FileField) and isinstance(field.storage, Transactional):
            yield field


def remember(column: Any) -> None:
    """A StoredFile's column: it has a `storage`, and `where` is its table and its name."""
    _columns.append(column)


def columns_of(table: str) -> list[Any]:
    """The StoredFiles' columns in this table, each once, whatever classes have it."""
    return list({column.where: column for column in _columns if column.where and column.where[0] == table}.values())


def name_in(storage: Any, place: Any) -> str | None:
    """What this storage calls the file. None if it keeps others.

    The folder of one storage may be inside of another's; and whether it is transactional makes no difference.
    """
    if isinstance(storage, Transactional):
        if storage.identity == place.identity:
            return str(place.name)
        storage = storage.inner
    return _name_in(storage, place)


def spellings(name: str, place: Any) -> list[str]:
    """The file's name, and what else a row may call it that no storage has named: with one slash or dot too many."""
    ends = [at for at, letter in enumerate(name) if letter == "/"]
    others = [f"{name[:at]}{slash}{name[at + 1 :]}" for at in ends for slash in ("//", "/./")]
    path = [place.path] if hasattr(place, "path") else []
    return list(dict.fromkeys([name, f"./{name}", name.replace("/", "//"), name.replace("/", "\\"), *others, *path]))


def _name_in(keeper: Any, place: Any) -> str | None:
    if not hasattr(place, "path"):
        return place.name if _is_same(keeper, place.storage) else None
    if not isinstance(keeper, FileSystemStorage):
        return None
    path = place.key.removeprefix("path:")
    folder = os.path.realpath(keeper.location)
    names = [place.name, *([os.path.relpath(path, folder)] if path.startswith(f"{folder}/") else [])]
    return next((name for name in names if FilePlace(keeper, "", name).key == place.key), None)


def _has_row(field: FileField, place: Any) -> bool:
    name = name_in(field.storage, place)
    if name is None:
        return False
    alias = router.db_for_write(field.model)
    rows = field.model._base_manager.using(alias).filter(**{f"{field.attname}__in": spellings(name, place)})
    return _answer(alias, field.model._meta.db_table, rows.exists)


def _has_stored(column: Any, place: Any) -> bool:
    name = None if column.where is None else name_in(column.storage, place)
    if name is None:
        return False
    table, attribute = column.where
    alias = column.storage.using
    quote = connections[alias].ops.quote_name
    names = spellings(name, place)
    marks = ", ".join(["%s"] * len(names))

    def ask() -> bool:
        with connections[alias].cursor() as cursor:
            cursor.execute(f"SELECT 1 FROM {quote(table)} WHERE {quote(attribute)} IN ({marks}) LIMIT 1", names)
            return cursor.fetchone() is not None

    return _answer(alias, table, ask)


def _answer(alias: str, table: str, ask: Callable[[], bool]) -> bool:
    """A class may be there before its table is, or after, or without one; then none of its rows names anything."""
    connection = connections[alias]

    def is_there() -> bool:
        return table in connection.introspection.table_names()

    if connection.vendor == "postgresql" and (connection.in_atomic_block or not connection.autocommit):
        # After an error, PostgreSQL answers nothing any more in a transaction that is open.
        return is_there() and ask()
    try:
        return ask()
    except DatabaseError:
        if is_there():
            raise
        return False


def _is_same(one: Any, other: Any) -> bool:
    """Whether two storages keep the same files: where they were made alike, unless each has a memory of its own."""
    if one is other:
        return True
    if one.__class__ is not other.__class__ or isinstance(one, InMemoryStorage) or not hasattr(one, "deconstruct"):
        return False
    return bool(one.deconstruct() == other.deconstruct())


_columns: list[Any] = []
