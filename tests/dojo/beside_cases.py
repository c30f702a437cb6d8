"""The cases of tests/dojo/test_beside_plain.py: every field and widget of Django, and every attribute of each kind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils.html import format_html
from selenium.webdriver.common.keys import Keys

from djintegrate.dojo import models as dojo
from tests.dojo.beside import Case, seen, type_text

MOMENT = datetime(2026, 2, 3, 10, 30)
CHOICES = [("a", "Aula"), ("b", "Bar")]
GROUPED = [("Groups", [("a", "Aula"), ("b", "Bar")]), ("", "None yet"), ("c", "Court")]


class Pair(forms.MultiWidget):
    """A widget of a site's own, of a text and a select."""

    def __init__(self) -> None:
        super().__init__([forms.TextInput, forms.Select(choices=CHOICES)])

    def decompress(self, value: Any) -> list[Any]:
        return value.split("|") if value else ["", ""]


class PairField(forms.MultiValueField):
    def __init__(self, **options: Any) -> None:
        fields = (forms.CharField(), forms.ChoiceField(choices=CHOICES))
        super().__init__(fields, widget=Pair, **options)

    def compress(self, data_list: list[Any]) -> str:
        return "|".join(data_list)


def click(part: str) -> Any:
    def act(browser: Any, identifier: str) -> None:
        browser.find_element("css selector", f"label[for='{identifier}{part}']").click()

    return act


def parts(**texts: str) -> Any:
    """Keys for the parts of a field: parts(_0="x") types into id_f_0."""

    def act(browser: Any, identifier: str) -> None:
        for part, text in texts.items():
            type_text(browser, identifier + part, text)

    return act


def slowly(text: str) -> Any:
    """Dijits take no heed of one who leaves within a tenth of a second."""

    def act(browser: Any, identifier: str) -> None:
        face = seen(browser, identifier)
        face.send_keys(text)
        time.sleep(0.2)
        browser.execute_script("arguments[0].blur()", face)

    return act


def pressing(keys: str) -> Any:
    def act(browser: Any, identifier: str) -> None:
        seen(browser, identifier).send_keys(keys)

    return act


def choose_file(browser: Any, identifier: str) -> None:
    browser.find_element("id", identifier).send_keys(__file__)


def sought(**options: Any) -> forms.ChoiceField:
    field = forms.ChoiceField(label="Label", choices=[("", "None yet"), *CHOICES], **options)
    return dojo.dojo_field(field, "dijit.form.FilteringSelect")


def made(field: type[forms.Field], **options: Any) -> forms.Field:
    return field(label="Label", **options)


def wrapped(form: forms.Form) -> str:
    return format_html("<label>Around {}</label>", form["f"])


def hidden(form: forms.Form) -> str:
    return form["f"].as_hidden()


# Every field of Django with the widget it has, used as people use it.
FIELDS = [
    Case(made(forms.CharField), typed="x"),
    Case(made(forms.CharField, help_text="What it is for"), initial=" two  "),
    Case(made(forms.CharField, required=False), typed="  "),
    Case(made(forms.ComboField, fields=[forms.CharField(max_length=3), forms.CharField()]), typed="abc"),
    Case(made(forms.RegexField, regex="^a+$"), typed="aa"),
    Case(made(forms.SlugField), typed="a-b"),
    # The browser refuses addresses that Django reads: Django's rules take the place of the browser's type.
    Case(made(forms.EmailField), typed="a@b.de", differs=["attributes"]),
    Case(made(forms.URLField, assume_scheme="https"), typed="https://a.de", differs=["attributes"]),
    Case(made(forms.GenericIPAddressField), typed="::1"),
    Case(made(forms.UUIDField), typed="12345678123456781234567812345678"),
    Case(made(forms.JSONField), typed="[1]"),
    Case(made(forms.DurationField), typed="1 02:03:04"),
    Case(made(forms.IntegerField, help_text="How many"), typed="12"),
    Case(made(forms.IntegerField, min_value=20), typed="12"),
    Case(made(forms.IntegerField, step_size=5), typed="15"),
    # Keys that step, from a number and from none, to the next that is a step.
    Case(made(forms.IntegerField), typed="5" + Keys.ARROW_UP),
    Case(made(forms.IntegerField, max_value=5), typed="4" + Keys.ARROW_UP * 3),
    Case(made(forms.DecimalField, decimal_places=2), typed="0.1" + Keys.ARROW_UP * 2 + Keys.ARROW_DOWN * 3),
    Case(made(forms.FloatField), typed=Keys.ARROW_DOWN),
    Case(made(forms.IntegerField, step_size=5, min_value=0), typed=Keys.ARROW_UP * 2),
    Case(made(forms.IntegerField, step_size=5, min_value=0, max_value=12), typed="7" + Keys.ARROW_UP * 3),
    *[
        Case(
            made(forms.IntegerField, max_value=most, widget=forms.NumberInput({"type": "range", "max": most})),
            act=pressing(key),
            initial=4,
        )
        for most in (10, 50)
        for key in (Keys.PAGE_UP, Keys.PAGE_DOWN)
    ],
    Case(made(forms.DecimalField, max_digits=5, decimal_places=2), typed="1.25"),
    Case(made(forms.DecimalField, localize=True), initial="1234.5"),
    Case(made(forms.FloatField), initial=1.5),
    Case(made(forms.DateField, help_text="Which day"), typed="2026-02-03"),
    Case(made(forms.DateField, required=False), typed="0099-02-03"),
    Case(made(forms.DateField, required=False), typed="02/03/26"),
    Case(made(forms.DateField, required=False), typed="31/31/2026"),
    Case(made(forms.DateField), initial="2026-12-31"),
    Case(made(forms.TimeField), typed="14:30"),
    # Two boxes stand beside one; what they send is the same.
    Case(made(forms.DateTimeField, help_text="When"), initial="2026-02-03 10:30:00"),
    Case(made(forms.SplitDateTimeField), act=parts(_0="2026-02-03", _1="10:30")),
    Case(made(forms.ChoiceField, choices=GROUPED, required=False), typed="b"),
    Case(made(forms.ChoiceField, choices=GROUPED, required=False), typed="n"),
    Case(made(forms.ChoiceField, choices=GROUPED, required=False, help_text="Where"), initial="c"),
    Case(made(forms.ChoiceField, choices=GROUPED), initial=""),
    Case(made(forms.TypedChoiceField, choices=[(1, "One"), (2, "Two")], coerce=int), typed="t"),
    Case(made(forms.NullBooleanField), typed="n"),
    Case(made(forms.FilePathField, path=str(Path(__file__).parent / "static" / "tests")), typed="p"),
    Case(made(forms.MultipleChoiceField, choices=CHOICES, help_text="Which"), initial=["b"]),
    Case(made(forms.TypedMultipleChoiceField, choices=[(1, "One"), (2, "Two")], coerce=int), initial=[2]),
    Case(made(forms.ModelChoiceField, queryset=User.objects.none(), required=False)),
    Case(made(forms.ModelMultipleChoiceField, queryset=User.objects.none(), required=False)),
    Case(made(forms.BooleanField), act=click("")),
    Case(made(forms.BooleanField, required=False, help_text="Whether"), initial=True),
    Case(made(forms.FileField), act=choose_file, differs=["cleaned"]),  # no file goes through this harness's form
    Case(made(forms.ImageField, required=False, help_text="A picture")),
    Case(PairField(label="Label"), act=parts(_0="x", _1="b")),
    Case(PairField(label="Label", required=False), initial="x|b"),
]

# The widgets that no field has by itself.
WIDGETS = [
    Case(made(forms.CharField, widget=forms.Textarea, required=False), typed="one"),
    Case(made(forms.CharField, widget=forms.PasswordInput), typed="secret"),
    Case(made(forms.CharField, widget=forms.SearchInput), typed="sought"),
    Case(made(forms.CharField, widget=forms.TelInput), typed="+49 30"),
    Case(made(forms.CharField, widget=forms.ColorInput), initial="#00ff00"),
    Case(made(forms.CharField, widget=forms.HiddenInput, required=False), initial="h"),
    Case(made(forms.MultipleChoiceField, choices=CHOICES, widget=forms.MultipleHiddenInput), initial=["a", "b"]),
    Case(made(forms.SplitDateTimeField, widget=forms.SplitHiddenDateTimeWidget), initial=MOMENT),
    Case(made(forms.FileField, widget=forms.FileInput, required=False)),
    Case(made(forms.ChoiceField, choices=[("", "None"), *CHOICES], widget=forms.RadioSelect, required=False),
         act=click("_1")),
    Case(made(forms.MultipleChoiceField, choices=CHOICES, widget=forms.CheckboxSelectMultiple), act=click("_0")),
    *[Case(made(forms.MultipleChoiceField, choices=[("", "None"), *CHOICES], widget=widget), initial=[""])
      for widget in (forms.CheckboxSelectMultiple, forms.SelectMultiple)],
    Case(made(forms.DateField, widget=forms.SelectDateWidget(years=range(2020, 2030)), required=False),
         initial="2026-02-03"),
    Case(made(forms.DecimalField, min_value=0, max_value=1, step_size=0.1,
              widget=forms.NumberInput({"type": "range"})), initial="0.3"),
    Case(sought(), initial="b"),
    # While a choice is typed, a <select> has chosen one already, and a box with a list not yet.
    Case(sought(required=False), act=slowly("bar"), differs=["heard"]),
]  # fmt: skip

# Where a template writes a field in a way of its own; what is around it; odd names.
PLACES = [
    *[Case(made(forms.CharField), html=html, typed=typed) for html, typed in ((wrapped, "x"), (hidden, ""))],
    Case(made(forms.ChoiceField, choices=CHOICES), html=wrapped, typed="b"),
    Case(made(forms.ChoiceField, choices=CHOICES), html=hidden, initial="b"),
    Case(made(forms.DateField), html=wrapped, initial="2026-02-03"),
    Case(made(forms.DateTimeField), html=hidden, initial="2026-02-03 10:30:00"),
    Case(made(forms.IntegerField), html=wrapped, typed="7"),
    Case(made(forms.CharField, required=False), name="it's \"so\"", typed="quoted"),
    Case(made(forms.ChoiceField, choices=[("a", "A"), ("b", "B")]), name="it's \"so\"", typed="B"),
    Case(made(forms.IntegerField), name="it's \"so\"", typed="7"),
    *[Case(field, before="<fieldset disabled>", after="</fieldset>") for field in (
        made(forms.CharField), made(forms.ChoiceField, choices=CHOICES), made(forms.IntegerField),
        made(forms.DateTimeField), made(forms.BooleanField),
    )],
]  # fmt: skip

# The attributes of HTML's controls that make sense for every kind, a few together where they have nothing in common.
FOR_ALL: list[dict[str, Any]] = [
    {"class": "mine", "data-x": "1", "hx-get": "/x", "lang": "la", "title": "A title", "accesskey": "k"},
    {"tabindex": "3"}, {"tabindex": "-1"}, {"disabled": True}, {"form": "form0"}, {"hidden": True},
    {"aria-label": "Another"}, {"aria-describedby": "about", "aria-details": "about"},
]  # fmt: skip
FOR_TEXTS: list[dict[str, Any]] = [
    {"autocomplete": "username", "inputmode": "numeric", "spellcheck": "false", "enterkeyhint": "next"},
    {"maxlength": "2"}, {"minlength": "5"}, {"pattern": "x+"}, {"readonly": True}, {"placeholder": "Say", "dir": "rtl"},
    {"autocapitalize": "none", "size": "4"},
]  # fmt: skip
FOR_NUMBERS: list[dict[str, Any]] = [
    {"min": "3"}, {"max": "3"}, {"step": "5"}, {"readonly": True}, {"autocomplete": "off", "placeholder": "Say"},
]  # fmt: skip
ABOUT = '<span id="about">What it is about</span>'


def of_kind(field: type[forms.Field], widget: Callable[[Any], forms.Widget], typed: str = "", **options: Any) -> Any:
    """A way to make a case of this kind with attributes."""

    def make(attrs: dict[str, Any]) -> Case:
        before = ABOUT if "aria-describedby" in attrs else ""
        ours = {key: options[key] for key in ("initial", "differs") if key in options}
        rest = {key: value for key, value in options.items() if key not in ours}
        return Case(made(field, required=False, widget=widget(attrs), **rest), typed=typed, before=before, **ours)

    return make


def native(kind: str, base: Any, pattern: str) -> Any:
    """A widget of Django's as <input type="date"> and its kin, which have ISO's form."""
    return lambda attrs: base({"type": kind, **attrs}, format=pattern)


# Those of the browser tell of each part of a date that is complete, a dijit of each key.
NATIVE = {"differs": ["heard"]}
KINDS = [
    (of_kind(forms.CharField, forms.TextInput, "abc"), [*FOR_TEXTS, {"list": "some"}]),
    (of_kind(forms.CharField, forms.Textarea, "abc"), [attrs for attrs in FOR_TEXTS if "pattern" not in attrs]),
    (of_kind(forms.IntegerField, forms.NumberInput, "4"), FOR_NUMBERS),
    (of_kind(forms.DateField, forms.DateInput, "2026-02-03"), FOR_TEXTS),
    (of_kind(forms.TimeField, forms.TimeInput, "10:30"), [{"readonly": True}, {"autocomplete": "off"}]),
    (of_kind(forms.DateTimeField, forms.DateTimeInput, initial="2026-02-03 10:30:00"), [{"readonly": True}]),
    (of_kind(forms.ChoiceField, forms.Select, "B", choices=CHOICES), [{"autocomplete": "country"}]),
    (of_kind(forms.MultipleChoiceField, forms.SelectMultiple, initial=["a"], choices=CHOICES), [{"size": "3"}]),
    (of_kind(forms.BooleanField, forms.CheckboxInput), []),
    (of_kind(forms.FileField, forms.FileInput), [{"accept": "image/*", "capture": "user"}]),
    (of_kind(forms.CharField, forms.ColorInput, initial="#00ff00"), []),
    (of_kind(forms.DateField, native("date", forms.DateInput, "%Y-%m-%d"), "02/03/2026", **NATIVE),
     [{"min": "2026-02-01", "max": "2026-02-20"}, {"min": "2026-02-04"}, {"readonly": True}]),
    (of_kind(forms.TimeField, native("time", forms.TimeInput, "%H:%M"), initial="14:30"),
     [{"min": "10:00", "max": "15:00"}, {"max": "12:00"}]),
    (of_kind(forms.DateTimeField, native("datetime-local", forms.DateTimeInput, "%Y-%m-%dT%H:%M"),
             initial="2026-02-03T10:30"), [{"min": "2026-02-01T10:00"}, {"max": "2026-02-01T10:00"}]),
    (of_kind(forms.CharField, lambda attrs: forms.TextInput({"type": "month", **attrs}), initial="2026-02"), []),
    (of_kind(forms.CharField, lambda attrs: forms.TextInput({"type": "week", **attrs}), initial="2026-W07"), []),
    (of_kind(forms.CharField, lambda attrs: forms.TextInput({"type": "date", **attrs}), initial="2026-02-03"), []),
]  # fmt: skip


def attributes() -> Iterator[Case]:
    for make, own in KINDS:
        for attrs in [*FOR_ALL, *own]:
            yield make(attrs)


CASES = [*FIELDS, *WIDGETS, *PLACES, *attributes()]
