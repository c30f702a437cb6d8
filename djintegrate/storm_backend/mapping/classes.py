"""storm_class(): makes the Storm class of a Django model from its fields and relations. Never asks the database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from django.apps import apps
from django.core.exceptions import AppRegistryNotReady, ImproperlyConfigured
from django.db import connections, router
from django.db.models import Field, ForeignKey, ManyToManyField, ManyToManyRel, ManyToOneRel, Model
from storm.info import get_obj_info
from storm.properties import Property
from storm.references import Proxy
from storm.store import PENDING_ADD, PENDING_REMOVE, AutoReload

from ..conf import ENGINE
from ..references import StormForeignKey
from ..references.targets import model_named
from .conversion import Conversion
from .relations import Ends, LazyReference, LazyReferenceSet
from .variables import DatabaseName, variable_class


def storm_class(model: type[Model] | str, using: str | None = None) -> type[MappedModel]:
    """The Storm class of a Django model, or of its label as in "auth.User"; the same one each time.

    `using` is the alias of the database; without it, it is the one that Django writes the model to.
    """
    if not apps.models_ready:
        raise AppRegistryNotReady(
            f"storm_class({model!r}) was called before Django has loaded all models, which may refer to this one. Call "
            "it in a module that no models.py imports."
        )
    concrete: Any = _concrete(model)
    alias = using or router.db_for_write(concrete)
    # The settings, not the connection: what else is wrong with those is said where somebody uses the store.
    entry = connections.settings.get(alias) or connections[alias].settings_dict
    if entry["ENGINE"] != ENGINE:
        raise ImproperlyConfigured(
            f"{concrete._meta.label} is in DATABASES[{alias!r}], whose ENGINE is {entry['ENGINE']!r}: there is no "
            f"Storm store on it. Make that {ENGINE!r}, or name another alias with `using`."
        )
    with _building:
        return _mapped(concrete, alias)


if TYPE_CHECKING:

    class HasColumns(type):
        """To a type checker, such a class has whatever attributes somebody asks for: it cannot know the model's."""

        def __getattr__(cls, name: str) -> Any: ...

else:
    HasColumns = type


class MappedModel(metaclass=HasColumns):
    """What the classes that storm_class() makes have in common."""

    __django_model__: ClassVar[type[Model]]
    __django_alias__: ClassVar[str]
    _conversions: ClassVar[dict[str, Conversion]]

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

        def __setattr__(self, name: str, value: Any) -> None: ...

    def __init__(self, *unnamed: Any, **values: Any) -> None:
        """A new object with the field's defaults, as in Django, and with `values`, which have names."""
        if unnamed:
            names = [name for name, conversion in self._conversions.items() if not conversion.field.primary_key]
            named = ", ".join(f"{name}=…" for name in names[: len(unnamed)])
            raise TypeError(f"{type(self).__name__}() takes values by name only: {type(self).__name__}({named}).")
        self._set_defaults()
        for name, value in values.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no attribute {name!r}.")
            setattr(self, name, value)

    def __storm_pre_flush__(self) -> None:
        info = get_obj_info(self)
        pending = info.get("pending")
        if pending is PENDING_REMOVE:
            return
        adding = pending is PENDING_ADD
        if adding:
            # A subclass may have an __init__() that does not call the one above.
            self._set_defaults()
        if adding or any(
            variable.has_changed() and variable.get_lazy() is not AutoReload for variable in info.variables.values()
        ):
            for conversion, _ in self._columns():
                field = conversion.field
                if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
                    field.pre_save(self, adding)

    def __storm_flushed__(self) -> None:
        for conversion, variable in self._columns():
            if conversion.field.generated:
                variable.set(AutoReload)

    def _set_defaults(self) -> None:
        for conversion, variable in self._columns():
            if not variable.is_defined() and variable.get_lazy() is None:
                default = conversion.default()
                if default is not None:
                    variable.set(default)

    def _columns(self) -> Iterator[tuple[Conversion, Any]]:
        info = get_obj_info(self)
        for name, conversion in self._conversions.items():
            # A subclass of the mapped class may have something else under the name.
            column = info.cls_info.attributes.get(name)
            if column is not None:
                yield conversion, info.variables[column]


@cache
def _mapped(model: Any, alias: str) -> type[MappedModel]:
    options = model._meta
    conversions = {field.attname: Conversion(field, alias) for field in options.local_concrete_fields}
    columns = {name: _property(conversion) for name, conversion in conversions.items()}
    attributes = {
        "__doc__": f"The table of {options.label}, for Storm.",
        "__module__": model.__module__,
        "__storm_table__": DatabaseName(options.db_table, alias),
        "__storm_primary__": tuple(field.attname for field in options.pk_fields),
        "__django_model__": model,
        "__django_alias__": alias,
        "_conversions": conversions,
        **columns,
        **dict(_references(model, alias, columns)),
        **dict(_reference_sets(model, alias, columns)),
        **dict(_inherited(model, alias, columns)),
    }
    made: type[MappedModel] = type(f"Storm{model.__name__}", (MappedModel,), attributes)
    return made


def _property(conversion: Conversion) -> Property:
    field = conversion.field
    column = DatabaseName(field.column, conversion.alias)
    # What the database gives is None before the row is there.
    allows_none = bool(field.null or field.primary_key or field.generated or field.has_db_default())
    return Property(column, False, variable_class(conversion), {"allow_none": allows_none})


def _references(model: type[Model], alias: str, columns: dict[str, Property]) -> Iterator[tuple[str, Any]]:
    for field in model._meta.local_concrete_fields:
        if isinstance(field, ForeignKey):
            yield field.name, LazyReference(columns[field.attname], _ends(alias, field.target_field))
        elif isinstance(field, StormForeignKey):
            yield field.name, LazyReference(columns[field.attname], _storm_end(field))


def _reference_sets(model: type[Model], alias: str, columns: dict[str, Property]) -> Iterator[tuple[str, Any]]:
    for field in model._meta.local_many_to_many:
        if isinstance(field, ManyToManyField):
            yield field.name, _over_a_table(field, alias, columns)
    for relation in model._meta.get_fields(include_parents=False):
        if not isinstance(relation, (ManyToOneRel, ManyToManyRel)) or relation.hidden:
            continue
        name = relation.get_accessor_name()
        if isinstance(relation, ManyToManyRel):
            yield name, _over_a_table(relation.field, alias, columns, backwards=True)
            continue
        target = columns.get(relation.field.target_field.attname)
        ends = _ends(alias, relation.field)
        if target is not None:
            yield name, LazyReference(target, ends, True) if relation.one_to_one else LazyReferenceSet(target, ends)


def _over_a_table(
    field: ManyToManyField, alias: str, columns: dict[str, Property], backwards: bool = False
) -> LazyReferenceSet:
    through = field.remote_field.through._meta
    keys = [through.get_field(name) for name in (field.m2m_field_name(), field.m2m_reverse_field_name())]
    near, far = reversed(keys) if backwards else keys
    return LazyReferenceSet(columns[near.target_field.attname], _ends(alias, near, far, far.target_field))


def _inherited(model: type[Model], alias: str, columns: dict[str, Property]) -> Iterator[tuple[str, Any]]:
    """What the model inherits from parents with tables of their own: the columns of those, through the link."""
    for parent in model._meta.all_parents:
        link = columns[model._meta.get_ancestor_link(parent).attname]
        reference = LazyReference(link, _ends(alias, parent._meta.pk))
        yield f"_{parent._meta.label_lower.replace('.', '_')}", reference
        for field in parent._meta.local_concrete_fields:
            if field.attname not in columns:
                yield field.attname, Proxy(reference, getattr(_mapped(parent, alias), field.attname))


def _ends(alias: str, *fields: Field) -> Ends:
    """A function that finds the columns of `fields`, each in the Storm class of its own model."""
    return lambda: tuple(getattr(storm_class(field.model, alias), field.attname) for field in fields)


def _storm_end(field: StormForeignKey) -> Ends:
    return lambda: (field.target.column,)


def _concrete(model: type[Model] | str) -> type[Model]:
    if isinstance(model, str):
        model = model_named(model)
    if not (isinstance(model, type) and issubclass(model, Model)):
        raise TypeError(f"storm_class() takes a Django model, not {model!r}.")
    options = model._meta
    if options.abstract:
        raise ValueError(f"{model.__name__} is abstract: it has no table. Name a model that inherits from it.")
    if options.swapped:
        raise ValueError(f"{options.label} is swapped for {options.swapped}, and has no table. Name that one.")
    concrete: type[Model] = options.concrete_model
    return concrete


_building = threading.RLock()
