"""moments.js beside Django: in each of its languages the browser reads what the server reads, as the same moment."""

from __future__ import annotations

from datetime import date, datetime, time
from functools import cache
from typing import Any

import pytest
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import translation

from djintegrate.dojo.fields import values

pytestmark = pytest.mark.usefixtures("built")

FIELDS: tuple[type[forms.Field], ...] = (forms.DateField, forms.TimeField, forms.DateTimeField)
MOMENTS = [datetime(2026, 2, 3, 14, 5, 6), datetime(1969, 12, 31, 0, 0), datetime(1068, 1, 2, 23, 59, 59)]
NEVER = ["", "x", "30/02/2026", "2026-02-30", "29/02/2024", "29/02/2025", "00/00/0000", "2026-2-3", " 2026-02-03 ",
         "24:00", "12:60", "7:05", "03.02.2026", "3. 2. 2026", "02/03/26", "2026-02-03T10:30", "Feb. 3, 2026",
         "0099-02-03"]  # fmt: skip
DIGITS = {"arabic": 0x660, "persian": 0x6F0, "devanagari": 0x966, "bengali": 0x9E6, "full width": 0xFF10}
ASK = """
const [cases, done] = arguments;
const iso = found => found && [found.year, found.month, found.day, found.hour, found.minute, found.second];
require(["djintegrate/moments"], moments => done(cases.map(one => [
    one.texts.map(text => iso(moments[one.way](text, one.formats))),
    one.written.map(([year, month, day, hour, minute, second]) =>
        moments.write({ year, month, day, hour, minute, second }, one.shown)),
])));
"""


def parts(found: Any) -> list[int] | None:
    """As the browser has them: a time alone is of the first of January 1900."""
    if found is None:
        return None
    day = found if isinstance(found, date) else date(1900, 1, 1)
    clock = found if isinstance(found, (datetime, time)) else time()
    return [day.year, day.month, day.day, clock.hour, clock.minute, clock.second]


def read(field: forms.Field, text: str) -> list[int] | None:
    """By Django. A DateTimeField reads more of ISO's forms than a date's box and a time's ever put together."""
    if isinstance(field, forms.DateTimeField) and text.strip() and "T" not in text:
        found = next(filter(None, (by_format(text.strip(), one) for one in field.input_formats)), None)
        return parts(found)
    try:
        found = field.clean(text)
    except ValidationError:
        return None
    return parts(found.replace(tzinfo=None) if isinstance(found, datetime) else found)


@cache
def by_format(text: str, one: str) -> datetime | None:
    """Once for all languages, which have most of their formats in common."""
    try:
        return datetime.strptime(text, one)
    except ValueError:
        return None


def specifications(cls: type[forms.Field]) -> dict[str, tuple[forms.Field, dict[str, Any]]]:
    """One for each list of formats that some of the languages have in common."""
    found = {}
    for code, _ in settings.LANGUAGES:
        with translation.override(code):
            field = cls(required=False, input_formats=[str(text) for text in cls().input_formats])
            made = values.reading(field, field.widget)
            assert made is not None
            found[str((made["formats"], made["shown"]))] = field, made
    return found


def in_digits(text: str, zero: int) -> str:
    return "".join(chr(zero + int(character)) if character.isdecimal() else character for character in text)


def test_every_language_is_there() -> None:
    assert len(settings.LANGUAGES) > 90
    assert len(specifications(forms.DateField)) > 20


@pytest.mark.parametrize("cls", FIELDS)
def test_what_django_reads_and_writes_the_browser_does(show: Any, cls: type[forms.Field]) -> None:
    found = list(specifications(cls).values())
    known = {text for _, made in found for text in made["formats"]}
    texts = sorted({moment.strftime(text) for text in known for moment in MOMENTS} | set(NEVER))
    digits = [in_digits(text, zero) for text in texts[::7] for zero in DIGITS.values()]
    asked = [
        {"way": way, "texts": those, "formats": made["formats"], "shown": made["shown"], "written": written}
        for _, made in found
        for way, those, written in (("read", texts, list(map(parts, MOMENTS))), ("readGenerously", digits, []))
    ]
    answers = iter(show([]).execute_async_script(ASK, asked))
    differ = []
    with translation.override("en"):
        for field, made in found:
            for those, (as_read, written) in ((texts, next(answers)), (digits, next(answers))):
                differ += [
                    (made["formats"], text, there, here)
                    for text, there in zip(those, as_read, strict=True)
                    # Django knows a few of the others; the browser writes all anew, in digits that Django reads.
                    if there != (here := read(field, in_digits(text, ord("0"))))
                ]
                differ += [
                    (made["shown"], text, there, here)
                    for text, moment in zip(written, MOMENTS, strict=False)
                    if (there := read(field, text)) != (here := read(field, moment.strftime(made["shown"])))
                ]
    assert differ == [], "\n".join(map(str, differ[:30]))
