"""A page as dijits does what the same page does as plain HTML: beside it, by one harness (tests/dojo/beside.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django import forms
from django.utils import translation
from django.utils.formats import get_format

from tests.dojo import site
from tests.dojo.beside import Case, compare
from tests.dojo.beside_cases import CASES
from tests.dojo.conftest import wait
from tests.dojo.test_auto_browser import choose as choose_in_menu
from tests.dojo.test_auto_forms import pick
from tests.dojo.test_browser import find
from tests.support.browser import complaints
from tests.support.combinations import few
from tests.support.helpers import wait_until

pytestmark = pytest.mark.usefixtures("built")

LANGUAGES = ["ar", "cs", "cy", "de", "en-gb", "fa", "fr", "he", "hi", "ja", "uk", "zh-hans"]
"""Both orders of day and month, four scripts with digits of their own, three that are written from right to left."""


@pytest.fixture
def open_page(server: str, browser: Any) -> Any:
    def open_page(view: Any, state: str) -> Any:
        site.page = site.Page(view=view)
        browser.get(f"{server}/page/")
        if state:
            wait(browser, state)
        return browser

    return open_page


def classes(module: Any, base: type) -> set[str]:
    return {name for name, cls in vars(module).items() if isinstance(cls, type) and issubclass(cls, base)}


def test_every_field_and_widget_of_django_is_among_the_cases() -> None:
    fields = {cls.__name__ for case in CASES for cls in (type(case.field), *type(case.field).__bases__)}
    widgets = {type(case.field.widget).__name__ for case in CASES}
    # Those that only others are made of.
    fields |= {"Field", "BaseTemporalField", "InlineForeignKeyField"}
    widgets |= {"Widget", "Input", "MultiWidget", "ChoiceWidget", "DateTimeBaseInput"}
    assert classes(forms.fields, forms.Field) | classes(forms.models, forms.Field) <= fields
    assert classes(forms.widgets, forms.Widget) <= widgets


def test_every_kind_of_control_does_what_it_does_as_plain_html(open_page: Any, browser: Any) -> None:
    differ = compare(open_page, CASES)
    assert differ == [], "\n".join(differ)
    assert [said for said in complaints(browser) if "RichText should not" not in said] == []


@pytest.mark.parametrize("language", few(LANGUAGES, "cs", "en-gb", "fa"))
def test_dates_and_times_in_every_language_are_what_they_are_as_plain_html(open_page: Any, language: str) -> None:
    with translation.override(language):
        formats = [*get_format("DATE_INPUT_FORMATS")[:4], "%Y-%m-%d"]
        times = get_format("TIME_INPUT_FORMATS")[:2]
        cases = [Case(forms.DateField(label="Label"), typed=written(text)) for text in formats]
        cases += [Case(forms.TimeField(label="Label"), typed=written(text)) for text in times]
        cases += [
            Case(forms.DateField(label="Label"), initial=MOMENT.date()),
            Case(forms.DateTimeField(label="Label"), initial=MOMENT),
            Case(forms.DecimalField(label="Label", localize=True), initial="1234567.5"),
            Case(forms.FloatField(label="Label"), initial=1234567.5),
        ]
        differ = compare(open_page, [case for case in cases if case.typed or case.initial], language)
        assert differ == [], "\n".join(differ)


IN_DIALOG = site.TEMPLATE.replace('<form method="post"', '<dialog id="dialog"><form method="post"').replace(
    "</form>", "</form></dialog>"
)


class Day(forms.Form):
    day = forms.DateField()
    room = forms.ChoiceField(choices=[("a", "Aula"), ("b", "Bar")])


def test_what_opens_from_a_modal_dialog_can_be_used(show: Any) -> None:
    browser = show(lambda *data: Day(*data, initial={"day": "2026-02-03"}), lambda page, form: page.dojo_form(
        form, auto=True), template=IN_DIALOG)  # fmt: skip
    browser.execute_script("dialog.showModal()")
    pick(browser, "id_day", ".dijitCalendarCurrentMonth", "17")
    choose_in_menu(browser, "id_room", "Bar")
    assert browser.execute_script("return [id_day.value, id_room.value]") == ["2026-02-17", "b"]


class Bounded(forms.Form):
    day = forms.DateField(
        widget=forms.DateInput({"type": "date", "min": "2026-02-10", "max": "2026-02-20"}, format="%Y-%m-%d")
    )
    start = forms.DateTimeField(
        widget=forms.DateTimeInput({"type": "datetime-local", "min": "2026-02-18T10:00"}, format="%Y-%m-%dT%H:%M")
    )


@pytest.mark.parametrize(("name", "allowed"), [("id_day", (10, 20)), ("id_start__date", (18, 28))])
def test_the_bounds_of_html_are_those_of_the_calendar(show: Any, name: str, allowed: tuple[int, int]) -> None:
    initial = {"day": "2026-02-12", "start": "2026-02-19T10:00"}
    browser = show(lambda *data: Bounded(*data, initial=initial), lambda page, form: page.dojo_form(form, auto=True))
    browser.find_element("css selector", f"#widget_{name} .dijitArrowButtonContainer").click()
    days = f"#{name}_popup .dijitCalendarCurrentMonth:not(.dijitCalendarDisabledDate)"
    wait_until(lambda: browser.find_elements("css selector", days))
    found = [int(day.get_attribute("textContent")) for day in browser.find_elements("css selector", days)]
    assert found == list(range(allowed[0], allowed[1] + 1))


@pytest.mark.parametrize("widget", [
    forms.TextInput({"autofocus": True}), forms.NumberInput({"autofocus": True}), forms.Textarea({"autofocus": True}),
    forms.Select({"autofocus": True}, choices=[("a", "A")]), forms.CheckboxInput({"autofocus": True}),
])  # fmt: skip
def test_the_page_begins_where_the_html_says(show: Any, widget: forms.Widget) -> None:
    field = forms.IntegerField if isinstance(widget, forms.NumberInput) else forms.CharField
    form = type("Form", (forms.Form,), {"title": forms.CharField(), "f": field(widget=widget)})
    browser = show(form, lambda page, form: page.dojo_form(form, auto=True))
    wait_until(lambda: (browser.switch_to.active_element.get_attribute("id") or "").startswith("id_f"))


class Kept(forms.Form):
    title = forms.CharField()
    seats = forms.IntegerField()
    day = forms.DateField()
    room = forms.ChoiceField(choices=[("a", "Aula"), ("b", "Bar")])
    note = forms.CharField(widget=forms.Textarea)
    public = forms.BooleanField()


SENT = "return Array.from(new FormData(document.getElementById('the-form')))"
SHOWN = """const dijit = id => require("dijit/registry").byId(id);
return [...["id_title", "id_seats", "id_day", "id_note"].map(id => dijit(id).textbox.value),
    dijit("id_room").get("displayedValue"), id_public.checked];"""


def test_back_brings_what_was_typed(show: Any, server: str) -> None:
    browser = show(Kept, lambda page, form: page.dojo_form(form, auto=True))
    # Else the browser would keep the page as it is, rather than make it anew and fill it in.
    browser.execute_script("addEventListener('unload', () => {})")
    for name, text in (("title", "x"), ("seats", "7"), ("day", "2026-02-03"), ("room", "B"), ("note", "y")):
        find(browser, f"id_{name}").send_keys(text)
    browser.find_element("css selector", "label[for=id_public]").click()
    before = browser.execute_script(SENT)
    browser.get(f"{server}/nothing/")
    browser.back()
    wait(browser)
    assert browser.execute_script(SENT) == before
    assert browser.execute_script(SHOWN) == ["x", "7", "2026-02-03", "y", "Bar", True]


class Two(forms.Form):
    first = forms.CharField()
    second = forms.BooleanField()


def test_an_error_that_appears_does_not_move_the_page_below_a_click(show: Any) -> None:
    browser = show(Two, lambda page, form: page.dojo_form(form, auto=True))
    browser.find_element("id", "id_first").click()
    browser.find_element("css selector", "label[for=id_second]").click()
    assert browser.find_element("id", "id_second").is_selected()
    assert browser.find_element("id", "id_first__problem").text == "This field is required."


def written(text: str) -> str:
    return MOMENT.strftime(text) if "%n" not in text else ""


MOMENT = datetime(2026, 2, 3, 14, 5)
