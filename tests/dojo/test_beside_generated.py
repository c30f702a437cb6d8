"""Forms that Hypothesis puts together, plain and as dijits: fields, widgets, attributes, values, scripts and languages.

BESIDE_PAGES pages of 40 fields each; `python -m proofs.dojo` looks at 125 of them.
"""

from __future__ import annotations

import json
import os
from datetime import date, datetime, time
from typing import Any

import pytest
from django import forms
from django.conf import settings as django_settings
from django.utils import translation
from django.utils.formats import get_format
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.dojo.beside import Case, compare
from tests.dojo.beside_cases import click
from tests.dojo.test_beside_plain import open_page as open_page

pytestmark = pytest.mark.usefixtures("built")

PAGES = int(os.environ.get("BESIDE_PAGES", "1"))
NAMES = st.sampled_from(["f", "it's", 'quo"ted', "a-b", "name", "id", "ünï"])
ATTRIBUTES = st.fixed_dictionaries({}, optional={
    "autocomplete": st.sampled_from(["off", "email", "bday"]), "tabindex": st.sampled_from(["-1", "2"]),
    "maxlength": st.sampled_from(["3", "30"]), "pattern": st.sampled_from(["[a-z]+", "\\d*"]),
    "title": st.just("Title"),
    "placeholder": st.just("Say"), "data-x": st.just("1"), "class": st.just("mine"), "hx-post": st.just("/x"),
    "inputmode": st.just("numeric"), "aria-label": st.just("Called"), "readonly": st.just(True),
    "disabled": st.just(True), "form": st.just("form0"), "spellcheck": st.just("false"), "lang": st.just("la"),
})  # fmt: skip
EVERYWHERE = [
    "autocomplete",
    "tabindex",
    "title",
    "data-x",
    "class",
    "hx-post",
    "aria-label",
    "disabled",
    "form",
    "lang",
]


def only(*names: str) -> Any:
    """Those attributes that HTML has for the kind."""
    return ATTRIBUTES.map(lambda given: {name: value for name, value in given.items() if name in names})


FOR_CHOICES, FOR_MOMENTS = only(*EVERYWHERE), only(*EVERYWHERE, "readonly", "spellcheck")
FOR_NUMBERS = st.tuples(
    only(*EVERYWHERE, "readonly"), st.fixed_dictionaries({}, optional={
        "min": st.sampled_from(["-5", "7"]), "max": st.sampled_from(["100", "12345"]),
        "step": st.sampled_from(["1", "5"]),
    }),
).map(lambda found: {**found[0], **found[1]})  # fmt: skip
TEXTS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"], max_codepoint=0x2FFF), max_size=8)
# Each begins with another letter, so that a key chooses it.
VALUES = {"": "None yet", "a": "Attic", "b": "Bar", "c d": "Court", "é": "Étage", "0": "Zero", "A": "Other"}
SOME = st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=5, unique=True)
LANGUAGES = st.sampled_from([code for code, _ in django_settings.LANGUAGES])


def scripts(*writes: str) -> Any:
    """What a script does to the control, after somebody has used it: it writes, with an event and without, and asks."""
    told = ["", "; tell('input')", "; tell('change')", "; tell('input'); tell('change')"]
    steps = [write + event for write in writes for event in told] + [
        "node.setCustomValidity('No')", "node.setCustomValidity('')", "node.checkValidity()", "node.required = false",
        "node.focus()", "send()",
    ]  # fmt: skip
    return st.just([]) | st.lists(st.sampled_from(steps), min_size=1, max_size=4)


def writing(*values: Any) -> Any:
    return scripts(*(f"node.value = {json.dumps(value)}" for value in values))


@st.composite
def texts(draw: Any) -> Case:
    widget = draw(st.sampled_from([forms.TextInput, forms.Textarea, forms.PasswordInput]))
    attrs = draw(ATTRIBUTES)
    if widget is forms.Textarea:
        attrs.pop("pattern", None)
    field = forms.CharField(
        required=draw(st.booleans()), max_length=draw(st.sampled_from([None, 5])), widget=widget(attrs), label="Label"
    )
    # Keys are typed into what is there already, of which all is marked first.
    script = draw(writing("", "ab", draw(TEXTS)))
    return Case(field, name=draw(NAMES), typed=draw(TEXTS), initial=draw(st.none() | TEXTS), script=script)


@st.composite
def moments(draw: Any) -> Case:
    cls, value, key = draw(st.sampled_from([
        (forms.DateField, st.dates(date(1000, 1, 1)), "DATE_INPUT_FORMATS"),
        (forms.TimeField, st.times().map(lambda found: found.replace(microsecond=0)), "TIME_INPUT_FORMATS"),
        (forms.DateTimeField, st.datetimes(datetime(1000, 1, 1)).map(lambda d: d.replace(microsecond=0)), ""),
    ]))  # fmt: skip
    found: date | time | datetime = draw(value)
    field = cls(required=draw(st.booleans()), label="Label", widget=cls.widget(draw(FOR_MOMENTS)))
    script = draw(writing("", "no moment", str(draw(value))))
    if not key or draw(st.booleans()):
        return Case(field, name=draw(NAMES), initial=found, script=script)
    formats = [text for text in get_format(key) if "%n" not in text and "%f" not in text]
    return Case(field, name=draw(NAMES), typed=found.strftime(draw(st.sampled_from(formats))), script=script)


@st.composite
def natives(draw: Any) -> Case:
    """The browser's own kinds of a date and a time, within bounds or out of them."""
    cls, kind, pattern, value = draw(st.sampled_from([
        (forms.DateField, "date", "%Y-%m-%d", st.dates(date(1000, 1, 1))),
        (forms.TimeField, "time", "%H:%M", st.times()),
        (forms.DateTimeField, "datetime-local", "%Y-%m-%dT%H:%M", st.datetimes(datetime(1000, 1, 1))),
    ]))  # fmt: skip
    bounds = {name: draw(value).strftime(pattern) for name in ("min", "max") if draw(st.booleans())}
    widget = cls.widget({"type": kind, **draw(FOR_MOMENTS), **bounds}, format=pattern)
    field = cls(required=draw(st.booleans()), label="Label", widget=widget)
    script = draw(writing("", "no moment", draw(value).strftime(pattern)))
    return Case(field, name=draw(NAMES), initial=draw(value).strftime(pattern), script=script)


@st.composite
def numbers(draw: Any) -> Case:
    cls, value = draw(st.sampled_from([
        (forms.IntegerField, st.integers(-(10**15), 10**15)),
        (forms.DecimalField, st.decimals(-(10**9), 10**9, places=2)),
        (forms.FloatField, st.floats(-1e9, 1e9).map(lambda number: round(number, 3))),
    ]))  # fmt: skip
    localize = draw(st.booleans())
    widget = (forms.TextInput if localize else forms.NumberInput)(draw(FOR_NUMBERS))
    field = cls(required=draw(st.booleans()), localize=localize, label="Label", widget=widget)
    # A fraction is typed by the dijit's keys in the page's language, and by the browser's in its own.
    typed = str(draw(st.integers(-99, 10**6))) if draw(st.booleans()) else ""
    script = draw(writing("", "7", str(draw(st.integers(-(10**15), 10**15)))))
    return Case(field, name=draw(NAMES), initial=draw(st.none() | value), typed=typed, script=script)


@st.composite
def choices(draw: Any) -> Case:
    values = draw(SOME)
    options: list[Any] = [(value, VALUES[value]) for value in values]
    if draw(st.booleans()) and len(options) > 1:
        options = [("Group", options[:1]), *options[1:]]
    cls, widget = draw(st.sampled_from([
        (forms.ChoiceField, forms.Select), (forms.ChoiceField, forms.RadioSelect),
        (forms.MultipleChoiceField, forms.SelectMultiple), (forms.MultipleChoiceField, forms.CheckboxSelectMultiple),
        (forms.NullBooleanField, forms.NullBooleanSelect),
    ]))  # fmt: skip
    attrs = draw(FOR_CHOICES) if widget in (forms.Select, forms.SelectMultiple) else {}
    if cls is forms.NullBooleanField:
        script = draw(writing("true", "unknown", "none of them"))
        return Case(cls(label="Label"), name="f", typed=draw(st.sampled_from(["u", "y", "n"])), script=script)
    script = draw(
        writing(*values, "none of them") if widget is forms.Select
        else scripts("node.options[0].selected = true", "node.options[0].selected = false", "node.selectedIndex = -1")
        if widget is forms.SelectMultiple else scripts("node.checked = true", "node.checked = false")
    )  # fmt: skip
    initial = draw(st.sampled_from(values))
    field = cls(choices=options, required=draw(st.booleans()), widget=widget(attrs), label="Label")
    typed = VALUES[draw(st.sampled_from(values))][0] if widget is forms.Select and draw(st.booleans()) else ""
    return Case(
        field,
        name=draw(NAMES),
        initial=[initial] if cls is forms.MultipleChoiceField else initial,
        typed=typed,
        script=script,
    )


@st.composite
def ticks(draw: Any) -> Case:
    field = forms.BooleanField(required=draw(st.booleans()), label="Label")
    script = draw(scripts("node.checked = true", "node.checked = false"))
    return Case(field, initial=draw(st.booleans()), act=draw(st.sampled_from([None, click("")])), script=script)


@st.composite
def pages(draw: Any) -> tuple[str, list[Case]]:
    language = draw(LANGUAGES)
    with translation.override(language):
        kinds = st.one_of(texts(), moments(), natives(), numbers(), choices(), ticks())
        return language, draw(st.lists(kinds, min_size=40, max_size=40))


@settings(
    max_examples=PAGES, deadline=None, phases=[Phase.generate], database=None, derandomize=PAGES == 1,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(pages())
def test_whatever_form_is_put_together_does_what_it_does_as_plain_html(
    open_page: Any, page: tuple[str, list[Case]]
) -> None:
    language, cases = page
    with translation.override(language):
        differ = compare(open_page, cases, language)
    assert differ == [], f"in {language}:\n" + "\n".join(differ)
