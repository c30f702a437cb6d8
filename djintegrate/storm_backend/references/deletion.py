"""What becomes of the objects of one ORM when those of the other that they point at are deleted.

Django's own collector does what on_delete of a StormForeignKey says. It also hears what a DjangoReference forbids: a
receiver of pre_delete that raised would leave the transaction broken. Storm's rows change at pre_delete.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from itertools import chain
from types import SimpleNamespace
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from django.apps import apps
from django.db import connections, router
from django.db.models import CASCADE, PROTECT, RESTRICT, Field, Model, ProtectedError, RestrictedError
from django.db.models.deletion import Collector
from django.db.models.signals import pre_delete
from django.db.models.utils import make_model_tuple
from django.db.transaction import atomic
from storm.info import ClassAlias

from ..connection.wrapper import StormWrapper
from ..stores import SharedStore, coherence, store_on
from .fields import StormForeignKey
from .targets import StormSide, batches, is_left_to_database, is_storm_class, table_of

REFUSALS = {PROTECT: ProtectedError, RESTRICT: RestrictedError}


def before_removal(sender: type, store: SharedStore, objects: Iterable[Any], **kwargs: Any) -> None:
    """The receiver of `stores.pre_remove`: a Storm object is about to be removed."""
    collector = collect_dependents(sender, objects, store.alias)
    if collector.data or collector.fast_deletes or collector.field_updates:
        collector.delete()


def attach(reference: Any) -> None:
    """Have the deletion of Django objects heed this reference, as soon as their model is loaded."""
    if is_left_to_database(reference.on_delete):
        return

    def attach_to(model: type[Model]) -> None:
        # A plus sign: no lookup and no attribute can have such a name.
        name = f"+{reference.cls.__module__}.{reference.label}"
        for each in with_heirs(model):
            Referrers(reference).contribute_to_class(each, name)

    apps.lazy_model_operation(attach_to, make_model_tuple(reference.to))


def collect_dependents(cls: type, objects: Iterable[Any], alias: str) -> DependentsCollector:
    """All that on_delete wants deleted and changed with these objects of `cls`, or the error that it wants raised."""
    collector = DependentsCollector(using=alias)
    fields = list(_fields_pointing_at(cls, alias))
    if not fields:
        # Iterating over the objects would load them.
        return collector
    objects = list(objects)
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
    for refusal, found in ((ProtectedError, protected), (RestrictedError, collector.still_restricted())):
        if found:
            raise _refusal(refusal, cls, found)
    return collector


class DependentsCollector(Collector):
    """Django's collector, with a Storm class at the beginning, whose rows Storm deletes."""

    def add_dependency(self, model: Any, dependency: Any, reverse_dependency: bool = False) -> None:
        if hasattr(model, "_meta"):
            super().add_dependency(model, dependency, reverse_dependency)

    def still_restricted(self) -> dict[str, Any]:
        """The objects for which RESTRICT refuses: those that are not deleted for another reason."""
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
    for field in fields_that_heed():
        if field.target.table == table and router.allow_migrate_model(alias, field.model):
            yield field


def fields_that_heed() -> Iterator[StormForeignKey]:
    """Each StormForeignKey whose on_delete is not left to the database."""
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, StormForeignKey) and not is_left_to_database(field.on_delete):
                yield field


def _refusal(error: Any, cls: type, found: dict[str, Iterable[Any]]) -> Exception:
    """In Django's words; `found` has the objects that forbid the deletion, by what points from them."""
    kind = "protected" if error is ProtectedError else "restricted"
    refusal: Exception = error(
        f"Cannot delete some instances of {cls.__name__!r} because they are referenced through {kind} foreign keys: "
        f"{', '.join(found)}.",
        set(chain.from_iterable(found.values())),
    )
    return refusal


class Entailed(Protocol):
    """What the deletion of some Django objects entails."""

    def plan(self) -> list[Iterable[Model]]:
        """The Django objects that go as well, by model. An error if objects of either kind are protected."""

    def execute(self) -> None:
        """Do it: once for all of the objects, when the first of them is about to be deleted."""


class Planner(Field):
    """A private field that has no column and no attribute: Django's collector asks it, as it asks generic relations."""

    def __init__(self) -> None:
        super().__init__(editable=False)
        # The key is the object's `_state`: objects may be equal to each other, and are pickled with their attributes.
        self._planned: WeakKeyDictionary[Any, list[Entailed]] = WeakKeyDictionary()

    def entailed(self, objs: list[Model], using: str) -> list[Entailed]:
        """What is to be planned for these objects."""
        raise NotImplementedError

    def get_attname_column(self) -> tuple[str, None]:
        return self.name, None

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = True) -> None:
        # A model with two parents may inherit the field from both.
        if not any(field.name == name for field in cls._meta.private_fields):
            super().contribute_to_class(cls, name, private_only=True)
            pre_delete.connect(self._before_delete, sender=cls)

    def bulk_related_objects(self, objs: list[Model], using: str) -> Iterable[Any]:
        """Raise what forbids the deletion, and plan what it entails. What is returned is only for the admin to list."""
        connection = connections[using]
        if not isinstance(connection, StormWrapper) or using != router.db_for_write(self.model):
            return ()
        deletions = self.entailed(objs, using)
        # Django opens its block later. Where no transaction is open, Storm's query would begin one that nobody ends.
        is_alone = connection.data_manager is None and not connection.in_atomic_block
        with atomic(using) if is_alone else nullcontext():
            dependents = [group for deletion in deletions for group in deletion.plan()]
        for obj in objs:
            self._planned[obj._state] = deletions
        return _OnlyShown(*dependents)

    def _before_delete(self, instance: Model, **kwargs: Any) -> None:
        for deletion in self._planned.pop(instance._state, ()):
            deletion.execute()


class Referrers(Planner):
    """On a model that a DjangoReference points at."""

    def __init__(self, reference: Any) -> None:
        super().__init__()
        self.reference = reference

    def entailed(self, objs: list[Model], using: str) -> list[Entailed]:
        keys = [getattr(obj, self.reference.attname) for obj in objs]
        return [_Deletion(each, store_on(using), keys) for each in _mapped(self.reference)]


class _Deletion:
    """What it entails for the Storm objects of one class."""

    def __init__(self, reference: Any, store: SharedStore, keys: list[Any]) -> None:
        self.reference = reference
        self.store = store
        self.keys = keys
        self.is_due = False

    def plan(self) -> list[Iterable[Model]]:
        found = [obj for batch in batches(self.keys) for obj in self._find(batch)]
        if not found:
            return []
        refusal = REFUSALS.get(self.reference.on_delete)
        if refusal is not None:
            # RESTRICT refuses always: whether something else removes the Storm objects as well is not known yet.
            raise _refusal(refusal, self.reference.model, {f"'{self.reference.label}'": map(StormSide, found)})
        self.is_due = True
        if self.reference.on_delete is not CASCADE:
            return []
        collector = collect_dependents(self.reference.cls, found, self.store.alias)
        return [*collector.data.values(), *collector.fast_deletes]

    def execute(self) -> None:
        if not self.is_due:
            return
        self.is_due = False
        if self.reference.on_delete is CASCADE:
            for batch in batches(self.keys):
                self._find(batch).remove()
            coherence.invalidate(self.store, {table_of(self.reference.cls)})
            return
        value = self.reference.value_on_delete()
        for batch in batches(self.keys):
            self._find(batch).set(**{self.reference.attribute: value})

    def _find(self, keys: list[Any]) -> Any:
        return self.store.find(self.reference.cls, self.reference.column.is_in(keys))


class _OnlyShown(chain[Model]):
    """Objects for the admin to list and to ask permissions for. Collectors see nothing: Storm's removal does it."""

    def __bool__(self) -> bool:
        return False


def with_heirs(model: type[Model]) -> list[type[Model]]:
    """The model, and those that are made of it already. Models that are made later inherit its private fields."""
    return [model, *(each for each in _subclasses(model) if not each._meta.abstract)]


def _mapped(reference: Any) -> Iterator[Any]:
    """The reference as each class with a table of its own has it. The class that it was written in may have none."""
    classes: dict[str, Any] = {}
    for cls in [reference.cls, *_subclasses(reference.cls)]:
        if is_storm_class(cls) and not issubclass(cls, ClassAlias):
            classes.setdefault(table_of(cls), cls)
    return map(reference.for_class, classes.values())


def _subclasses(cls: Any) -> Iterator[Any]:
    for each in cls.__subclasses__():
        yield each
        yield from _subclasses(each)
