"""What an item shows of a value: JSON that a browser reads without losing any of it, and that a form reads back.

Knows neither requests nor databases; reading.py is the way back.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.core.files.base import File
from django.db import models
from django.utils.duration import duration_iso_string
from django.utils.functional import Promise

from djintegrate.common.moments import iso

SAFE = 2**53 - 1
"""A browser's numbers are doubles: a whole number beyond this, it takes for a neighbour of it."""


def plain(value: Any) -> Any:
    """As JSON. What is no number to a browser is its text; so is a moment, to the microsecond. Raises TypeError."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if -SAFE <= value <= SAFE else str(int(value))
    if isinstance(value, float):
        return value if math.isfinite(value) else _not_finite(value)
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return list(map(plain, value))
    if isinstance(value, models.Model):
        return plain(value.pk)
    return _text(value)


def same(one: Any, other: Any) -> bool:
    """Whether a browser that was shown the one, and changed nothing, may send the other: 1 for 1.0, and never true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def shown(obj: Any, name: str, field: forms.Field | None) -> Any:
    """What JSON has of an attribute; of other objects, the keys by which the form's field reads them."""
    try:
        value = _value(obj, name, field)
    except ObjectDoesNotExist:
        return None
    try:
        return plain(value)
    except TypeError:
        if field is None:
            raise
        return plain(field.prepare_value(value))


def through_json(item: Mapping[str, Any]) -> dict[str, Any]:
    """The item as a browser has it."""
    made: dict[str, Any] = json.loads(json.dumps(item))
    return made


def _value(obj: Any, name: str, field: forms.Field | None) -> Any:
    column = model_field(obj, name)
    if isinstance(column, models.ManyToManyField):
        rows = list(getattr(obj, name).all())
        return field.prepare_value(rows) if isinstance(field, forms.ModelMultipleChoiceField) else rows
    if isinstance(column, models.ForeignKey) and name == column.name:
        key = getattr(field, "to_field_name", None) or "pk"
        if column.target_field.name == key or (key == "pk" and column.target_field.primary_key):
            return getattr(obj, column.attname)  # No query for the other object.
        other = getattr(obj, name)
        return other if other is None else other.serializable_value(key)
    return getattr(obj, name)


def model_field(obj: Any, name: str) -> Any:
    """The field of a Django model; None for all else."""
    try:
        return obj._meta.get_field(name) if isinstance(obj, models.Model) else None
    except FieldDoesNotExist:
        return None


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(duration_iso_string(value))
    if isinstance(value, (Decimal, UUID, Promise)):
        return str(value)
    if isinstance(value, File):
        return value.name or ""
    raise TypeError(f"JSON has nothing for a {type(value).__name__}")


def _not_finite(value: float) -> str:
    """As JavaScript calls it."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
