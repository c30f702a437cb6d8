"""DjangoReferenceSet: an attribute of a Storm class that gives a QuerySet of the Django objects that point at it."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db.models import Model, QuerySet
from storm.exceptions import FeatureError

from .columns import ColumnDescriptor, OfClass
from .targets import key_of, store_of


class DjangoReferenceSet(ColumnDescriptor):
    """In the body of a Storm class: `comments = DjangoReferenceSet(id, "app.Comment", "session")`."""

    def __init__(self, local_key: Any, to: str | type[Model], field: str) -> None:
        """`field` is the name of the Django field that holds `local_key`: a StormForeignKey, or a plain column."""
        super().__init__(local_key, to, field)

    def __get__(self, obj: Any, cls: Any = None) -> Any:
        if obj is None:
            return OfClass(self.for_class(cls))
        store = store_of(obj, self.label)
        queryset = _as_related(self.model._default_manager.using(store.alias))
        queryset._attname, queryset._key = self.attname, key_of(obj, self.attribute)
        return queryset.filter(**{queryset._attname: queryset._key})

    def instead(self, model: str, name: str) -> str:
        return f"Find its objects with Django: {model}.objects.filter({name}=…)."

    def __set__(self, obj: Any, value: Any) -> None:
        raise FeatureError(f"{self.label} cannot be set. Use its add() and remove().")


class _RelatedQuerySet(QuerySet):
    """Mixed in before the QuerySet class of a model's manager: what is made here points at the Storm object."""

    _attname: str
    _key: Any

    def create(self, **kwargs: Any) -> Any:
        return super().create(**{self._attname: self._key, **kwargs})

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> Any:
        objs = list(objs)
        for obj in objs:
            setattr(obj, self._attname, self._key)
        return super().bulk_create(objs, *args, **kwargs)

    def add(self, *objs: Model) -> None:
        """Make these objects point here, and save them."""
        for obj in objs:
            setattr(obj, self._attname, self._key)
            obj.save(using=self.db)

    def remove(self, *objs: Model) -> None:
        """Make these objects point nowhere, and save them. The field has to be null=True."""
        for obj in objs:
            if getattr(obj, self._attname) != self._key:
                raise obj.DoesNotExist(f"{obj!r} does not point here.")
            setattr(obj, self._attname, None)
            obj.save(using=self.db)

    def _clone(self) -> Any:
        clone = super()._clone()
        clone._attname, clone._key = self._attname, self._key
        return clone

    def __reduce__(self) -> Any:
        # The class of this queryset cannot be found by name: unpickling gives a plain QuerySet of the same objects.
        return object.__new__, (type(self).__mro__[2],), self.__getstate__()


# Templates do not call methods that are marked so.
for _method in ("create", "bulk_create", "add", "remove"):
    getattr(_RelatedQuerySet, _method).alters_data = True


def _as_related(queryset: QuerySet) -> Any:
    base: Any = type(queryset)
    related = _related_class(base)(queryset.model, using=queryset._db)
    # The query, and whatever a class of the site's keeps beside it.
    related.__dict__.update(queryset.__dict__)
    return related


@cache
def _related_class(base: Any) -> type:
    return type(f"Related{base.__name__}", (_RelatedQuerySet, base), {})
