"""What happens to Storm objects when the Django object that their DjangoReference points at is deleted.

The on_delete of the reference says it. Django's collector asks a private field, which is added to the model; what is to
be done is done at the pre_delete signal. A reference whose on_delete is DO_NOTHING is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any
from weakref import WeakKeyDictionary

from django.apps import apps
from django.db import connections, router
from django.db.models import Field, Model, ProtectedError, RestrictedError
from django.db.models.signals import pre_delete
from django.db.models.utils import make_model_tuple
from django.db.transaction import atomic
from storm.info import ClassAlias

from ...connection.wrapper import StormWrapper
from ...stores import SharedStore, coherence, store_on
from ..targets import StormSide, batches, is_storm_class, table_of
from .on_storm_removal import plan_removal


def attach(reference: Any) -> None:
    """Have the deletion of Django objects heed this reference, as soon as their model is there."""

    def attach_to(model: type[Model]) -> None:
        # Those that come later inherit it.
        for each in [model, *(each for each in _subclasses(model) if not each._meta.abstract)]:
            Referrers(reference).contribute_to_class(each, _field_name(reference))

    apps.lazy_model_operation(attach_to, make_model_tuple(reference.to))


class Referrers(Field):
    """The Storm objects that point at the objects of this model, as something that a deletion has to ask for."""

    def __init__(self, reference: Any) -> None:
        super().__init__(editable=False)
        self.reference = reference

    def get_attname_column(self) -> tuple[str, None]:
        return self.name, None

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = True) -> None:
        if any(field.name == name for field in cls._meta.private_fields):
            # Inherited twice.
            return
        super().contribute_to_class(cls, name, private_only=True)
        # By the object's `_state`: an object itself may be equal to another, and is pickled with what it has.
        self._planned: WeakKeyDictionary[Any, list[_Deletion]] = WeakKeyDictionary()
        pre_delete.connect(self._before_delete, sender=cls)

    def bulk_related_objects(self, objs: list[Model], using: str) -> Any:
        """What Django's collector asks for. Raises what forbids the deletion, and keeps in mind what it entails."""
        connection = connections[using]
        if not isinstance(connection, StormWrapper) or using != router.db_for_write(self.model):
            return ()
        keys = [getattr(obj, self.reference.key) for obj in objs]
        deletions = [_Deletion(each, store_on(using), keys) for each in _mapped(self.reference)]
        # Where nothing is begun, Storm would begin what nobody ends. Django has not begun the deletion itself yet.
        is_alone = connection.data_manager is None and not connection.in_atomic_block
        with atomic(using) if is_alone else nullcontext():
            for deletion in deletions:
                deletion.plan(using)
        for obj in objs:
            self._planned[obj._state] = deletions
        return _ToShow(deletions)

    def _before_delete(self, instance: Model, **kwargs: Any) -> None:
        for deletion in self._planned.pop(instance._state, ()):
            deletion.execute()


class _Deletion:
    """What the deletion of some Django objects entails for the Storm objects of one class.

    Django's on_delete functions say it by calling the methods that a collector of Django's has.
    """

    def __init__(self, reference: Any, store: SharedStore, keys: list[Any]) -> None:
        self.reference = reference
        self.store = store
        self.keys = keys
        # Those that are to be removed; or what is to be set.
        self.doomed: list[Any] = []
        self.changes: dict[str, Any] = {}
        self.dependents: Iterable[Any] = ()

    def plan(self, using: str) -> None:
        rows = [StormSide(obj) for batch in batches(self.keys) for obj in self._find(batch)]
        if rows:
            try:
                self.reference.on_delete(self, _as_relation(self.reference), rows, using)
            except ProtectedError:
                # Django's words are about classes of its own.
                raise ProtectedError(self._refusal("protected"), set(rows)) from None
        if self.doomed:
            self.dependents = plan_removal(self.reference.cls, self.doomed, using)

    def all_doomed(self) -> Iterator[Any]:
        """What the deletion takes with it, of both ORMs."""
        yield from map(StormSide, self.doomed)
        yield from self.dependents

    def execute(self) -> None:
        """Once for all of the Django objects, when the first is about to be deleted."""
        doomed, self.doomed = self.doomed, []
        changes, self.changes = self.changes, {}
        for batch in batches(self.keys):
            if doomed:
                self._find(batch).remove()
            elif changes:
                self._find(batch).set(**changes)
        if doomed:
            coherence.invalidate(self.store, {table_of(self.reference.cls)})

    def _find(self, keys: list[Any]) -> Any:
        return self.store.find(self.reference.cls, self.reference.column.is_in(keys))

    # What on_delete functions call

    def collect(self, rows: list[StormSide], **kwargs: Any) -> None:
        self.doomed = [row.obj for row in rows]

    def add_field_update(self, field: Any, value: Any, rows: list[StormSide]) -> None:
        self.changes = {self.reference.attribute: self.reference.key_or_value(value)}

    def add_restricted_objects(self, field: Any, rows: list[StormSide]) -> None:
        # Whether something else removes them as well, nobody knows here.
        raise RestrictedError(self._refusal("restricted"), set(rows))

    def _refusal(self, kind: str) -> str:
        return (
            f"Cannot delete some instances of model {self.reference.model.__name__!r} because they are referenced "
            f"through {kind} references: '{self.reference.label}'."
        )


class _ToShow:
    """The admin shows what is in it, and a collector finds nothing to delete: Storm will."""

    def __init__(self, deletions: list[_Deletion]) -> None:
        self._deletions = deletions

    def __iter__(self) -> Iterator[Any]:
        for deletion in self._deletions:
            yield from deletion.all_doomed()

    def __bool__(self) -> bool:
        return False


def _mapped(reference: Any) -> Iterator[Any]:
    """The reference as each class with a table of its own has it. The class that it was written in may have none."""
    tables = set()
    for cls in [reference.cls, *_subclasses(reference.cls)]:
        if is_storm_class(cls) and not issubclass(cls, ClassAlias) and table_of(cls) not in tables:
            tables.add(table_of(cls))
            yield reference.for_class(cls)


def _as_relation(reference: Any) -> Any:
    return SimpleNamespace(
        name=reference.name,
        null=False,
        model=reference.cls,
        remote_field=SimpleNamespace(model=reference.model),
        get_default=lambda: reference.default() if callable(reference.default) else reference.default,
    )


def _field_name(reference: Any) -> str:
    # No name that a lookup or an attribute could have.
    return f"+{reference.cls.__module__}.{reference.label}"


def _subclasses(cls: Any) -> Iterator[Any]:
    for each in cls.__subclasses__():
        yield each
        yield from _subclasses(each)
