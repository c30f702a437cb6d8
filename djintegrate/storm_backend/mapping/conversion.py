"""How the values of one Django field come from the database, from Python, and go to the database: as in Django.

The field and its backend do the conversions. What Python hands in is checked, as Storm's own properties check it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.db import connections
from django.db.models import Field, ForeignKey, GeneratedField

# The types of the values that may be set, by the internal type of the field; an error message names the first.
INTEGER = (int, float, Decimal)
TEXT = (str,)
ACCEPTED: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(["AutoField", "BigAutoField", "SmallAutoField"], INTEGER),
    **dict.fromkeys(["IntegerField", "BigIntegerField", "SmallIntegerField"], INTEGER),
    **dict.fromkeys(["PositiveIntegerField", "PositiveBigIntegerField", "PositiveSmallIntegerField"], INTEGER),
    **dict.fromkeys(["CharField", "TextField", "SlugField", "FilePathField", "GenericIPAddressField"], TEXT),
    "FileField": (str, File),
    "BooleanField": (bool, *INTEGER),
    "FloatField": (float, int, Decimal),
    "DecimalField": (Decimal, int),
    "DateField": (date,),
    "DateTimeField": (datetime,),
    "TimeField": (time, datetime),
    "DurationField": (timedelta,),
    "UUIDField": (UUID,),
    "BinaryField": (bytes, bytearray, memoryview),
}

# The methods of those of Django's fields for which a plain placeholder is not enough; the second is Django 6.1's.
PLACEHOLDERS = ("get_placeholder", "get_placeholder_sql")


class Conversion:
    """The conversions of `field` for the database of `alias`."""

    def __init__(self, field: Field, alias: str) -> None:
        self.field = field
        self.alias = alias

    @cached_property
    def is_checked(self) -> bool:
        """Whether the kind of value is known: Django's own field, whose values do not change in place."""
        field = self._plain_field
        methods = (field.to_python, field.get_prep_value, field.get_db_prep_value)
        is_djangos = all(method.__module__.startswith("django.") for method in methods)
        return is_djangos and not hasattr(field, "from_db_value") and self._kind in ACCEPTED

    @cached_property
    def reads_as_is(self) -> bool:
        """Whether what the driver gives is the value already, as with texts and integers."""
        return self.is_checked and self._kind != "DateTimeField" and not self._converters(connections[self.alias])

    def from_database(self, value: Any) -> Any:
        """What Django's ORM would give for this value of the driver's."""
        connection = connections[self.alias]
        if connection.vendor == "postgresql":
            value = _in_time_zone(value, connection.timezone)
        for convert in self._converters(connection):
            value = convert(value, self._column, connection)
        return value

    def to_database(self, value: Any) -> Any:
        """What Django's ORM would hand to the driver."""
        return self.field.get_db_prep_save(value, connections[self.alias])

    def from_python(self, value: Any) -> Any:
        """`value`, if it may be set, as it will be read later."""
        if not self.is_checked:
            return value
        accepted = ACCEPTED[self._kind]
        if not isinstance(value, accepted):
            raise TypeError(f"{self.field} takes {accepted[0].__name__}, not {type(value).__name__}: {value!r}")
        clean = _CLEAN.get(self._kind)
        return clean(self, value) if clean else self._plain_field.to_python(value)

    def default(self) -> Any:
        """What a new Django object has in this field; None if it has nothing, or if the database has a default."""
        if self.field.generated or (self.field.has_db_default() and not self.field.has_default()):
            return None
        value = self.field.get_default()
        if value is None:
            # Django writes an empty text where there is no file.
            return "" if self._kind == "FileField" else None
        return self._plain_field.to_python(value)

    def placeholder(self) -> str:
        """What stands for the value in a statement. PostgreSQL does not compare varchar[] with text[], say."""
        connection = connections[self.alias]
        if connection.vendor != "postgresql" or not any(hasattr(self._plain_field, name) for name in PLACEHOLDERS):
            return "?"
        return f"?::{self.field.db_type(connection)}"

    def moment(self, value: datetime) -> datetime:
        aware = value.utcoffset() is not None
        if aware is not settings.USE_TZ:
            wanted = "an aware datetime, for USE_TZ is on" if settings.USE_TZ else "a naive datetime, for USE_TZ is off"
            raise ValueError(f"{self.field} takes {wanted}, not {value!r}")
        return value.astimezone(connections[self.alias].timezone) if aware else value

    @cached_property
    def _plain_field(self) -> Field:
        """The field that says the kind of value: the one at the end of a chain of foreign keys."""
        field = self.field
        while isinstance(field, (ForeignKey, GeneratedField)):
            field = field.target_field if isinstance(field, ForeignKey) else field.output_field
        return field

    @cached_property
    def _kind(self) -> str:
        return str(self._plain_field.get_internal_type())

    @cached_property
    def _column(self) -> Any:
        return self.field.get_col(self.field.model._meta.db_table)

    def _converters(self, connection: Any) -> list[Callable[[Any, Any, Any], Any]]:
        # The converters depend on the connection, which is the thread's, and on USE_TZ, which tests change.
        known = connection.__dict__.setdefault("storm_converters", {})
        key = (self, settings.USE_TZ)
        if key not in known:
            backends = connection.ops.get_db_converters(self._column)
            known[key] = [*backends, *self._column.get_db_converters(connection)]
        found: list[Callable[[Any, Any, Any], Any]] = known[key]
        return found


_CLEAN: dict[str, Callable[[Conversion, Any], Any]] = {
    "BooleanField": lambda conversion, value: bool(value),
    "BinaryField": lambda conversion, value: bytes(value),
    "FileField": lambda conversion, value: str(value),
    "DateTimeField": Conversion.moment,
}


def _in_time_zone(value: Any, zone: Any) -> Any:
    # Django tells psycopg2's cursors the time zone; Storm's cursors give the session's, which is the same moment.
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.replace(tzinfo=None) if zone is None else value.astimezone(zone)
    if isinstance(value, list):
        return [_in_time_zone(item, zone) for item in value]
    return value
