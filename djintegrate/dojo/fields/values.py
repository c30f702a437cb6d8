"""How the text of a field's control is read and written, by Django's own formats for the page's language.

The browser gets these formats and no value: the HTML has that, as Django rendered it, and what is sent is what Django
reads, in whatever language.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import get_format
from django.utils.translation import get_language

from .. import conf

KINDS: tuple[tuple[type[forms.Field], str], ...] = (
    (forms.DateTimeField, "datetime"),
    (forms.DateField, "date"),
    (forms.TimeField, "time"),
    (forms.IntegerField, "number"),
)
"""Float and decimal fields are integer fields to Python."""

_DATE, _TIME = set("YymdBbAa"), set("HIMSfp")
# What an ISO text is to a DateTimeField, whatever its formats are.
_ISO = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]


def kind_of(field: forms.Field) -> str:
    """number, date, time or datetime; empty for a text and all else."""
    return next((kind for cls, kind in KINDS if isinstance(field, cls)), "")


def reading(field: forms.Field, widget: forms.Widget) -> dict[str, Any] | None:
    """For the specification. None where the text is only a text to the browser."""
    kind = kind_of(field)
    if kind == "number":
        return {"kind": kind, **_numbers(field)}
    formats = _formats(field) if kind else []
    known = [text for text in formats if _is_known(text)]
    if not known:
        return None
    shown = _shown(widget)
    made: dict[str, Any] = {
        "kind": kind,
        "formats": known,
        # The calendar writes as Django does, unless the field does not read that.
        "shown": shown if shown in known else known[0],
    }
    if shown not in known and _is_known(shown):
        made["rendered"] = shown
    if len(known) < len(formats):
        made["open"] = True
    if kind == "datetime":
        made["date"] = _halves(known, _DATE, "DATE_INPUT_FORMATS")
        made["time"] = _halves(known, _TIME, "TIME_INPUT_FORMATS")
        made["formats"] = list(dict.fromkeys([*_ISO, *known]))
    if _dojo_knows_the_language():
        made["locale"] = True
    return made


def has_known_format(field: forms.Field) -> bool:
    """Whether the browser can read and write at least one of the field's formats."""
    return any(map(_is_known, _formats(field)))


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


def inner(widget: forms.Widget) -> forms.Widget:
    """The widget itself, or the one in it: the admin puts links beside a select in such a way."""
    within = getattr(widget, "widget", None)
    return inner(within) if isinstance(within, forms.Widget) else widget


def initial_texts(bound: BoundField, part: int | None) -> list[str]:
    """What the browser would send of the initial value, or of one part of it: what Django compares with."""
    field, widget = bound.field, inner(bound.field.widget)
    value = bound.initial
    if isinstance(field, forms.FileField):
        return []
    context: dict[str, Any] = widget.get_context(bound.html_name, field.prepare_value(value), {})["widget"]
    if part is not None:
        context = context["subwidgets"][part]
    if isinstance(widget, forms.CheckboxInput):
        return [str(context["value"] or "on")] if context["attrs"].get("checked") else []
    texts = context["value"] if isinstance(context["value"], (list, tuple)) else [context["value"]]
    return [str(text) for text in texts if text not in (None, "")]


def _formats(field: forms.Field) -> list[str]:
    made = [text for text in map(str, getattr(field, "input_formats", ())) if "%" in text and _is_pythons(text)]
    # Such as django-filter's IsoDateTimeField, whose only format is "iso-8601".
    return made or (_ISO[:1] if isinstance(field, forms.DateTimeField) else [])


@cache
def _is_pythons(text: str) -> bool:
    """Some of Django's languages list formats that strptime() refuses, and so reads nothing by."""
    try:
        datetime.strptime("", text)
    except ValueError as error:
        return "bad directive" not in str(error) and "stray %" not in str(error)
    return True


@cache
def _is_known(text: str) -> bool:
    return set(re.findall("%(.)", text, re.DOTALL)) <= _DATE | _TIME | {"%"}


def _shown(widget: forms.Widget) -> str:
    """The format in which Django writes the value into the HTML."""
    own = getattr(widget, "format", None)
    key = getattr(widget, "format_key", None)
    return str(own or (get_format(key)[0] if key else ""))


def _halves(formats: list[str], letters: set[str], name: str) -> list[str]:
    """The date's or the time's half of these formats, and those that the language has for such a half alone."""
    halves = [half for text in formats for half in re.split("[ T]", text, maxsplit=1)]
    own = [half for half in halves if (found := set(re.findall("%(.)", half))) and found <= letters]
    return list(dict.fromkeys([*own, *(text for text in get_format(name) if _is_known(text) and _is_pythons(text))]))


def _numbers(field: forms.Field) -> dict[str, Any]:
    decimal, group = get_format("DECIMAL_SEPARATOR"), get_format("THOUSAND_SEPARATOR")
    # What Django does not take for a group's sign, it may take for a decimal point: 1.234 would become a thousand more.
    has_groups = settings.USE_THOUSAND_SEPARATOR if field.localize else group != "."
    return {
        # The one that a localized field is sure to read; others read a dot.
        "wire": decimal if field.localize else ".",
        "decimal": decimal,
        "group": group if has_groups else "",
        "grouping": get_format("NUMBER_GROUPING") or 3,
    }


def _dojo_knows_the_language() -> bool:
    language = get_language() or settings.LANGUAGE_CODE
    return conf.locale(language).partition("-")[0] == language.partition("-")[0]


def _naive(value: str) -> datetime | None:
    """What the browser sent itself, though it be a time that the time zone leaves out."""
    try:
        found = parse_datetime(value.strip())
    except ValueError:
        return None
    return found if found and timezone.is_naive(found) else None
