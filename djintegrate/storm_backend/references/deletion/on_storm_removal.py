"""What on_delete does to Django objects whose Storm object is removed: said and done by Django's own collector."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from itertools import chain
from types import SimpleNamespace
from typing import Any

from django.apps import apps
from django.db import router
from django.db.models import ProtectedError, RestrictedError
from django.db.models.deletion import Collector

from ...stores import SharedStore
from ..fields import StormForeignKey
from ..targets import batches, is_left_to_database, table_of


def before_removal(sender: type, store: SharedStore, objects: Iterable[Any], **kwargs: Any) -> None:
    """The receiver of `stores.pre_remove`."""
    collector = collect_dependents(sender, objects, store.alias)
    if collector.is_needed:
        collector.delete()


def collect_dependents(cls: type, objects: Iterable[Any], alias: str) -> DependentsCollector:
    """All that on_delete wants deleted and changed with these objects of `cls`, or the error that it wants raised."""
    collector = DependentsCollector(using=alias)
    fields = list(_fields_pointing_at(cls, alias))
    if not fields:
        # Iterating over the objects would load them.
        return collector
    objects = list(objects)
    collector.is_needed = True
    protected: dict[str, Any] = {}
    for field in fields:
        # Django's on_delete functions ask a foreign key for its remote_field, which a StormForeignKey does not have.
        relation = copy.copy(field)
        relation.remote_field = SimpleNamespace(model=field.target.cls, on_delete=field.on_delete)
        for batch in batches(getattr(obj, field.target.attribute) for obj in objects):
            dependents = field.model._base_manager.using(alias).filter(**{f"{field.name}__in": batch})
            if not dependents:
                continue
            try:
                field.on_delete(collector, relation, dependents, alias)
            except ProtectedError as error:
                protected.setdefault(f"'{field.label}'", []).extend(error.protected_objects)
    _refuse_if_any(ProtectedError, "protected", cls, protected)
    _refuse_if_any(RestrictedError, "restricted", cls, collector.still_restricted())
    return collector


class DependentsCollector(Collector):
    """Django's collector, with a Storm class at the beginning, whose rows Storm deletes."""

    is_needed = False

    def add_dependency(self, model: Any, dependency: Any, reverse_dependency: bool = False) -> None:
        if hasattr(model, "_meta"):
            super().add_dependency(model, dependency, reverse_dependency)

    def still_restricted(self) -> dict[str, Any]:
        """What RESTRICT refuses: those that are not deleted for another reason."""
        for model, instances in self.data.items():
            self.clear_restricted_objects_from_set(model, set(instances))
        for queryset in self.fast_deletes:
            self.clear_restricted_objects_from_queryset(queryset.model, queryset)
        return {
            f"'{model.__name__}.{field.name}'": objects
            for model, fields in self.restricted_objects.items()
            for field, objects in fields.items()
            if objects
        }


def _fields_pointing_at(cls: type, alias: str) -> Iterator[StormForeignKey]:
    """The fields for which something is to be done, of the models that have a table in this database."""
    table = table_of(cls)
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if (
                isinstance(field, StormForeignKey)
                and not is_left_to_database(field.on_delete)
                and field.target.table == table
                and router.allow_migrate_model(alias, model)
            ):
                yield field


def _refuse_if_any(error: Any, kind: str, cls: type, found: dict[str, Any]) -> None:
    if found:
        raise error(
            f"Cannot remove some instances of {cls.__name__!r} because they are referenced through {kind} foreign "
            f"keys: {', '.join(found)}.",
            set(chain.from_iterable(found.values())),
        )
