"""StoredFile: a column of a Storm class that names a file in a TransactionalStorage, and acts like a FileField."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.core.files.base import File
from django.core.files.storage import InvalidStorageError, storages
from django.db.models.fields.files import FieldFile, FileField
from storm.expr import Column, Select, compare_columns
from storm.info import get_cls_info, get_obj_info
from storm.properties import Unicode
from storm.store import ResultSet
from storm.variables import UnicodeVariable

from djintegrate.common.removals import pre_remove

from . import named
from .conf import config
from .deletion import remove
from .exceptions import TransactionError
from .saved import SavedName
from .storage import TransactionalStorage
from .uploads import Uploads, uploads_to


class StoredFileVariable(UnicodeVariable):
    """Hears when its object is removed from the store, whoever removes it and whether or not it was looked at.

    And, once it has an upload, when that comes into a row.
    """

    __slots__ = ("_property",)

    def __init__(self, *args: Any, stored_file: StoredFile, **kwargs: Any) -> None:
        self._property = stored_file
        super().__init__(*args, **kwargs)
        if self.event is not None:
            self.event.hook("removed", self._removed)

    def will_be(self, name: str, uploads: Uploads | None) -> None:
        """The upload of this name was saved, and is about to be assigned."""
        self.event.hook("added", self._added)
        if uploads is not None:
            uploads.add(name)
            self.event.hook("flushed", self._flushed, name, uploads)

    def _flushed(self, obj_info: Any, name: str, uploads: Uploads) -> bool:
        if "store" in obj_info and self._name == name:
            uploads.note_in_row(name)
        # Once: the row has it, or another name took its place before.
        return False

    def _added(self, obj_info: Any) -> None:
        name = self._name
        if _is_undone(name):
            obj_info["store"].remove(obj_info.get_obj())
            attribute = f"{obj_info.cls_info.cls.__name__}.{self._property.name}"
            raise TransactionError(
                f"{attribute} names {name!r}, but the transaction or block that saved it was rolled back, or has ended "
                "without a row that names the file, and the file is gone. The object was not added. Assign the content "
                f"to {self._property.name} again, and then add it."
            )

    @property
    def _name(self) -> Any:
        """None also if it is not known."""
        return self.get() if self.get_lazy() is None else None

    def _removed(self, obj_info: Any) -> None:
        # After a commit nothing is known of an object until somebody looks, and Storm lets nobody look any more.
        name = self.get() if self.get_lazy() is None else self._name_in_row(obj_info)
        if name and not _is_undone(name):
            remove(self._property, name)

    def _name_in_row(self, obj_info: Any) -> str | None:
        """What the row has, which is not removed before the next flush."""
        column = next(column for column, variable in obj_info.variables.items() if variable is self)
        key = compare_columns(obj_info.cls_info.primary_key, obj_info["primary_vars"])
        store = obj_info["store"]
        store.block_implicit_flushes()
        try:
            row = store.execute(Select(column, key, obj_info.cls_info.table)).get_one()
        finally:
            store.unblock_implicit_flushes()
        return None if row is None else row[0]


def _is_undone(name: Any) -> bool:
    """Whether the file is gone that was saved under this name; another one may have it by now."""
    return isinstance(name, SavedName) and bool(name.fate.is_undone)


class StoredFile(Unicode):
    """`talk.slides = upload` saves the file, `talk.slides` is Django's FieldFile; the column has the file's name.

    `upload_to` and `storage` are those of FileField; `storage` may be the alias of one.
    """

    variable_class = StoredFileVariable

    def __init__(
        self,
        name: str | None = None,
        upload_to: str | Callable[[Any, str], str] = "",
        storage: TransactionalStorage | str = "default",
        max_length: int = 100,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, stored_file=self, **kwargs)
        self._storage = storage
        self._upload_to = upload_to
        self._max_length = max_length
        self.name = ""
        self._known: set[type] = set()

    def __str__(self) -> str:
        return f"StoredFile {self.name}"

    def __set_name__(self, owner: type, name: str) -> None:
        # Its rows name files, whether or not this process ever looks at one of them.
        self.name = name
        self._known.add(owner)
        named.remember(StoredColumn(self, owner))

    @property
    def has_storage(self) -> bool:
        """Whether it can have any files."""
        with suppress(InvalidStorageError, TypeError):
            return bool(self.storage)
        return False

    @property
    def storage(self) -> TransactionalStorage:
        storage = storages[self._storage] if isinstance(self._storage, str) else self._storage
        if not isinstance(storage, TransactionalStorage):
            raise TypeError(
                f"A StoredFile needs a djintegrate.files.TransactionalStorage, and {self._storage!r} is a "
                f"{type(storage).__name__}."
            )
        return storage

    def __get__(self, obj: Any, cls: Any = None) -> Any:
        if obj is None:
            return super().__get__(obj, cls)
        return StormFieldFile(obj, self, super().__get__(obj, cls))

    def __set__(self, obj: Any, value: Any) -> None:
        old = super().__get__(obj)
        new = self._name_of(obj, value)
        super().__set__(obj, new)
        if old and old != new and not _is_undone(old) and config.delete_replaced:
            remove(self, old)

    def set_name(self, obj: Any, name: str | None) -> None:
        """What FieldFile does itself: the file was saved, or is to be deleted, already."""
        super().__set__(obj, name)

    def save(self, obj: Any, name: str, content: File) -> str:
        field = FileField(upload_to=self._upload_to, storage=self.storage)
        saved = self.storage.save(field.generate_filename(obj, name), content, max_length=self._max_length)
        variable = get_obj_info(obj).variables[self._get_column(type(obj))]
        variable.will_be(saved, uploads_to(self.storage))
        return saved

    def _get_column(self, cls: Any) -> Any:
        column = super()._get_column(cls)
        if cls not in self._known:
            # A class may have it from one that has no table.
            self._known.add(cls)
            named.remember(StoredColumn(self, cls))
        return column

    def _name_of(self, obj: Any, value: Any) -> str | None:
        if isinstance(value, FieldFile) and value._committed:
            return value.name
        if isinstance(value, File):
            return self.save(obj, value.name, value.file if isinstance(value, FieldFile) else value)
        return value


class StormFieldFile(FieldFile):
    """Django's FieldFile, on an attribute of a Storm object."""

    def __init__(self, instance: Any, field: StoredFile, name: str | None) -> None:
        super(FieldFile, self).__init__(None, name)
        self.instance = instance
        self.field = field
        self.storage = field.storage
        self._committed = True

    def save(self, name: str, content: File, save: bool = True) -> None:
        self.field.__set__(self.instance, self.field.save(self.instance, name, content))
        self.name = getattr(self.field.__get__(self.instance), "name", None)

    def delete(self, save: bool = True) -> None:
        if not self.name:
            return
        if hasattr(self, "_file"):
            self.close()
            del self.file
        self.storage.delete(self.name)
        self.name = None
        self.field.set_name(self.instance, None)


class StoredColumn:
    """Where the rows are that name a StoredFile's files."""

    def __init__(self, stored_file: StoredFile, cls: type) -> None:
        self.stored_file = stored_file
        self._cls = cls

    @property
    def where(self) -> tuple[str, str] | None:
        """The table and the column. None for a class that has no table, or a storage that is refused."""
        if not hasattr(self._cls, "__storm_table__") or not self.stored_file.has_storage:
            return None
        column = self.stored_file.__get__(None, self._cls)
        return str(get_cls_info(self._cls).table.name), str(column.name)

    @property
    def storage(self) -> TransactionalStorage:
        return self.stored_file.storage


def before_removal(sender: type, objects: Any, **kwargs: Any) -> None:
    """The receiver of `pre_remove`. An object that is removed alone says so to its own variables."""
    if not isinstance(objects, ResultSet):
        return
    table = get_cls_info(sender).table
    for column in named.columns_of(str(table.name)):
        # In no order: where only different ones are wanted, PostgreSQL has none by other columns.
        for name in set(objects.order_by().values(Column(column.where[1], table))):
            if name:
                remove(column.stored_file, name)


pre_remove.connect(before_removal, dispatch_uid="files.before_removal")
