"""How a grid's table shows what JSON has of a value; the script grid.js does the same in the browser."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime, parse_time
from django.utils.formats import date_format, number_format, time_format
from django.utils.translation import gettext as _

FORMATS = ("boolean", "date", "datetime", "number", "time")

_INVISIBLE = re.compile(r"[\x00-\x20]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def text(value: Any, kind: str = "") -> str:
    """What cannot be shown in a format is shown as it is."""
    if value is None:
        return ""
    if kind == "boolean" or isinstance(value, bool):
        yes, no, *_rest = _("yes,no,maybe").split(",")
        return (yes if value else no).capitalize()
    try:
        return _formatted(value, kind)
    except (ValueError, TypeError, InvalidOperation):
        return _as_it_is(value)


def _formatted(value: Any, kind: str) -> str:
    if kind == "number":
        return str(number_format(Decimal(str(value))))
    parsed: Any = None
    if kind == "date":
        parsed = parse_date(value[:10])
        return str(date_format(parsed)) if parsed else value
    if kind == "datetime":
        parsed = parse_datetime(value)
        if parsed and timezone.is_aware(parsed):
            parsed = timezone.localtime(parsed)
        return str(date_format(parsed, "DATETIME_FORMAT")) if parsed else value
    if kind == "time":
        parsed = parse_time(value)
        return str(time_format(parsed)) if parsed else value
    return _as_it_is(value)


def _as_it_is(value: Any) -> str:
    return (
        json.dumps(value, ensure_ascii=False, separators=(",", ":")) if isinstance(value, (dict, list)) else str(value)
    )


def safe_url(value: Any) -> str:
    """The address, unless it is one that runs something. Browsers leave spaces aside, and so does this."""
    address = str(value or "")
    scheme = _SCHEME.match(_INVISIBLE.sub("", address))
    return address if scheme is None or scheme[0].lower() in ("http:", "https:") else ""
