"""Values as Django has them where a database has no type for them, for the properties of hand-written Storm classes.

Storm's own Result and Connection do the rest. What they read and write without help is left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.apps import apps
from storm.expr import Column
from storm.info import get_cls_info
from storm.variables import BytesVariable, DecimalVariable, TimeDeltaVariable

MICROSECOND = timedelta(microseconds=1)

# As Django reads them: of SQLite's binary fractions, 15 digits are sure.
READ_FROM: tuple[tuple[Any, Any, Callable[[Any], object]], ...] = (
    (DecimalVariable, float, lambda value: Decimal(f"{value:.15g}")),
    (TimeDeltaVariable, int, lambda value: timedelta(microseconds=value)),
    (BytesVariable, str, str.encode),
)


def set_variable(variable: Any, value: Any) -> None:
    """Storm's Result.set_variable, which costs nothing more for what a variable takes as it is."""
    try:
        variable.set(value, from_db=True)
    except TypeError:
        for kind, given, read in READ_FROM:
            if isinstance(variable, kind) and isinstance(value, given):
                variable.set(read(value), from_db=True)
                return
        raise


def duration(parameter: Any, value: timedelta) -> str | int:
    """A duration for its column: Django's DurationField has the microseconds, and Storm a text."""
    column = getattr(parameter, "column", None)
    return value // MICROSECOND if isinstance(column, Column) and _is_djangos(column) else str(value)


def _is_djangos(column: Any) -> bool:
    cls = getattr(column, "cls", None)
    if cls is None or not apps.models_ready:
        return False
    table = str(get_cls_info(cls).table.name)
    return any(
        field.column == column.name and field.get_internal_type() == "DurationField"
        for model in apps.get_models(include_auto_created=True)
        if model._meta.db_table == table
        for field in model._meta.local_concrete_fields
    )
