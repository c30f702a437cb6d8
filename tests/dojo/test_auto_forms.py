"""dojo_form(form, auto=True) in a real browser: values that were there, popups, errors, formsets, files."""

from __future__ import annotations

import zoneinfo
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django import forms
from django.contrib.auth.models import Group
from django.core import validators
from django.utils import timezone

from djintegrate.dojo import models as dojo
from djintegrate.dojo.richtext import RichTextField
from tests.dojo import site
from tests.dojo.forms import Every
from tests.dojo.test_auto_browser import BERLIN, LABELLED, by_itself, choose, click_label, refused, submitted, write
from tests.dojo.test_browser import dijit, find, submit, type_into, wait_for_focus
from tests.support.helpers import wait_until

pytestmark = pytest.mark.usefixtures("built")


def test_what_is_there_comes_back_untouched(show: Any, settings: Any) -> None:
    """No dijit is used; each sends what it was given."""
    settings.LANGUAGE_CODE, settings.TIME_ZONE = "de", "Europe/Berlin"
    initial = {
        "text": "“x” <y>", "whole": 12345678901234567890, "ratio": 1e300, "price": Decimal("1234.5678901234"),
        "local": Decimal("1234.5"), "steps": 15, "level": 7, "day": date(2026, 2, 3), "hour": time(10, 11, 12),
        "start": datetime(2026, 3, 8, 2, 30, tzinfo=BERLIN), "split": datetime(2026, 2, 3, 14, 30, tzinfo=BERLIN),
        "born": date(1999, 12, 31), "length": timedelta(days=1, seconds=5), "public": True, "known": False, "room": "c",
        "way": 2, "rooms": ["a", "c"], "ways": ["b"], "mail": "a@b.de", "link": "https://a.de/", "slug": "a",
        "key": UUID(int=1), "address": "::1", "data": {"a": 1}, "note": "one\r\ntwo",
        "story": "<p>So <b>it</b> went</p>", "paper": None,
        "colour": "#00ff00",
    }  # fmt: skip
    browser = show(lambda *data: Every(*data, initial=initial), by_itself)
    assert dijit(browser, "id_ratio", "displayedValue") == "1e+300"
    assert dijit(browser, "id_local", "displayedValue") == "1234,5"
    assert dijit(browser, "id_hour", "displayedValue") == "10:11:12"
    form = submitted(browser)
    assert form.cleaned_data == initial
    assert form.changed_data == []


def test_optional_fields_may_stay_empty(show: Any) -> None:
    form = submitted(show(Every, by_itself))
    empty = {name: value for name, value in form.cleaned_data.items() if name not in ("level", "colour")}
    assert {name for name, value in empty.items() if value not in (None, "", [])} == {"public"}
    assert form.cleaned_data["public"] is False
    assert form.cleaned_data["level"] == 4


@pytest.mark.parametrize("language", ["de", "ar"])
def test_a_day_and_an_hour_are_picked_from_the_popups(show: Any, settings: Any, language: str) -> None:
    settings.LANGUAGE_CODE, settings.TIME_ZONE = language, "UTC"
    initial = {"day": date(2026, 2, 3), "start": datetime(2026, 2, 3, 10, 0, tzinfo=zoneinfo.ZoneInfo("UTC"))}
    browser = show(lambda *data: Every(*data, initial=initial), by_itself)
    for name in ("id_day", "id_start__date"):
        pick(browser, name, ".dijitCalendarCurrentMonth", "17")
    pick(browser, "id_start__time", ".dijitTimePickerItem", "11:00" if language == "de" else "11:00 ص")
    form = submitted(browser)
    assert form.cleaned_data["day"] == date(2026, 2, 17)
    assert form.cleaned_data["start"] == datetime(2026, 2, 17, 11, 0, tzinfo=zoneinfo.ZoneInfo("UTC"))


def pick(browser: Any, name: str, items: str, text: str) -> None:
    """In the popup of a date's or a time's dijit."""
    browser.find_element("css selector", f"#widget_{name} .dijitArrowButtonContainer").click()
    popup = f"#{name}_popup {items}"
    places: list[Any] = []

    def rests() -> bool:
        # A list of times scrolls to the value that it has, after it has opened.
        places.append(browser.execute_script(PLACES, popup, text))
        return len(places) > 1 and places[-2] == places[-1] != []

    wait_until(rests)
    [item] = browser.execute_script(LABELLED, popup, text)
    item.click()
    wait_until(lambda: browser.execute_script(PLACES, popup, text) in ([], [[0, 0]]))


PLACES = """return Array.from(document.querySelectorAll(arguments[0]))
    .filter(item => item.innerText.trim() == arguments[1])
    .map(item => item.getBoundingClientRect()).map(place => [place.x, place.y])"""


class Strict(forms.Form):
    """Each kind of dijit, and each field required."""

    text = forms.CharField()
    whole = forms.IntegerField()
    day = forms.DateField(error_messages={"required": "Which day?"})
    start = forms.DateTimeField()
    split = forms.SplitDateTimeField()
    agreed = forms.BooleanField(error_messages={"required": "You have to agree."})
    room = forms.ChoiceField(choices=[("", "None yet"), ("a", "A")])
    hall = forms.ModelChoiceField(Group.objects.all())
    way = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    rooms = forms.MultipleChoiceField(choices=[("a", "A"), ("b", "B")])
    ways = forms.MultipleChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.CheckboxSelectMultiple)
    note = forms.CharField(widget=forms.Textarea)
    story = RichTextField()
    paper = forms.FileField(validators=[validators.FileExtensionValidator(["pdf"])], max_length=9)


@pytest.mark.django_db(transaction=True)
def test_what_is_required_is_required_of_each_kind_of_dijit(show: Any, tmp_path: Path) -> None:
    Group.objects.create(pk=7, name="Hall <7>")
    browser = show(Strict, by_itself)
    assert refused(browser) == {}  # nobody is blamed before
    submit(browser)
    said = refused(browser)
    expected = {f"id_{name}": "This field is required." for name in Strict.base_fields}
    expected |= {"id_agreed": "You have to agree.", "id_day": "Which day?"}
    for name, parts in {"split": ("0", "1"), "way": ("0", "1"), "ways": ("0", "1")}.items():
        expected |= {f"id_{name}_{part}": expected[f"id_{name}"] for part in parts}
        del expected[f"id_{name}"]
    assert {name: text for name, text in said.items() if not name.startswith("id_start__")} == expected
    wait_for_focus(browser, "id_text")
    for name in ("text", "note"):
        type_into(browser, f"id_{name}", "x")
    for name, text in {"whole": "1", "day": "2/3/2026", "start__date": "2/3/2026", "split_0": "2/3/2026",
                       "split_1": "2:30 PM", "hall": "Hall <7>"}.items():  # fmt: skip
        type_into(browser, f"id_{name}", text)
    for name in ("agreed", "way_0", "ways_1"):
        click_label(browser, f"id_{name}")
    choose(browser, "id_room", "A")
    browser.find_element("css selector", "#id_rooms option[value=b]").click()
    write(browser, "id_story", "x")
    (tmp_path / "long name.txt").write_text("x")
    type_into(browser, "id_paper", str(tmp_path / "long name.txt"))
    submit(browser)
    assert refused(browser) == {"id_paper": "Ensure this filename has at most 9 characters (it has 13)."}
    for name, text, message in (
        ("b.txt", "x", "File extension “txt” is not allowed. Allowed extensions are: pdf."),
        ("b.pdf", "", "The submitted file is empty."),
    ):
        (tmp_path / name).write_text(text)
        type_into(browser, "id_paper", str(tmp_path / name))
        submit(browser)
        assert refused(browser) == {"id_paper": message}
    (tmp_path / "b.pdf").write_text("x")
    browser.execute_script("document.getElementById('id_paper').value = ''")
    type_into(browser, "id_paper", str(tmp_path / "b.pdf"))
    form = submitted(browser)
    assert form.cleaned_data["hall"].pk == 7
    assert form.cleaned_data["start"] == timezone.make_aware(datetime(2026, 2, 3))


class Refused(forms.Form):
    title = forms.CharField()
    seats = forms.IntegerField()
    day = forms.DateField()
    public = forms.BooleanField(required=False)

    def clean_title(self) -> str:
        if self.cleaned_data["title"] == "taken":
            raise forms.ValidationError("This <title> is taken.")
        return str(self.cleaned_data["title"])

    def clean_public(self) -> bool:
        raise forms.ValidationError("Not today.")


def test_what_the_server_refused_is_shown_until_it_is_corrected(show: Any) -> None:
    data = {"title": "taken", "seats": "many", "day": "31.2.2026", "public": "on"}
    browser = show(lambda *posted: Refused(*(posted or [data])), by_itself)
    assert refused(browser) == {
        "id_title": "This &lt;title&gt; is taken.", "id_seats": "Enter a whole number.",
        "id_day": "Enter a valid date.", "id_public": "Not today.",
    }  # fmt: skip
    assert dijit(browser, "id_seats", "displayedValue") == "many"
    assert dijit(browser, "id_day", "displayedValue") == "31.2.2026"
    assert browser.find_element("id", "id_title_error").is_displayed()
    type_into(browser, "id_title", "!")
    browser.execute_script("require('dijit/registry').byId('id_seats').set('value', 5)")
    click_label(browser, "id_public")
    assert set(refused(browser)) == {"id_day"}
    assert not browser.find_element("id", "id_title_error").is_displayed()
    type_into(browser, "id_title", "\ue003")  # back to what was refused
    assert set(refused(browser)) == {"id_day", "id_title"}
    assert browser.find_element("id", "id_title_error").is_displayed()
    # It may be right by now, so that it is the server's to say.
    browser.find_element("id", "id_day").clear()
    type_into(browser, "id_day", "2026-02-03")
    form = submitted(browser, valid=False)
    assert form.data["title"] == "taken" and form.cleaned_data["seats"] == 5


class Row(forms.Form):
    name = forms.CharField()
    room = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], initial="a")
    day = forms.DateField(initial=date(2026, 2, 3))
    price = forms.DecimalField(localize=True, initial=Decimal("1.5"))
    public = forms.BooleanField(required=False, initial=True)


def test_rows_of_a_formset_that_are_left_alone_or_deleted_are_not_checked(show: Any, settings: Any) -> None:
    settings.LANGUAGE_CODE = "de"
    rows = forms.formset_factory(Row, extra=2, can_delete=True, can_order=True)
    initial = [{"name": "old", "room": "b"}]

    def prepare(page: Any, formset: Any) -> None:
        page.dojo_form(formset, auto=True)

    browser = show(lambda *data: rows(*data, initial=initial, prefix="r"), prepare)
    browser.find_element("id", "id_r-0-name").clear()
    submit(browser)
    assert refused(browser) == {"id_r-0-name": "Dieses Feld ist zwingend erforderlich."}
    click_label(browser, "id_r-0-DELETE")
    type_into(browser, "id_r-1-day", "\ue009a\ue00003.02.2027")
    submit(browser)
    assert "id_r-1-name" in refused(browser)
    assert "id_r-2-name" not in refused(browser)
    type_into(browser, "id_r-1-name", "new")
    submit(browser)
    wait_until(lambda: site.submitted)
    [[formset]] = site.submitted
    assert formset.is_valid(), formset.errors
    assert [form.cleaned_data.get("name") for form in formset if form not in formset.deleted_forms] == ["new", None]
    assert not formset.forms[2].has_changed()


class Own(forms.Form):
    """With formats of its own."""

    day = forms.DateField(input_formats=["%d-%m-%Y"], initial=date(2026, 2, 3))
    short = forms.DateField(input_formats=["%d %b %y", "%d.%m.%Y"])
    hour = forms.TimeField(input_formats=["%H.%M"], initial=time(9, 5))
    price = forms.DecimalField(localize=True)
    count = forms.IntegerField(localize=True, initial=1234567)


def test_formats_of_a_fields_own_are_shown_and_sent(show: Any, settings: Any) -> None:
    settings.LANGUAGE_CODE, settings.USE_THOUSAND_SEPARATOR = "de", True
    browser = show(Own, by_itself)
    assert dijit(browser, "id_day", "displayedValue") == "03-02-2026"
    assert dijit(browser, "id_hour", "displayedValue") == "09.05"
    assert dijit(browser, "id_count", "displayedValue") == "1.234.567"
    type_into(browser, "id_short", "4.2.2026")
    type_into(browser, "id_price", "1.234,567")
    form = submitted(browser)
    assert form.cleaned_data == {
        "day": date(2026, 2, 3), "short": date(2026, 2, 4), "hour": time(9, 5), "price": Decimal("1234.567"),
        "count": 1234567,
    }  # fmt: skip


class Grouped(forms.Form):
    room = forms.ChoiceField(
        choices=[("", "None"), ("<First>", [("a", "A & B"), ("b", "B")]), ("Second", [("c", "C")])]
    )
    paper = forms.FileField(required=False)
    title = forms.CharField(initial="first")
    fixed = forms.DateField(disabled=True, initial=date(2026, 2, 3))


def test_groups_are_headings_that_cannot_be_chosen(show: Any) -> None:
    browser = show(Grouped, by_itself)
    find(browser, "id_room").click()
    wait_until(lambda: len(browser.find_elements("css selector", "#id_room_menu .dijitMenuItem")) == 6)
    items = browser.find_elements("css selector", "#id_room_menu .dijitMenuItem")
    assert [item.text.strip() for item in items] == ["None", "<First>", "A & B", "B", "Second", "C"]
    off = ["dijitMenuItemDisabled" in item.get_attribute("class") for item in items]
    assert off == [False, True, False, False, True, False]
    items[1].click()
    assert dijit(browser, "id_room", "value") == ""
    browser.execute_script("var d = require('dijit/registry').byId('id_room'); d.set('value', d.options[1].value)")
    submit(browser)
    assert set(refused(browser)) == {"id_room"}
    browser.execute_script("require('dijit/registry').byId('id_room').closeDropDown()")
    choose(browser, "id_room", "A & B")
    form = submitted(browser)
    assert form.cleaned_data["room"] == "a"
    assert form.cleaned_data["fixed"] == date(2026, 2, 3)


class Stored:
    url = "/a.txt"

    def __str__(self) -> str:
        return "a.txt"


def test_a_file_that_is_there_can_be_cleared_and_a_form_reset(show: Any) -> None:
    template = site.TEMPLATE.replace("<button", '<button type="reset" id="reset">Reset</button><button')
    browser = show(lambda *data: Grouped(*data, initial={"paper": Stored(), "room": "b"}), by_itself, template=template)
    click_label(browser, "paper-clear_id")
    type_into(browser, "id_title", " more")
    browser.find_element("id", "reset").click()
    wait_until(lambda: dijit(browser, "id_title", "value") == "first")
    wait_until(lambda: dijit(browser, "paper-clear_id", "checked") is False)
    click_label(browser, "paper-clear_id")
    assert submitted(browser).cleaned_data["paper"] is False


class Named(forms.Form):
    """dojo_field() says which dijits; the values are no less Django's."""

    day = dojo.dojo_field(forms.DateField(initial=date(2026, 2, 3)), "dijit.form.DateTextBox")
    hour = dojo.dojo_field(forms.TimeField(), "dijit.form.TimeTextBox")
    ratio = dojo.dojo_field(forms.DecimalField(localize=True, initial=Decimal("1234.5")), "dijit.form.NumberTextBox")
    price = dojo.dojo_field(
        forms.DecimalField(initial=Decimal("1234.5")), "dijit.form.CurrencyTextBox", dojo_attrs={"currency": "EUR"}
    )


def test_dijits_of_dojo_field_send_what_django_reads(show: Any, settings: Any) -> None:
    settings.LANGUAGE_CODE = "de"
    browser = show(Named)
    assert dijit(browser, "id_day", "displayedValue") == "03.02.2026"
    assert dijit(browser, "id_price", "displayedValue").replace("\xa0", " ") == "1.234,50 €"
    browser.find_element("id", "id_day").clear()
    type_into(browser, "id_day", "04.02.2026")
    type_into(browser, "id_hour", "14:30")
    assert submitted(browser).cleaned_data == {
        "day": date(2026, 2, 4), "hour": time(14, 30), "ratio": Decimal("1234.5"), "price": Decimal("1234.5"),
    }  # fmt: skip
