"""How a field's value goes to a dijit and back: in which kind, and how the browser is to write it for Django to read.

A dijit shows numbers and dates as its language has them. What it submits is what this says, whatever the language.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import get_format

KINDS: tuple[tuple[type[forms.Field], str], ...] = (
    (forms.DateTimeField, "datetime"),
    (forms.DateField, "date"),
    (forms.TimeField, "time"),
    (forms.IntegerField, "number"),
)
"""Float and decimal fields are integer fields to Python."""

# What strptime() reads as numbers, in every language alike.
_NUMERIC = {"date": ({"Y", "m", "d"}, {"Y", "m", "d"}), "time": ({"H", "M", "S"}, {"H", "M"})}
_ISO = {"date": "%Y-%m-%d", "time": "%H:%M:%S"}
_CLDR = {
    "Y": "yyyy", "y": "yy", "m": "MM", "d": "dd", "b": "MMM", "B": "MMMM", "a": "EEE", "A": "EEEE",
    "H": "HH", "I": "hh", "M": "mm", "S": "ss", "p": "a",
}  # fmt: skip
_DIRECTIVE = re.compile(r"%(.)|([A-Za-z']+)", re.DOTALL)


def kind_of(field: forms.Field) -> str:
    """number, date, time or datetime; empty for a text and all else."""
    return next((kind for cls, kind in KINDS if isinstance(field, cls)), "")


def value_of(field: forms.Field, widget: forms.Widget, value: Any) -> dict[str, Any] | None:
    """For the specification. None where the dijit is to have the text of the HTML, and to submit its own."""
    kind = kind_of(field)
    if not kind:
        return None
    made: dict[str, Any] = {"kind": kind}
    if kind == "number":
        # The one that a localized field is sure to read; others read a dot.
        made["wire"] = get_format("DECIMAL_SEPARATOR") if field.localize else "."
    elif kind != "datetime":
        made["wire"] = wire_format(field)
        if made["wire"] is None:
            return None
        patterns = own_patterns(field, widget)
        if patterns:
            made["patterns"] = patterns
    try:
        made["is"] = canonical(field, value)
    except ValidationError:
        made["text"] = str(value)
    return made


def canonical(field: forms.Field, value: Any) -> str:
    """The value as the browser is told it: `12.50`, `2026-02-03`, `10:30:00`. Raises ValidationError if it is none."""
    if value in field.empty_values:
        return ""
    if isinstance(value, str):
        value = (_naive(value) if isinstance(field, forms.DateTimeField) else None) or field.to_python(value)
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    if isinstance(value, datetime):
        value = timezone.make_naive(value) if timezone.is_aware(value) else value
        if isinstance(field, forms.DateTimeField):
            return value.replace(microsecond=0).isoformat()
        value = value.date() if isinstance(field, forms.DateField) else value.time()
    if isinstance(value, time):
        return value.replace(microsecond=0, tzinfo=None).isoformat()
    if isinstance(value, date):
        return value.isoformat() + ("T00:00:00" if isinstance(field, forms.DateTimeField) else "")
    text = str(value)
    if not re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text, re.ASCII):
        raise ValidationError(text)
    return text


def initial_texts(field: forms.Field, widget: forms.Widget, value: Any) -> list[str]:
    """What the browser would send for this value, where it is not touched."""
    if isinstance(field, forms.FileField) or value in field.empty_values or value is False:
        return []
    made = value_of(field, widget, value)
    if made is None:
        prepared = field.prepare_value(value)
        several = prepared if isinstance(prepared, (list, tuple, set)) else [prepared]
        return [str(one) for one in several]
    text = made.get("is", made.get("text", ""))
    if made["kind"] == "number":
        text = text.replace(".", made["wire"])
    elif text and made["kind"] != "datetime":
        parsed = date.fromisoformat(text) if made["kind"] == "date" else time.fromisoformat(text)
        text = parsed.strftime(made["wire"])
    return [text]


def wire_format(field: forms.Field) -> str | None:
    """One of the formats that the field reads, made of numbers alone. None if it reads no such format."""
    formats = list(getattr(field, "input_formats", ()))
    known, needed = _NUMERIC[kind_of(field)]
    iso = _ISO[kind_of(field)]
    if iso in formats:
        return iso
    found = [text for text in formats if needed <= set(re.findall("%(.)", text)) <= known | {"%"}]
    return max(found, key=lambda text: "%S" in text, default=None)


def own_patterns(field: forms.Field, widget: forms.Widget) -> list[str]:
    """Where the field or the widget has formats of its own: these, as Dojo writes them, the one to show first."""
    formats = getattr(field, "input_formats", ())
    own = list(formats) if isinstance(formats, (list, tuple)) else []
    shown: Sequence[str] = [widget.format] if getattr(widget, "format", None) else []
    return [pattern for pattern in dict.fromkeys(map(cldr, [*shown, *own])) if pattern]


def cldr(text: str) -> str | None:
    """A format of strptime() as Dojo writes it, or None where Dojo has no such thing."""
    unknown = [letter for letter in re.findall("%(.)", text) if letter not in {*_CLDR, "%"}]
    if unknown:
        return None
    return _DIRECTIVE.sub(_part, text)


def _part(match: re.Match[str]) -> str:
    if match[1]:
        return _CLDR.get(match[1], "%")
    return "'" + match[2].replace("'", "''") + "'"


def _naive(value: str) -> datetime | None:
    """What the browser sent itself, though it be a time that the time zone leaves out."""
    try:
        found = parse_datetime(value.strip())
    except ValueError:
        return None
    return found if found and timezone.is_naive(found) else None
