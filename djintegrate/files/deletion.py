"""The file of a FileField goes after the commit when its row is deleted or names another one.

Only files in a TransactionalStorage, and only if no row names them any more.
"""

from __future__ import annotations

import logging
from typing import Any

from django.apps import apps
from django.core.exceptions import SuspiciousFileOperation
from django.db import models
from django.db.models import FileField
from django.db.models.signals import class_prepared, post_delete, post_save, pre_delete, pre_save

from .conf import config
from .exceptions import TransactionError
from .named import fields_of
from .saved import SavedName

logger = logging.getLogger("djintegrate.files")

_REPLACED = "_djintegrate_replaced_files"
_SAVED = "_djintegrate_saved_files"


def connect() -> None:
    """For the models that there are, and for those that code makes later, such as a proxy."""
    class_prepared.connect(_connect, dispatch_uid="files.connect")
    for model in apps.get_models(include_auto_created=True):
        _connect(model)


def _connect(sender: type[models.Model], **kwargs: Any) -> None:
    """If it has such a field: to all, Django would delete every row of the site one by one.

    The classes of migrations have a registry of their own, and are gone when the migration ends.
    """
    if sender._meta.apps is not apps or not any(isinstance(each, FileField) for each in sender._meta.concrete_fields):
        return
    pre_save.connect(_before_save, sender=sender, dispatch_uid="files.before_save")
    post_save.connect(_after_save, sender=sender, dispatch_uid="files.after_save")
    pre_delete.connect(_load_names, sender=sender, dispatch_uid="files.load_names")
    post_delete.connect(_remove_files, sender=sender, dispatch_uid="files.remove")


def _before_save(
    sender: type[models.Model], instance: Any, raw: bool, using: str, update_fields: Any, **kwargs: Any
) -> None:
    if not raw:
        fields = _saved_fields(sender, update_fields)
        _refuse_undone(sender, instance, fields)
        _note_replaced(sender, instance, using, fields)


def _after_save(sender: type[models.Model], instance: Any, **kwargs: Any) -> None:
    _keep_plain_names(sender, instance)
    _remove_replaced(sender, instance)


def _refuse_undone(sender: type[models.Model], instance: Any, fields: list[FileField]) -> None:
    """The instance still names the file that its block had saved before it failed."""
    for field in fields:
        # One that is deferred was not saved.
        file = getattr(instance, field.attname) if field.attname in vars(instance) else None
        if file and file._committed and _is_undone(instance, field, file.name):
            raise TransactionError(
                f"{sender.__name__}.{field.name} names {file.name!r}, but the block that saved it was rolled back, and "
                f"the file with it. Nothing was saved now. Assign the content to {field.name} again, call "
                "refresh_from_db() if the row is to keep the file that it has, or save only other fields with "
                "update_fields."
            )


def _is_undone(instance: Any, field: FileField, name: str) -> bool:
    saved = vars(instance).get(_SAVED, {}).get(field.attname)
    if saved is not None and saved[0] is name:
        return bool(saved[1].is_undone)
    return isinstance(name, SavedName) and name.fate.is_undone


def _keep_plain_names(sender: type[models.Model], instance: Any) -> None:
    """From now on the instance itself remembers how its files were saved: not everything takes a kind of str."""
    for field in fields_of(sender):
        file = getattr(instance, field.attname) if field.attname in vars(instance) else None
        if file and isinstance(file.name, SavedName):
            fate, file.name = file.name.fate, str(file.name)
            vars(instance).setdefault(_SAVED, {})[field.attname] = (file.name, fate)


def _note_replaced(sender: type[models.Model], instance: Any, using: str, fields: list[FileField]) -> None:
    """What the row names until now; it is asked only if it may be there already."""
    if fields and not _is_new(instance) and config.delete_replaced:
        names = [field.attname for field in fields]
        row = sender._base_manager.using(using).filter(pk=instance.pk).values(*names).first()
        if row is not None:
            vars(instance)[_REPLACED] = [(field, row[field.attname]) for field in fields if row[field.attname]]


def _remove_replaced(sender: type[models.Model], instance: Any) -> None:
    for field, old in vars(instance).pop(_REPLACED, ()):
        new = getattr(instance, field.attname).name
        if old == new:
            continue
        if new and not _is_there(field, new):
            logger.warning(
                "%s %s: %s names %r from now on, and there is no such file. The file %r, which it named before, stays. "
                "If another transaction has replaced the file since the instance was loaded: load it with "
                "select_for_update(), or save only what has changed, with update_fields.",
                sender._meta.label,
                instance.pk,
                field.name,
                new,
                old,
            )
            continue
        remove(field, old)


def _load_names(sender: type[models.Model], instance: Any, **kwargs: Any) -> None:
    """Those that are deferred cannot be loaded any more when the row is gone."""
    for field in fields_of(sender):
        getattr(instance, field.attname)


def _remove_files(sender: type[models.Model], instance: Any, **kwargs: Any) -> None:
    for field in fields_of(sender):
        name = getattr(instance, field.attname).name
        if name:
            remove(field, name)


def remove(field: Any, name: str) -> None:
    """A row names the file no more: of a FileField, or of a StoredFile of Storm's."""
    try:
        field.storage.delete_unless_named(name)
    except (SuspiciousFileOperation, ValueError):
        # The row is to be rid of such a name, and no file of the storage's has it.
        logger.warning("%s named %r, which is outside of its storage. No file is deleted.", field, name)


def _is_there(field: FileField, name: str) -> bool:
    try:
        return bool(field.storage.is_there_to_stay(name))
    except (SuspiciousFileOperation, ValueError):
        return False


def _saved_fields(model: type[models.Model], update_fields: Any) -> list[FileField]:
    return [field for field in fields_of(model) if update_fields is None or field.name in update_fields]


def _is_new(instance: Any) -> bool:
    if instance.pk is None:
        return True
    # Django does not even try an UPDATE then.
    has_default = instance._meta.pk.has_default() or instance._meta.pk.has_db_default()
    return bool(instance._state.adding and has_default)
