"""System checks: what is wrong with the settings, with the value and the remedy. They never touch the database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.files.storage import storages
from django.db import DEFAULT_DB_ALIAS, connections, router

from djintegrate.common.checks import requests_without_transaction, unknown_names, wrong_values

from . import conf, named
from .conf import config
from .storage import TransactionalStorage


def check_configuration(**kwargs: Any) -> list[CheckMessage]:
    """Everything about the settings of the files app."""
    unknown = list(unknown_names(conf.DECLARED, "files.W001"))
    wrong = list(wrong_values(conf.DECLARED, "files.E001"))
    return unknown + (wrong or [*_folder(), *_storages(), *_fields(), *_requests()])


def _folder() -> Iterator[CheckMessage]:
    path = config.journal
    there = next(each for each in [path, *path.absolute().parents] if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield Error(
            f"FILES_JOURNAL is {str(path)!r}, where this process cannot write: {there} is "
            f"{'not writable for it' if there.is_dir() else 'no folder'}.",
            hint="Make the folder, and let the site's processes write to it.",
            id="files.E002",
        )
    for name in ("MEDIA_ROOT", "STATIC_ROOT"):
        root = getattr(settings, name, None)
        if root and _is_below(path, Path(root)):
            yield Warning(
                f"FILES_JOURNAL is {str(path)!r}, which is below {name}, and so may be served to everybody.",
                hint="Choose a folder that no web server shows.",
                id="files.W002",
            )


def _storages() -> Iterator[CheckMessage]:
    for alias, entry in settings.STORAGES.items():
        if entry.get("BACKEND") != "djintegrate.files.TransactionalStorage":
            continue
        try:
            storage: TransactionalStorage = storages[alias]
            inner = storage.inner
        except Exception as error:  # whatever a storage raises about its options
            yield Error(
                f"The storage {alias!r} cannot be made: {type(error).__name__}: {error}",
                hint=f'Correct STORAGES["{alias}"].',
                id="files.E003",
            )
            continue
        if isinstance(inner, TransactionalStorage):
            yield Error(
                f"The storage {alias!r} is a TransactionalStorage around a TransactionalStorage.",
                hint="Give the outer one the storage that has the files.",
                id="files.E004",
            )
        yield from _using(f"The storage {alias!r}", storage)


def _using(what: str, storage: TransactionalStorage) -> Iterator[CheckMessage]:
    if storage.using not in connections:
        yield Error(
            f"{what} belongs to the transactions of {storage.using!r}, which is not in DATABASES.",
            hint=f"Make using one of {', '.join(map(repr, connections))}.",
            id="files.E005",
        )


def _fields() -> Iterator[CheckMessage]:
    for model, field in named.fields():
        yield from _using(f"The storage of {model._meta.label}.{field.name}", field.storage)
        alias = router.db_for_write(model)
        if alias != field.storage.using:
            yield Warning(
                f"The rows of {model._meta.label} are in the database {alias!r}, and the files of its field "
                f"{field.name!r} belong to the transactions of {field.storage.using!r}.",
                hint=f'Give the field a storage of its own: TransactionalStorage(using="{alias}").',
                obj=model,
                id="files.W003",
            )


def _requests() -> Iterator[CheckMessage]:
    used = {field.storage.using for _, field in named.fields()}
    for alias, entry in settings.STORAGES.items():
        if entry.get("BACKEND") == "djintegrate.files.TransactionalStorage":
            with suppress(Exception):  # said above
                used.add(storages[alias].using)
    for alias in sorted(used or {DEFAULT_DB_ALIAS}):
        if alias in connections:
            what = "the files of one that fails stay, and those that it deletes are gone."
            yield from requests_without_transaction(alias, what, "files.W004")


def _is_below(path: Path, root: Path) -> bool:
    return path.absolute().resolve().is_relative_to(root.absolute().resolve())
