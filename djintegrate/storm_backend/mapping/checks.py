"""The system check of Storm classes written by hand: names that only Django quotes on PostgreSQL. It never connects.

Storm quotes no name because of its capitals, so that `Sale` is PostgreSQL's `sale`, and sites with Storm's own schemas
count on that. Django quotes every name, and has made the table `Sale`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Warning
from django.db import connections, router
from storm.exceptions import ClassInfoError
from storm.info import get_cls_info

from djintegrate.common.engine import is_engines

from ..sql.effects import plain_name


def check_capitals(**kwargs: Any) -> Iterator[CheckMessage]:
    """Storm classes on the table of a model of which PostgreSQL would not find the table, or a column."""
    models = {plain_name(model._meta.db_table): model for model in apps.get_models(include_auto_created=True)}
    # Mostly there are none, and the classes need not be looked for.
    with_capitals = {table: names for table, model in models.items() if (names := _names_with_capitals(model))}
    if not with_capitals:
        return
    for cls in _storm_classes():
        table = plain_name(cls.__storm_table__)
        for name in with_capitals.get(table, ()):
            if plain_name(name) in _written_plainly(cls):
                model = models[table]
                yield Warning(
                    f"{cls.__module__}.{cls.__qualname__} is on the table of {model._meta.label}, where Django has "
                    f"made {name!r} with capitals. Storm writes that name without quotes, and PostgreSQL looks for "
                    f"{name.lower()!r}.",
                    hint=f"Make the class with storm_class({model.__name__}), which quotes as Django does; or give the "
                    "model a db_table, or the field a db_column, in lower case.",
                    obj=cls,
                    id="storm_backend.W014",
                )


def _names_with_capitals(model: Any) -> list[str]:
    """Those of its table and columns, if they are in a PostgreSQL that is a store's."""
    options = model._meta
    names = [options.db_table, *(field.column for field in options.local_concrete_fields)]
    if not any(name != name.lower() for name in names):
        return []
    connection: Any = connections[router.db_for_write(model)]
    if connection.vendor != "postgresql" or not is_engines(connection):
        return []
    return [name for name in names if name != name.lower()]


def _storm_classes(base: type = object) -> Iterator[Any]:
    """Every class that is on a table by its name."""
    subclasses: list[Any] = type.__subclasses__(base)
    for cls in subclasses:
        if isinstance(vars(cls).get("__storm_table__"), str):
            yield cls
        if not issubclass(cls, type):
            yield from _storm_classes(cls)


def _written_plainly(cls: Any) -> set[str]:
    """The names of its table and columns that Storm quotes, or does not, by rules of its own."""
    try:
        names = [cls.__storm_table__, *(column.name for column in get_cls_info(cls).columns)]
    except ClassInfoError:
        return set()
    return {plain_name(name) for name in names if type(name) is str}
