"""Texts, numbers, dates and their kin: what one value of JSON's may stand for."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal, InvalidOperation
from enum import Flag
from fractions import Fraction
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms.utils import from_current_timezone
from django.utils import dateparse
from django.utils import timezone as django_timezone

from ..protocol.reading import LONGEST_NUMBER, ExactFloat
from .converters import Caller, Components, Converter, Schema

_INTEGER = re.compile(rf"[+-]?[0-9]{{1,{LONGEST_NUMBER}}}")
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_TIME = re.compile(r"(?:[01]?[0-9]|2[0-3]):[0-9]{1,2}(?::[0-9]{1,2}(?:[.,][0-9]+)?)?")
_ZONE = re.compile(r"\s*(?:[zZ]|[+-][0-9:]+)")
_FINER = re.compile(r"[.,][0-9]{6}[0-9]*[1-9]")
_PART = re.compile(r"([0-9.,]+)([DHMS])")
MICROSECONDS = {"D": 86_400_000_000, "H": 3_600_000_000, "M": 60_000_000, "S": 1_000_000}
FINER = "it is finer than a microsecond"
BOOLEANS = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}


class Null(Converter):
    expected = "null"

    def __call__(self, value: Any, caller: Caller) -> None:
        if value is not None and not (caller.is_text and value == ""):
            raise self.wrong(value)

    def schema(self, components: Components) -> Schema:
        return {"type": "null"}


class Text(Converter):
    expected = "a string"

    def __call__(self, value: Any, caller: Caller) -> str:
        if not isinstance(value, str):
            raise self.wrong(value)
        return value

    def schema(self, components: Components) -> Schema:
        return {"type": "string"}


class Boolean(Converter):
    expected = "true or false"

    def __call__(self, value: Any, caller: Caller) -> bool:
        if caller.is_text and isinstance(value, str):
            value = BOOLEANS.get(value.lower(), value)
        if not isinstance(value, bool):
            raise self.wrong(value)
        return value

    def schema(self, components: Components) -> Schema:
        return {"type": "boolean"}


class Integer(Converter):
    expected = "a whole number"

    def __call__(self, value: Any, caller: Caller) -> int:
        if type(value) is int:
            return value
        if caller.is_text and isinstance(value, str) and _INTEGER.fullmatch(value):
            return int(value)
        raise self.wrong(value)

    def schema(self, components: Components) -> Schema:
        return {"type": "integer"}


class Flags(Integer):
    """What an enum.Flag's members make together: the sum of some, or 0."""

    def __init__(self, flags: type[Flag]) -> None:
        self._flags = flags
        self._all = reduce(or_, (member.value for member in flags), 0)
        self.expected = f"a combination of the flags {', '.join(str(member.value) for member in flags)}"

    def __call__(self, value: Any, caller: Caller) -> Any:
        number = super().__call__(value, caller)
        try:
            if number & ~self._all:  # which an IntFlag would keep, and a number below 0 has
                raise self.wrong(value)
            return self._flags(number)
        except ValueError:
            raise self.wrong(value) from None

    def schema(self, components: Components) -> Schema:
        return {"type": "integer", "minimum": 0, "maximum": self._all}


class Float(Converter):
    expected = "a number"

    def __call__(self, value: Any, caller: Caller) -> float:
        if caller.is_text and isinstance(value, str) and _FLOAT.fullmatch(value):
            value = float(value) if len(value) <= LONGEST_NUMBER else value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(value)
        try:
            number = float(value)
        except OverflowError:
            raise self.wrong(value, "should be a smaller number") from None
        if number in (float("inf"), float("-inf")):
            raise self.wrong(str(value), "should be a smaller number")
        return number

    def schema(self, components: Components) -> Schema:
        return {"type": "number"}


class Exact(Converter):
    """A Decimal: from a text, or from a number as it was written."""

    expected = 'a decimal number, such as "12.50"'

    def __call__(self, value: Any, caller: Caller) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise self.wrong(value)
        written = value.written if isinstance(value, ExactFloat) else str(value)
        if len(written) > LONGEST_NUMBER or not _FLOAT.fullmatch(written):
            # What JSON itself has as a number is one.
            raise self.wrong(value, "its exponent is too long" if isinstance(value, ExactFloat) else "")
        try:
            return Decimal(written)
        except InvalidOperation:
            raise self.wrong(value) from None

    def schema(self, components: Components) -> Schema:
        return {"type": ["string", "number"], "format": "decimal"}


class Parsed(Converter):
    """What is a text in JSON, and has a parser."""

    def __init__(self, expected: str, parse: Callable[[str], Any], **schema: Any) -> None:
        self.expected = expected
        self._parse = parse
        self._schema = {"type": "string", **schema}

    def __call__(self, value: Any, caller: Caller) -> Any:
        if not isinstance(value, str):
            raise self.wrong(value)
        try:
            found = self._parse(value)
        except ValidationError as error:
            raise self.wrong(value, f"should be another: {' '.join(error.messages)}") from None
        except (ValueError, OverflowError):
            found = None
        if found is None:
            raise self.wrong(value)
        return found

    def schema(self, components: Components) -> Schema:
        return dict(self._schema)


# Django's parsers leave out what Python has no place for, such as the zone of a time. Here that is refused.


def _date(text: str) -> date | None:
    return dateparse.parse_date(text) if re.fullmatch(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", text, re.ASCII) else None


def _datetime(text: str) -> datetime | None:
    """A moment: one that names no zone is in the current one, where the site has zones at all."""
    found = dateparse.parse_datetime(text) if text.isascii() and "T" in text.upper().replace(" ", "T", 1) else None
    if found is None:
        return None
    _refuse_finer(text)
    if not settings.USE_TZ:
        return django_timezone.make_naive(found) if django_timezone.is_aware(found) else found
    if django_timezone.is_naive(found):
        found = from_current_timezone(found)
    # The first and the last day have moments that no other zone has a date for.
    found.astimezone(timezone.utc)
    return found


def _time(text: str) -> time | None:
    clock = _TIME.match(text)
    if clock is None:
        return None
    rest = text[clock.end() :]
    if _ZONE.fullmatch(rest):
        raise ValidationError("a time has no zone")
    if rest:
        return None
    _refuse_finer(text)
    return dateparse.parse_time(text)


def _timedelta(text: str) -> timedelta | None:
    found = dateparse.parse_duration(text) if text.isascii() and len(text) < 60 else None
    if found is None:
        return None
    if "P" not in text:
        _refuse_finer(text)
        return found
    # Django's parser goes by way of floats.
    parts = (Fraction(number.replace(",", ".")) * MICROSECONDS[unit] for number, unit in _PART.findall(text))
    exact = sum(parts, Fraction(0))
    if exact.denominator != 1:
        raise ValidationError(FINER)
    return timedelta(microseconds=-int(exact) if text.startswith("-") else int(exact))


def _refuse_finer(text: str) -> None:
    if _FINER.search(text):
        raise ValidationError(FINER)


def _uuid(text: str) -> UUID:
    return UUID(text)


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError from None


SCALARS: dict[Any, Converter] = {
    type(None): Null(),
    str: Text(),
    bool: Boolean(),
    int: Integer(),
    float: Float(),
    Decimal: Exact(),
    datetime: Parsed("a date and time, such as 2026-01-31T12:00:00Z", _datetime, format="date-time"),
    date: Parsed("a date, such as 2026-01-31", _date, format="date"),
    time: Parsed("a time, such as 12:30", _time, format="time"),
    timedelta: Parsed("a duration, such as P1DT2H or 1 02:00:00", _timedelta, format="duration"),
    UUID: Parsed("a UUID, such as 123e4567-e89b-12d3-a456-426614174000", _uuid, format="uuid"),
    bytes: Parsed("bytes in base64", _bytes, contentEncoding="base64"),
}
