"""Whether any row still names a file: of a FileField of Django's, or of a StoredFile of Storm's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import DatabaseError, connections, models, router
from django.db.models import FileField

from .core.places import place_in
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


def spellings(place: Any) -> list[str]:
    """The file's name, and what else a row may call it that no storage has named: with one slash or dot too many."""
    name = place.name
    ends = [at for at, letter in enumerate(name) if letter == "/"]
    others = [f"{name[:at]}{slash}{name[at + 1 :]}" for at in ends for slash in ("//", "/./")]
    path = [place.path] if hasattr(place, "path") else []
    return list(dict.fromkeys([name, f"./{name}", name.replace("/", "//"), name.replace("/", "\\"), *others, *path]))


def _has_row(field: FileField, place: Any) -> bool:
    if not (isinstance(field.storage, Transactional) and _is_same(field.storage, place)):
        return False
    rows = field.model._base_manager.using(router.db_for_write(field.model))
    return bool(rows.filter(**{f"{field.attname}__in": spellings(place)}).exists())


def _has_stored(column: Any, place: Any) -> bool:
    if column.where is None or not _is_same(column.storage, place):
        return False
    table, name = column.where
    connection = connections[column.storage.using]
    quote = connection.ops.quote_name
    try:
        with connection.cursor() as cursor:
            names = spellings(place)
            marks = ", ".join(["%s"] * len(names))
            cursor.execute(f"SELECT 1 FROM {quote(table)} WHERE {quote(name)} IN ({marks}) LIMIT 1", names)
            return cursor.fetchone() is not None
    except DatabaseError:
        # A Storm class may be there before its table is, or after; then none of its rows names anything.
        if table in connection.introspection.table_names():
            raise
        return False


def _is_same(storage: Any, place: Any) -> bool:
    """Whether the same name in `storage` is the same file."""
    return bool(place_in(storage.inner, storage.identity, place.name).key == place.key)


_columns: list[Any] = []
