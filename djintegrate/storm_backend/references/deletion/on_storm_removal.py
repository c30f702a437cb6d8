"""What happens to Django objects when the Storm object that their StormForeignKey points at is removed.

The on_delete of the field says it, through Django's own collector. Never removes the Storm object.
"""

from __future__ import annotations

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
    fields = list(fields_pointing_at(sender, store.alias))
    if fields:
        collect_dependents(fields, objects, store.alias).delete()


def plan_removal(cls: type, objects: Iterable[Any], alias: str) -> Iterable[Any]:
    """The Django objects that would be deleted with these, for who wants to show them. Raises what a removal would."""
    fields = list(fields_pointing_at(cls, alias))
    if not fields:
        return ()
    collector = collect_dependents(fields, objects, alias)
    return chain(*collector.data.values(), chain.from_iterable(collector.fast_deletes))


def fields_pointing_at(cls: type, alias: str) -> Iterator[StormForeignKey]:
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


def collect_dependents(fields: Iterable[StormForeignKey], objects: Iterable[Any], alias: str) -> Collector:
    """All that on_delete wants deleted and changed, or the error that it wants raised."""
    objects = list(objects)
    collector = _Collector(using=alias)
    protected: dict[str, Any] = {}
    for field in fields:
        relation = _Relation(field)
        keys = [getattr(obj, field.target.attribute) for obj in objects]
        for batch in batches(keys):
            dependents = field.model._base_manager.using(alias).filter(**{f"{field.name}__in": batch})
            if not dependents:
                continue
            try:
                field.on_delete(collector, relation, dependents, alias)
            except ProtectedError as error:
                protected.setdefault(f"'{field.label}'", []).extend(error.protected_objects)
    name = type(objects[0]).__name__ if objects else ""
    if protected:
        raise ProtectedError(
            f"Cannot remove some instances of {name!r} because they are referenced through protected foreign keys: "
            f"{', '.join(protected)}.",
            set(chain.from_iterable(protected.values())),
        )
    restricted = collector.still_restricted()
    if restricted:
        raise RestrictedError(
            f"Cannot remove some instances of {name!r} because they are referenced through restricted foreign keys: "
            f"{', '.join(restricted)}.",
            set(chain.from_iterable(restricted.values())),
        )
    return collector


class _Collector(Collector):
    """Django's, with a Storm class at the beginning: its rows are Storm's to delete."""

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


class _Relation:
    """A StormForeignKey as Django's on_delete functions want to see a foreign key."""

    def __init__(self, field: StormForeignKey) -> None:
        self._field = field
        self.remote_field = SimpleNamespace(model=field.target.cls, on_delete=field.on_delete)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._field, name)
