"""A StormForeignKey points at a Storm class whose table a Django model has too, and Django deletes by that model.

Then on_delete holds as it does where Storm removes the object.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model

from .deletion import DependentsCollector, Entailed, Planner, collect_dependents, fields_that_heed, with_heirs
from .targets import table_of


def attach() -> None:
    """Once all models are there: have those that share such a table heed what points at its rows."""
    models = defaultdict(list)
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.proxy:
            models[model._meta.db_table].append(model)
    for field in fields_that_heed():
        try:
            target = field.target.cls
        except ImproperlyConfigured:
            # The field's check says so.
            continue
        for owner in models[table_of(target)]:
            _attach_to(owner, target)


def _attach_to(owner: type[Model], target: type) -> None:
    for each in with_heirs(owner):
        # A plus sign: no lookup and no attribute can have such a name.
        Dependents(owner, target).contribute_to_class(each, f"+{target.__module__}.{target.__qualname__}")


class Dependents(Planner):
    """On a model that shares the table of a Storm class."""

    def __init__(self, owner: type[Model], target: type) -> None:
        super().__init__()
        self.owner = owner
        self.target = target

    def entailed(self, objs: list[Model], using: str) -> list[Entailed]:
        return [_Dependents(self.target, [_Row(self.owner, obj, self.target) for obj in objs], using)]


class _Row:
    """A Django object by the attributes of the Storm class on the same table."""

    def __init__(self, owner: type[Model], obj: Model, target: type) -> None:
        self._owner = owner
        self._obj = obj
        self._target = target

    def __getattr__(self, name: str) -> Any:
        column = getattr(self._target, name).name
        [attname] = [field.attname for field in self._owner._meta.local_fields if field.column == column]
        return getattr(self._obj, attname)


class _Dependents:
    def __init__(self, target: type, rows: list[_Row], using: str) -> None:
        self._target = target
        self._rows = rows
        self._using = using
        self._collector: DependentsCollector | None = None

    def plan(self) -> list[Iterable[Model]]:
        self._collector = collect_dependents(self._target, self._rows, self._using)
        return [*self._collector.data.values(), *self._collector.fast_deletes]

    def execute(self) -> None:
        if self._collector is not None:
            self._collector.delete()
            self._collector = None
