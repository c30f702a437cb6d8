"""DjangoReference: an attribute of a Storm class that gives and takes Django objects.

The Django object is kept with the Storm object for as long as Storm keeps the column's value, and no longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

from django.db.models import CASCADE, DO_NOTHING, PROTECT, RESTRICT, SET_DEFAULT, SET_NULL, Model
from django.db.models.query import prefetch_related_objects
from storm.expr import Not
from storm.info import get_obj_info
from storm.store import Store

from .columns import ColumnDescriptor, OfClass
from .deletion import attach
from .targets import StormSide, alias_of, batches, is_left_to_database, refuse_unless_allowed

# Besides these there are SET(…), which has a deconstruct(), and what is left to the database.
ON_DELETE = (CASCADE, PROTECT, RESTRICT, SET_NULL, SET_DEFAULT)


class _Kept:
    """A Django object that a Storm object points at, and the key that it had then."""

    def __init__(self, value: Model, key: Any) -> None:
        self.value = value
        self.key = key


class DjangoReference(ColumnDescriptor):
    """In the body of a Storm class: `owner = DjangoReference(owner_id, "auth.User")`."""

    def __init__(
        self,
        local_key: Any,
        to: str | type[Model],
        *,
        to_field: str | None = None,
        on_delete: Callable[..., Any] = DO_NOTHING,
        default: Any = None,
    ) -> None:
        """`local_key` holds the key of a `to`: its primary key, or its `to_field`.

        `on_delete` is one of those in django.db.models, and says what happens to the Storm object when Django deletes
        the other; `default` is for SET_DEFAULT.
        """
        super().__init__(local_key, to, to_field)
        if not (is_left_to_database(on_delete) or on_delete in ON_DELETE or hasattr(on_delete, "deconstruct")):
            raise TypeError(f"on_delete must be one of those in django.db.models, such as CASCADE, not {on_delete!r}.")
        self.on_delete = on_delete
        self.default = default
        if self.cls is not None:
            attach(self)

    def __set_name__(self, owner: type, name: str) -> None:
        super().__set_name__(owner, name)
        attach(self)

    # The other side

    def key_or_value(self, other: Any) -> Any:
        """The key of a Django object; anything else as it is."""
        return self._key_of(other) if isinstance(other, Model) else other

    def value_on_delete(self) -> Any:
        """What on_delete sets the column to."""
        value: Any = None
        if self.on_delete is SET_DEFAULT:
            value = self.default
        elif self.on_delete is not SET_NULL:
            (value,) = self.on_delete.deconstruct()[1]  # type: ignore[attr-defined]
        return self.key_or_value(value() if callable(value) else value)

    # On an object

    def __get__(self, obj: Any, cls: Any = None) -> Any:
        if obj is None:
            return ExpressionOfClass(self.for_class(cls))
        key, store = getattr(obj, self.attribute), Store.of(obj)
        if key is None:
            return None
        if self.is_cached(obj):
            return get_obj_info(obj)[self._slot].value
        if store is None:
            return None
        found = self.model._base_manager.using(alias_of(store, self.label)).filter(**{self.attname: key}).first()
        if found is not None:
            self._keep(get_obj_info(obj), found)
        return found

    def __set__(self, obj: Any, value: Any) -> None:
        if value is None:
            setattr(obj, self.attribute, None)
            return
        info = get_obj_info(obj)
        key = self._key_of(value)
        self._refuse_wrong(info, value)
        setattr(obj, self.attribute, key)
        self._keep(info, value)
        if info.get("store") is None:
            info.event.hook("added", self._check_added, info[self._slot])

    def _key_of(self, value: Any) -> Any:
        if not isinstance(value, self.model):
            raise ValueError(f"{self.label} takes a {self.model.__name__}, not {value!r}.")
        key = getattr(value, self.attname)
        if key is None or value._state.adding:
            raise ValueError(f"{self.label} cannot be {value!r}, which is not saved yet. Save it first.")
        return key

    def _refuse_wrong(self, info: Any, value: Model) -> None:
        store = info.get("store")
        if store is None:
            return
        alias = alias_of(store, self.label)
        if value._state.db not in (None, alias):
            raise ValueError(
                f"{self.label} cannot be {value!r}, which is in the database {value._state.db!r}: the object's store "
                f"is on {alias!r}."
            )
        refuse_unless_allowed(value, StormSide(info.get_obj(), alias))

    def _check_added(self, info: Any, kept: _Kept) -> bool:
        if info.get(self._slot) is kept:
            try:
                self._refuse_wrong(info, kept.value)
            except ValueError:
                info["store"].remove(info.get_obj())
                raise
        return False

    # The Django object that is kept. Subclasses and aliases keep it in the same slot as the class.

    @property
    def _slot(self) -> str:
        return f"_django_reference_{self.name}"

    def _keep(self, info: Any, value: Model) -> None:
        info[self._slot] = kept = _Kept(value, getattr(value, self.attname))
        info.event.hook("changed", self._forget_if_changed, kept)

    def _forget_if_changed(self, info: Any, variable: Any, old: Any, new: Any, from_db: bool, kept: _Kept) -> bool:
        if info.get(self._slot) is not kept:
            return False
        # Storm announces a change also where it only gives the value up: when it invalidates the object.
        if variable.column.name == self.column.name and new != kept.key:
            del info[self._slot]
            return False
        return True

    def instead(self, model: str, name: str) -> str:
        return (
            f"Find its objects with Django, and filter by them: {self.label}.is_in({model}.objects.filter({name}=…))."
        )

    # What Django's prefetch_related_objects() asks of a descriptor

    def is_cached(self, obj: Any) -> bool:
        kept = get_obj_info(obj).get(self._slot)
        # An object without a primary key is one that Django has deleted.
        return kept is not None and kept.value.pk is not None

    def _keep_prefetched(self, obj: Any, value: Model | None) -> None:
        # Where no row has the key, the attribute itself says so when it is read.
        if value is not None:
            self._keep(get_obj_info(obj), value)

    def get_prefetch_querysets(self, instances: list[Any], querysets: Any = None) -> Any:
        queryset = querysets[0] if querysets else self.model._base_manager.all()
        keys = {getattr(obj, self.attribute) for obj in instances} - {None}
        found: list[Model] = []
        if keys:
            queryset = queryset.using(alias_of(Store.of(instances[0]), self.label))
            for batch in batches(keys):
                found.extend(queryset.filter(**{f"{self.attname}__in": batch}))
        setattr(type(instances[0]), self._slot, property(fset=self._keep_prefetched))
        return found, attrgetter(self.attname), attrgetter(self.attribute), True, self._slot, True


class ExpressionOfClass(OfClass):
    """For find() and prefetch()."""

    _descriptor: DjangoReference

    def __eq__(self, other: object) -> Any:
        return self._descriptor.column == self._descriptor.key_or_value(other)

    def __ne__(self, other: object) -> Any:
        return Not(self == other)

    __hash__ = object.__hash__

    def is_in(self, others: Iterable[Any]) -> Any:
        """The reference points at one of these Django objects, which may come from a QuerySet."""
        return self._descriptor.column.is_in([self._descriptor.key_or_value(other) for other in others])

    # Django's prefetch_related_objects() finds the descriptor by the class.

    @property
    def is_cached(self) -> Any:
        return self._descriptor.is_cached

    @property
    def get_prefetch_querysets(self) -> Any:
        return self._descriptor.get_prefetch_querysets


def prefetch(objects: Iterable[Any], *references: Any) -> list[Any]:
    """The Storm objects as a list, after the Django objects that `references` give were loaded together.

    A reference is `Session.owner`, or a name, or a path of names as for prefetch_related(): "owner__groups".
    """
    found = list(objects)
    lookups = [reference._descriptor.name if isinstance(reference, OfClass) else reference for reference in references]
    prefetch_related_objects(found, *lookups)
    return found
