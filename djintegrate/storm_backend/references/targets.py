"""What a reference points at: a Storm class by its dotted path, one of its columns, and its objects by their keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from types import SimpleNamespace
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured, ObjectDoesNotExist
from django.db import router
from django.db.models import DO_NOTHING
from django.utils.module_loading import import_string
from django.utils.text import camel_case_to_spaces
from storm.exceptions import ClassInfoError
from storm.expr import Column
from storm.info import get_cls_info, get_obj_info
from storm.store import PENDING_REMOVE, Store
from storm.variables import IntVariable

from ..stores import SharedStore, UnsharedStore

# An old SQLite takes no more than 999 parameters.
BATCH = 500


class StormObjectDoesNotExist(ObjectDoesNotExist, AttributeError):
    """The Storm object that a Django object points at is not there."""


@dataclass(frozen=True)
class StoreKey:
    """The key of a Storm object, and the Django database that its store shares."""

    value: Any
    alias: str


class StormTarget:
    """A column of a Storm class, its primary key if no other is named. Imported when it is first needed."""

    def __init__(self, to: str | type, attribute: str | None = None) -> None:
        self.path = f"{to.__module__}.{to.__qualname__}" if isinstance(to, type) else to
        self._attribute = attribute

    @cached_property
    def cls(self) -> Any:
        try:
            cls = import_string(self.path)
        except ImportError as error:
            raise ImproperlyConfigured(
                f"{self.path!r} cannot be imported ({error}). Make it the dotted path of a Storm class."
            ) from error
        if not is_storm_class(cls):
            raise ImproperlyConfigured(
                f"{self.path!r} is {cls!r}, which is not a Storm class: it needs a __storm_table__ and a primary key."
            )
        return cls

    @cached_property
    def attribute(self) -> str:
        """The name of the column in the class."""
        attributes: dict[str, Any] = get_cls_info(self.cls).attributes
        if self._attribute is not None:
            if self._attribute not in attributes:
                raise ImproperlyConfigured(
                    f"{self.path} has no column {self._attribute!r}. It has {', '.join(sorted(attributes))}."
                )
            return self._attribute
        primary = get_cls_info(self.cls).primary_key
        if len(primary) != 1:
            raise ImproperlyConfigured(
                f"{self.path} has a primary key of {len(primary)} columns. Only one column can be pointed at: name a "
                "unique one with to_field."
            )
        return attribute_of(primary[0])

    @cached_property
    def column(self) -> Any:
        return getattr(self.cls, self.attribute)

    @property
    def table(self) -> str:
        return table_of(self.cls)

    @cached_property
    def is_int(self) -> bool:
        return isinstance(self.column.variable_factory(), IntVariable)

    # Keys

    def to_python(self, value: Any) -> Any:
        """`value`, which is a string if it comes from a form or a fixture, as the Storm attribute has it."""
        if self.is_int and isinstance(value, str):
            value = int(value)
        return self.column.variable_factory(value=value, from_db=isinstance(value, str)).get()

    def to_db(self, value: Any) -> Any:
        return self.column.variable_factory(value=value).get(to_db=True)

    def from_db(self, value: Any) -> Any:
        return None if value is None else self.column.variable_factory(value=value, from_db=True).get()

    def store_key(self, obj: Any, who: str) -> StoreKey:
        """The key of `obj`, which is flushed if it has none yet. ValueError if `who` may not point at it."""
        if not isinstance(obj, self.cls) or table_of(type(obj)) != self.table:
            raise ValueError(f"{who} takes a {self.cls.__name__}, not {obj!r}.")
        store = store_of(obj, who)
        return StoreKey(key_of(obj, self.attribute), store.alias)

    # Objects

    def get(self, store: SharedStore, key: Any) -> Any:
        """The object with this key, or None. Without a query if Storm has it."""
        try:
            if self.column is get_cls_info(self.cls).primary_key[0]:
                return store.get(self.cls, key)
            return store.find(self.cls, self.column == key).one()
        except OverflowError:
            # The number is larger than any that SQLite stores.
            return None

    def get_many(self, store: SharedStore, keys: Iterable[Any]) -> list[Any]:
        """The objects with these keys, in a query for each 500."""
        return [obj for batch in batches(keys) for obj in store.find(self.cls, self.column.is_in(batch))]


def model_named(label: str) -> Any:
    """The Django model with a label such as "auth.User". LookupError says what is wrong with one that names none."""
    if label.count(".") != 1:
        name = label.rpartition(".")[2]
        found = [model._meta.label for model in apps.get_models() if model.__name__ == name]
        question = f" Did you mean {found[0]!r}?" if found else ""
        raise LookupError(f'{label!r} is not of the form "app_label.Model", such as "auth.User".{question}')
    return apps.get_model(label)


def is_left_to_database(on_delete: Any) -> bool:
    """Whether nothing is to be done about a deletion: DO_NOTHING, or one of Django 6.1's DB_CASCADE and so on."""
    return on_delete is DO_NOTHING or hasattr(on_delete, "on_delete_sql")


def is_storm_class(value: Any) -> bool:
    try:
        return isinstance(value, type) and get_cls_info(value) is not None
    except ClassInfoError:
        return False


def table_of(cls: type) -> str:
    return str(get_cls_info(cls).table.name)


def is_storm_object(value: Any) -> bool:
    return hasattr(type(value), "__storm_table__")


def store_of(obj: Any, who: str) -> SharedStore:
    """The store that `obj` is in. ValueError if `who` may not point at it."""
    store = Store.of(obj)
    if store is None:
        raise ValueError(f"{who} cannot be {obj!r}, which is in no store. Add it first: store.add(…).")
    alias_of(store, who)
    if get_obj_info(obj).get("pending") is PENDING_REMOVE:
        raise ValueError(f"{who} cannot be {obj!r}, which was removed from its store.")
    return store


def alias_of(store: SharedStore, who: str) -> str:
    """The Django database that `store` shares. ValueError for `who` if it shares none."""
    if not isinstance(store, SharedStore) or isinstance(store, UnsharedStore):
        raise ValueError(
            f"{who}: the Storm object is in a store that shares no Django database. Name that store in DATABASES."
        )
    return store.alias


class StormSide:
    """A Storm object where Django wants a `_state` and a `_meta`: in a router, and in a ProtectedError."""

    def __init__(self, obj: Any, alias: str | None = None) -> None:
        self.obj = obj
        self._state = SimpleNamespace(db=alias, adding=False)
        cls: Any = type(obj)
        self._meta = _options_of(cls)

    def __str__(self) -> str:
        return str(self.obj)


@cache
def _options_of(cls: Any) -> SimpleNamespace:
    """What routers, and the admin's list of protected objects, read in a model's `_meta`: here of a Storm class."""
    config = apps.get_containing_app_config(cls.__module__)
    return SimpleNamespace(
        app_label=config.label if config is not None else cls.__module__.partition(".")[0],
        db_table=table_of(cls),
        model_name=cls.__name__.lower(),
        object_name=cls.__name__,
        verbose_name=camel_case_to_spaces(cls.__name__),
    )


def refuse_unless_allowed(value: Any, instance: Any) -> None:
    """Ask the routers, as Django does where one object is to point at another; one of the two is a StormSide."""
    if not router.allow_relation(value, instance):
        shown = value.obj if isinstance(value, StormSide) else value
        raise ValueError(f"Cannot assign {shown!r}: the current database router prevents this relation.")


def key_of(obj: Any, attribute: str) -> Any:
    """The key of an object in a store. A pending object is flushed: its row has to be there first."""
    if "pending" in get_obj_info(obj):
        Store.of(obj).flush()
    return getattr(obj, attribute)


def attribute_of(column: Column) -> str:
    """The name that a column has in its class."""
    return next(name for name, other in get_cls_info(column.cls).attributes.items() if other is column)


def batches(keys: Iterable[Any]) -> Iterator[list[Any]]:
    every = list(dict.fromkeys(keys))
    for start in range(0, len(every), BATCH):
        yield every[start : start + BATCH]
