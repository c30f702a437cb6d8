"""The browser stops a submit exactly where the server would refuse it for the same rule, and says the same."""

from __future__ import annotations

import html
import re
from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.core import validators
from django.core.exceptions import ValidationError

from djintegrate.dojo.richtext import RichTextField
from tests.dojo.forms import CHOICES
from tests.dojo.test_auto_browser import by_itself

pytestmark = pytest.mark.usefixtures("built")

# Fields, and texts that some of them take and some refuse.
TABLE: list[tuple[forms.Field, list[str]]] = [
    (forms.CharField(), ["", "x", "  ", "\u2003", "\ufeff", "\x1f"]),
    (forms.CharField(strip=False), ["", " "]),
    (forms.CharField(required=False, min_length=3, max_length=5),
     ["", "ab", " ab ", "abc", "🎈🎈🎈🎈🎈", "🎈" * 6, "e\u0301a"]),
    (forms.CharField(max_length=4, widget=forms.Textarea), ["a\nb", "a\nbc", "a\n\nb", "\n\na"]),
    (forms.IntegerField(), ["", "0", "-7", "7.0", "7.5", "12345678901234567890123", "1e3", "x", "+5", "٣", "7."]),
    (forms.IntegerField(min_value=-3, max_value=9007199254740992),
     ["-3", "-4", "9007199254740992", "9007199254740993"]),
    (forms.IntegerField(step_size=3, min_value=1), ["1", "2", "4", "301", "302"]),
    (forms.FloatField(min_value=0.1, max_value=1e10),
     ["0.1", "0.09", "1e10", "1.1e10", ".5", "5.", "-1", "nan", "1e400"]),
    (forms.FloatField(step_size=0.1), ["0.3", "0.35"]),
    (
        forms.DecimalField(max_digits=5, decimal_places=2, min_value=Decimal("0.05"), max_value=Decimal("999.99")),
        ["0.05", "0.04", "999.99", "1000", "1.500", "1.505", "000001.5", "12345", "1e2", "-0", "1e-2"],
    ),
    (forms.DateField(validators=[validators.MinValueValidator(date(2026, 1, 2))]),
     ["2026-01-01", "2026-01-02", "x", "2026-02-30"]),
    (forms.TimeField(validators=[validators.MaxValueValidator(time(18))]), ["18:00", "18:01", "25:00", ""]),
    (forms.DurationField(), ["1 02:03:04", "P3DT4H", "3 days 04:05:06", "x", "15", "1:2:3"]),
    (forms.RegexField(r"^[a-c]+\Z"), ["abc", "abd", "abc\u2028", ""]),
    (forms.CharField(validators=[validators.RegexValidator("admin", inverse_match=True, message="Not he.")]),
     ["ada", "myadmin"]),
    (forms.SlugField(), ["a-b_c", "a b", "ä"]),
    (forms.SlugField(allow_unicode=True), ["ä", "ä b"]),
    (
        forms.EmailField(),
        ["a@b.de", "a", "a@b", "a@localhost", '"a b"@c.de', "a@[127.0.0.1]", "a@[300.0.0.1]", "a@bücher.de", "a@-b.de",
         "a@b..de", "a@@b.de", "x" * 310 + "@example.de", "A+b@EXAMPLE.org", "ä@b.de"],
    ),
    (
        forms.URLField(assume_scheme="https"),
        ["http://a.de", "a.de", "//a.de/x", "a", "localhost", "localhost:80", "http://[::1]:80/", "http://[::g]/",
         "ftp://a.de",
         "gopher://a.de", "http://a.de/ b", "http://bücher.de", "http://1.2.3.4", "http://1.2.3.400", "http://u:p@a.de",
         "http://" + "a" * 64 + ".de", "mailto:a@b.de", "http://a.de:99999", "http://a..de", "http://-a.de"],
    ),
    (forms.GenericIPAddressField(),
     ["1.2.3.4", "::1", "1.2.3", "01.2.3.4", "::ffff:1.2.3.4", "1::2::3", "g::", "fe80::1"]),
    (forms.GenericIPAddressField(protocol="ipv4"), ["1.2.3.4", "::1"]),
    (forms.GenericIPAddressField(protocol="ipv6"), ["1.2.3.4", "::1"]),
    (forms.UUIDField(),
     ["12345678-1234-5678-1234-567812345678", "{12345678123456781234567812345678}", "1234", "g" * 32]),
    (forms.JSONField(), ["{}", "[1, NaN, -Infinity]", '{"a": "NaN"}', "{a: 1}", "'x'", '"\\x"', "01", "null", ""]),
    (forms.ComboField(fields=[forms.CharField(max_length=8), forms.EmailField()]), ["a@b.de", "abcdef@b.de", "ab"]),
    (forms.ChoiceField(choices=[("", "None yet"), *CHOICES]), ["", "b"]),
    (RichTextField(), ["<p>x</p>", "<p>&nbsp;</p>", "", "<hr>"]),
]  # fmt: skip

VERDICTS = """
const [cases, done] = arguments;
require(["dijit/registry"], registry => done(cases.map(([id, text]) => {
    const dijit = registry.byId(id);
    if (dijit.field) { dijit.isLoaded = false; dijit._untouched = dijit.field.value = text; }
    else { dijit.set("textbox" in dijit ? "displayedValue" : "value", text); }
    dijit._hasBeenBlurred = true;
    return [dijit.validate(), dijit.get("message")];
})));
"""


def cases() -> list[tuple[str, forms.Field, str]]:
    return [(f"f{number}", field, text) for number, (field, texts) in enumerate(TABLE) for text in texts]


def servers_verdict(field: forms.Field, text: str) -> list[Any]:
    """As the browser sends it: the lines of a text end with two characters."""
    try:
        field.clean(re.sub("\r?\n", "\r\n", text))
    except ValidationError as error:
        return [False, error.messages[0]]
    return [True, ""]


def test_browser_and_server_agree(show: Any) -> None:
    form = type("Form", (forms.Form,), {f"f{number}": field for number, (field, _) in enumerate(TABLE)})
    browser = show(form, by_itself)
    assert len(cases()) > 150
    found = browser.execute_async_script(VERDICTS, [(f"id_{name}", text) for name, _, text in cases()])
    differ = []
    for (_, field, text), [is_right, message] in zip(cases(), found, strict=True):
        verdict = [is_right, "" if is_right else html.unescape(message)]
        expected = servers_verdict(field, text)
        if verdict != expected:
            differ.append((type(field).__name__, text, verdict, expected))
    assert not differ, "\n".join(map(str, differ))
