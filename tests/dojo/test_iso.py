"""What Django reads of dates and times beside a field's formats is sent as it is: an offset, a fraction of a second."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from itertools import product
from typing import Any

import pytest
from django import forms
from django.core import validators
from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.dateparse import datetime_re

from djintegrate.dojo import models as dojo
from djintegrate.dojo.forms import DijitRenderer
from tests.dojo import site
from tests.dojo.conftest import wait
from tests.dojo.test_browser import dijit, refused, submit
from tests.support.combinations import few
from tests.support.helpers import wait_until

pytestmark = pytest.mark.usefixtures("built")

READ = ["2026-01-01T10:00:00Z", "2026-01-01T10:00:00+02:00", "2026-01-01 10:00:00-05", "2026-01-01 10:00 -0530",
        "2026-01-01T10:00:00.5", "2026-01-01T10:00:00.123456+02:00"]  # fmt: skip
DAYS = ["2026-01-01", "2026-1-1", "2026-02-30", "x"]
HOURS = ["10:00", "10:00:00", "9:5", "25:00", "10:60", "10:00:60", "x"]
FRACTIONS = ["", ".5", ",123456", ".1234567", "."]
OFFSETS = ["", "Z", "+02:00", "-0530", " -05", "+5", "X", "Z+01"]
ASK = """const [texts] = arguments, box = require('dijit/registry').byId('id_when');
return texts.map(text => { box.set('text', text); return box.isValid() ? box.toString() : null; });"""


class When(forms.Form):
    when = forms.DateTimeField()


class Own(forms.Form):
    when = dojo.dojo_field(forms.DateTimeField(), "djintegrate.DateTimeBox")


class Several(forms.Form):
    """Of each, Django reads the text that is with it in SERVED."""

    when = forms.DateTimeField()
    number = forms.IntegerField()


SERVED = {"when": "2026-01-01T10:00:00Z", "number": "1_000"}


class IsoField(forms.DateTimeField):
    """As django-filter has it."""

    input_formats = ["iso-8601"]


class Iso(forms.Form):
    when = IsoField()


class Late(forms.Form):
    when = forms.DateTimeField(validators=[validators.MinValueValidator(datetime(2026, 1, 1, 11, tzinfo=timezone.utc))])


def opened(show: Any, form: type[forms.Form], /, **texts: str) -> Any:
    """The page of a form that was sent with these texts, or of an empty one."""
    return show(
        lambda *sent: form(*(sent or [texts or None])),
        lambda page, form: page.dojo_form(form, auto=True),
    )


def all_opened(show: Any, form: type[forms.Form], texts: Sequence[str | None]) -> Any:
    """One page with a form for each text. The names of their fields begin with a0, a1 and so on."""

    def one(text: str | None, prefix: str) -> Callable[..., forms.Form]:
        given = {f"{prefix}-when": text} if text else None
        return lambda *sent: form(*(sent or [given]), prefix=prefix)

    def prepare(page: Any, *all_forms: forms.Form) -> None:
        for each in all_forms:
            page.dojo_form(each, auto=True)

    return show([one(text, f"a{at}") for at, text in enumerate(texts)], prepare)


def write(page: Any, day: str, hour: str, name: str = "id_when") -> None:
    for part, text in (("date", day), ("time", hour)):
        box = page.find_element("id", f"{name}__{part}")
        box.clear()
        box.send_keys(text)


def all_sent(page: Any) -> list[forms.Form]:
    submit(page)
    wait_until(lambda: site.submitted)
    wait(page)
    [all_forms] = site.submitted
    return all_forms


def sent(page: Any) -> forms.Form:
    [form] = all_sent(page)
    return form


def test_what_the_server_has_read_is_sent_again(show: Any) -> None:
    arrived = all_sent(all_opened(show, When, READ))
    assert [form.data[form.add_prefix("when")] for form in arrived] == READ
    assert [form.data for form in arrived if not form.is_valid()] == []


@pytest.mark.parametrize(("language", "day"), [("en", "2026-01-01"), ("de", "1.1.2026")])
def test_what_django_reads_can_be_typed(show: Any, settings: Any, language: str, day: str) -> None:
    settings.LANGUAGE_CODE = language
    hours = ["10:00:00+02:00", "10:00Z", "10:00:00.5"]
    page = all_opened(show, When, [None] * len(hours))
    for at, hour in enumerate(hours):
        write(page, day, hour, f"id_a{at}-when")
    arrived = all_sent(page)
    assert [form.data for form in arrived if not form.is_valid()] == []
    found = {hour: form.cleaned_data["when"] for hour, form in zip(hours, arrived, strict=True)}
    assert found == {hour: forms.DateTimeField().clean(f"2026-01-01T{hour}") for hour in hours}


def test_a_day_that_is_changed_keeps_the_offset(show: Any) -> None:
    page = opened(show, When, when="2026-01-01T10:00:00.25Z")
    page.execute_script("require('dijit/registry').byId('id_when').dateBox.set('value', new Date(2026, 4, 6))")
    assert sent(page).data["when"] == "2026-05-06T10:00:00.25Z"


def test_a_value_that_is_set_to_what_it_is_stays(show: Any) -> None:
    page = opened(show, When, when="2026-01-01T10:00:00Z")
    page.execute_script("const box = require('dijit/registry').byId('id_when'); box.set('value', box.get('value'))")
    assert dijit(page, "id_when", "value") == "2026-01-01T10:00:00Z"
    assert sent(page).data["when"] == "2026-01-01T10:00:00Z"


def test_the_browser_takes_of_isos_forms_what_django_takes(show: Any) -> None:
    page = opened(show, When)
    texts = [f"{day}{sign}{hour}{fraction}{offset}"
             for day, sign, hour, fraction, offset in product(DAYS, " T", HOURS, FRACTIONS, OFFSETS)]  # fmt: skip
    found = [
        (text, cleaned(text), cleaned(sent)) for text, sent in zip(texts, page.execute_script(ASK, texts), strict=True)
    ]
    # Newer Pythons read a few more by themselves.
    differ = [row for row in found if row[1] != row[2] and (row[2] is not None or datetime_re.match(row[0]))]
    assert differ == [], differ[:30]


def cleaned(text: str | None) -> Any:
    try:
        return forms.DateTimeField().clean(text)
    except ValidationError:
        return None


def test_a_page_is_not_held_back_by_what_the_server_has_read_itself(show: Any) -> None:
    form = sent(opened(show, Several, **SERVED))
    assert form.data.dict() == SERVED
    assert form.is_valid()


def test_what_the_server_has_refused_is_still_refused_by_the_page(show: Any) -> None:
    page = opened(show, When, when="2026-01-01T25:00:00Z")
    assert refused(page)


@pytest.mark.parametrize("renderer", [None, DijitRenderer])
@pytest.mark.parametrize("form", [When, Own])
@pytest.mark.parametrize("hour", few(["25:00Z", "10:00+2"]))
def test_a_refusal_is_seen(show: Any, hour: str, form: type[forms.Form], renderer: Any) -> None:
    page = opened(show, type("Rendered", (form,), {"default_renderer": renderer}))
    write(page, "2026-01-01", hour)
    assert refused(page)
    said = page.find_element("id", "id_when__problem")
    assert said.is_displayed()
    assert said.text.endswith(str(forms.DateTimeField.default_error_messages["invalid"]))
    assert page.switch_to.active_element.get_attribute("aria-describedby") == "id_when__problem"


def test_bounds_of_a_time_with_an_offset_are_the_servers(show: Any) -> None:
    """The browser does not know the site's time zone."""
    form = sent(opened(show, Late, when="2026-01-01T10:00:00-05:00"))
    assert form.is_valid()


def test_a_field_that_knows_isos_form_alone_has_a_calendar(show: Any) -> None:
    texts = ["2026-01-01T10:00:00Z", "2026-01-01T10:00:00", "2026-01-01 10:00"]
    with translation.override("en"):
        page = all_opened(show, Iso, texts)
    for at, _ in enumerate(texts):
        page.execute_script(
            "require('dijit/registry').byId(arguments[0]).dateBox.set('value', new Date(2026, 4, 6))", f"id_a{at}-when"
        )
    arrived = all_sent(page)
    assert [form.data[form.add_prefix("when")][:10] for form in arrived] == ["2026-05-06"] * len(texts)
    assert [form.data for form in arrived if not form.is_valid()] == []
