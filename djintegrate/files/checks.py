"""System checks: what is wrong with the settings, with the value and the remedy. They never touch the database."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.files.storage import Storage, storages
from django.db import DEFAULT_DB_ALIAS, connections, router
from django.db.models import FileField
from django.utils.module_loading import import_string

from djintegrate.common.checks import requests_without_transaction, slip_of, unknown_names, wrong_values
from djintegrate.common.types import did_you_mean

from . import conf
from .conf import config
from .named import file_fields
from .storage import TransactionalStorage

OURS = "djintegrate.files.TransactionalStorage"
OPTIONS = ("storage", "using")
DJANGOS = "django.core.files.storage.FileSystemStorage"


def check_configuration(**kwargs: Any) -> list[CheckMessage]:
    """Everything about the settings of the files app."""
    unknown = list(unknown_names(conf.DECLARED, "files.W001"))
    wrong = list(wrong_values(conf.DECLARED, "files.E001"))
    return unknown + (wrong or [*_folder(), *_storages(), *_use(), *_requests()])


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
    if not path.is_absolute():
        yield Warning(
            f"FILES_JOURNAL is {str(path)!r}, relative to the directory that the process is started in. Processes that "
            "are started in different ones do not see each other's locks.",
            hint='Write an absolute path: FILES_JOURNAL = BASE_DIR / "var" / "files-journal"',
            id="files.W006",
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
    """What is wrong with a transactional storage: of an entry of STORAGES, or of a field's own."""
    said: set[str] = set()
    seen: list[Any] = []
    for alias, entry in _entries().items():
        backend = entry.get("BACKEND")
        if is_ours(backend) or slip_of(backend, [OURS]):
            try:
                storage = storages[alias]
            except Exception as error:  # whatever a storage raises about its options
                said.add(str(error))
                yield _unmade(f"The storage {alias!r}", error, _how_to_make(alias, entry))
                continue
            seen.append(storage)
            yield from _looked_at(f"The storage {alias!r}", storage, f'Correct STORAGES["{alias}"].')
    fields, broken = _fields()
    for field, why in broken:
        if str(why) not in said:
            said.add(str(why))
            yield _unmade(f"The storage of {field}", why, "Correct it, or the entry of STORAGES that it is.")
    for field in fields:
        storage = getattr(field.storage, "_wrapped", field.storage)
        if not any(storage is each for each in seen):
            yield from _looked_at(f"The storage of {field}", storage, "Correct what it is made with.")
        if storage.using in connections:
            yield from _with_its_rows(field)


def _unmade(what: str, error: Exception, hint: str) -> CheckMessage:
    return Error(f"{what} cannot be made: {type(error).__name__}: {error}", hint=hint, id="files.E003")


def _how_to_make(alias: str, entry: Mapping[str, Any]) -> str:
    """For the commonest mistakes, what to write instead."""
    where = f'Correct STORAGES["{alias}"]'
    if slip := slip_of(entry.get("BACKEND"), [OURS]):
        return f'{where}["BACKEND"]. {slip}'
    options = entry.get("OPTIONS") or {}
    if isinstance(kind := options.get("storage"), type):
        return _how_to_nest(f"{kind.__module__}.{kind.__qualname__}")
    inner = [key for key in options if key not in OPTIONS]
    if not inner:
        return f"{where}."
    if meant := did_you_mean(inner[0], OPTIONS):
        return f'{where}["OPTIONS"]. {meant}'
    # Not the values, some of which are secret.
    kept = ", ".join(f'"{key}": …' for key in inner)
    return (
        f"{', '.join(map(repr, inner))} {'is' if len(inner) == 1 else 'are'} for the storage inside, which has the "
        f'files: "OPTIONS": {{"storage": {{"BACKEND": "{DJANGOS}", "OPTIONS": {{{kept}}}}}}}'
    )


def _how_to_nest(path: str) -> str:
    return f'Write an entry as in STORAGES: "OPTIONS": {{"storage": {{"BACKEND": "{path}"}}}}'


def _looked_at(what: str, storage: TransactionalStorage, hint: str) -> Iterator[CheckMessage]:
    try:
        inner = storage.inner
    except Exception as error:  # whatever the inner one raises about its options
        yield _unmade(what, error, hint)
        return
    if isinstance(inner, TransactionalStorage):
        yield Error(
            f"{what} is a TransactionalStorage around a TransactionalStorage.",
            hint="Give the outer one the storage that has the files.",
            id="files.E004",
        )
    elif not isinstance(inner, Storage):
        yield Error(
            f"{what} is a TransactionalStorage around {inner!r}, which is no storage: nothing can be saved in it.",
            hint=_how_to_nest(inner if isinstance(inner, str) else DJANGOS),
            id="files.E003",
        )
    if storage.using not in connections:
        yield Error(
            f"{what} belongs to the transactions of {storage.using!r}, which is not in DATABASES.",
            hint=f"Make using one of {', '.join(map(repr, connections))}.",
            id="files.E005",
        )


def _with_its_rows(field: FileField) -> Iterator[CheckMessage]:
    alias, using = router.db_for_write(field.model), field.storage.using
    if alias != using:
        yield Warning(
            f"The rows of {field.model._meta.label} are in the database {alias!r}, and the files of its field "
            f"{field.name!r} belong to the transactions of {using!r}.",
            hint=f'Give the field a storage of its own: TransactionalStorage(using="{alias}").',
            obj=field.model,
            id="files.W003",
        )


def _use() -> Iterator[CheckMessage]:
    """Whether anything of the site uses the app: that it does not is noticed only when a request has failed."""
    fields = [str(field) for field in file_fields()]
    if fields and not any(is_ours(entry.get("BACKEND")) for entry in _entries().values()) and not _fields()[0]:
        others = f" and {len(fields) - 1} more" if fields[1:] else ""
        yield Warning(
            "djintegrate.files is installed, and no storage is a TransactionalStorage: the files of "
            f"{fields[0]}{others} are no part of the transaction.",
            hint=f'STORAGES = {{"default": {{"BACKEND": "{OURS}"}}, …}}. If only files.transaction() is to be used: '
            'SILENCED_SYSTEM_CHECKS = ["files.W005"]',
            id="files.W005",
        )


def _requests() -> Iterator[CheckMessage]:
    used = {field.storage.using for field in _fields()[0]}
    for alias, entry in _entries().items():
        if is_ours(entry.get("BACKEND")):
            with suppress(Exception):  # said above
                used.add(storages[alias].using)
    for alias in sorted(used or {DEFAULT_DB_ALIAS}):
        if alias in connections:
            what = "the files of one that fails stay, and those that it deletes are gone."
            yield from requests_without_transaction(alias, what, "files.W004")


def _entries() -> dict[str, Mapping[str, Any]]:
    return {alias: entry for alias, entry in settings.STORAGES.items() if isinstance(entry, Mapping)}


def _fields() -> tuple[list[FileField], list[tuple[FileField, Exception]]]:
    """Those whose storage is transactional, and those whose storage, which is made late, cannot be made."""
    fields, broken = [], []
    for field in file_fields():
        try:
            if isinstance(field.storage, TransactionalStorage):
                fields.append(field)
        except Exception as error:  # whatever a storage raises about its options
            broken.append((field, error))
    return fields, broken


def is_ours(backend: object) -> bool:
    """Whether this path of a storage is that of a TransactionalStorage."""
    try:
        kind = import_string(backend)
    except Exception:  # whatever the module does when it is imported
        return False
    return isinstance(kind, type) and issubclass(kind, TransactionalStorage)


def _is_below(path: Path, root: Path) -> bool:
    return path.absolute().resolve().is_relative_to(root.absolute().resolve())
