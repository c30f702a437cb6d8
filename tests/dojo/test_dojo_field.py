"""Dijits that dojo_field() was called for, without auto, in a browser: what they require, show, read and look up."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest
from django import forms
from selenium.webdriver.common.keys import Keys

from djintegrate.dojo import models as dojo
from tests.dojo import site
from tests.dojo.test_browser import dijit, refused, sent, type_into, wait_for_focus
from tests.support.helpers import wait_until

pytestmark = pytest.mark.usefixtures("built")


class Agreement(forms.Form):
    """Dijits that check nothing by themselves."""

    agreed = forms.BooleanField(error_messages={"required": "Do you <agree>?"})
    way = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    word = forms.CharField()
    note = forms.CharField(widget=forms.Textarea)
    dojo.dojo_field(agreed, "dijit.form.CheckBox")
    dojo.dojo_field(way, "dijit.form.RadioButton")
    dojo.dojo_field(word, "dijit.form.TextBox")
    dojo.dojo_field(note, "dijit.form.Textarea")


class Times(forms.Form):
    """Formats of the widget, of the dijit, and of the language."""

    plain = forms.DateField(initial=date(2026, 2, 3))
    widget = forms.DateField(initial=date(2026, 2, 3), widget=forms.DateInput(format="%Y-%m-%d"))
    pattern = forms.DateField(initial=date(2026, 2, 3))
    long = forms.DateField(initial=date(2026, 2, 3))
    hour = forms.TimeField(initial=time(10, 30), widget=forms.TimeInput(format="%H.%M"), input_formats=["%H.%M"])
    dojo.dojo_field(plain, "dijit.form.DateTextBox")
    dojo.dojo_field(widget, "dijit.form.DateTextBox")
    dojo.dojo_field(pattern, "dijit.form.DateTextBox", dojo_attrs={"constraints": {"datePattern": "dd.MM.yyyy"}})
    dojo.dojo_field(long, "dijit.form.DateTextBox", dojo_attrs={"constraints": {"formatLength": "long"}})
    dojo.dojo_field(hour, "dijit.form.TimeTextBox")


class Place(forms.Form):
    room = forms.ChoiceField(choices=[("a", "Aula (120 seats)"), ("l", "Library (40 seats)")])
    note = forms.CharField(required=False)
    dojo.dojo_field(room, "dijit.form.FilteringSelect")


def test_what_is_required_is_asked_for_by_the_dijit_and_not_by_the_browser(show: Any) -> None:
    browser = show(Agreement)
    for name, fill in (
        ("agreed", lambda: browser.find_element("id", "id_agreed").click()),
        ("way_0", lambda: browser.find_element("id", "id_way_1").click()),
        ("word", lambda: type_into(browser, "id_word", "w")),
        ("note", lambda: type_into(browser, "id_note", "n")),
    ):
        assert refused(browser), name
        wait_for_focus(browser, f"id_{name}")
        assert dijit(browser, f"id_{name}", "state") == "Error"
        fill()
    [form] = sent(browser)
    assert form.cleaned_data == {"agreed": True, "way": "b", "word": "w", "note": "n"}


def test_the_message_is_that_of_the_field(show: Any) -> None:
    browser = show(Agreement)
    assert refused(browser)
    assert dijit(browser, "id_agreed", "message") == "Do you &lt;agree&gt;?"


def test_a_date_in_a_format_of_its_own_is_valid_as_it_is(show: Any, settings: Any) -> None:
    settings.LANGUAGE_CODE = "en-gb"
    browser = show(Times)
    assert [dijit(browser, f"id_{name}", "displayedValue") for name in Times.base_fields] == [
        "03/02/2026",
        "2026-02-03",
        "03.02.2026",
        "3 February 2026",
        "10.30",
    ]
    [form] = sent(browser)
    assert form.cleaned_data == {name: field.initial for name, field in Times.base_fields.items()}


@pytest.mark.parametrize("text", ["2026-03-04", "04/03/2026"])
def test_a_date_is_read_as_the_language_and_as_iso_write_it(show: Any, settings: Any, text: str) -> None:
    settings.LANGUAGE_CODE = "en-gb"
    browser = show(Times)
    type_into(browser, "id_plain", Keys.CONTROL + "a")
    type_into(browser, "id_plain", text)
    [form] = sent(browser)
    assert form.cleaned_data["plain"] == date(2026, 3, 4)


def test_what_is_no_date_is_refused(show: Any) -> None:
    browser = show(Times)
    type_into(browser, "id_plain", " or so")
    assert refused(browser)
    assert dijit(browser, "id_plain", "state") == "Error"


def test_a_label_that_is_typed_and_left_at_once_is_chosen(show: Any) -> None:
    browser = show(Place)
    assert dijit(browser, "id_room", "value") == "a"
    type_into(browser, "id_room", Keys.CONTROL + "a")
    type_into(browser, "id_room", "Library (40 seats)" + Keys.TAB)
    [form] = sent(browser)
    assert form.cleaned_data["room"] == "l"


def test_what_is_no_label_and_left_at_once_is_refused(show: Any) -> None:
    browser = show(Place)
    type_into(browser, "id_room", "s" + Keys.TAB)
    wait_until(lambda: dijit(browser, "id_room", "state") == "Error")
    assert refused(browser)


def test_a_label_that_is_typed_is_chosen_though_the_button_is_pressed_in_the_same_moment(show: Any) -> None:
    browser = show(Place)
    type_into(browser, "id_room", Keys.CONTROL + "a")
    # Within one task: no timer of Dojo's runs between the key and the click.
    browser.execute_script(
        """const face = document.getElementById("id_room__face");
        face.value = "Library (40 seats)";
        face.dispatchEvent(new Event("input", { bubbles: true }));
        document.getElementById("submit").click();"""
    )
    wait_until(lambda: site.submitted)
    [[form]] = site.submitted
    assert form.cleaned_data["room"] == "l"


class Faces(forms.Form):
    starts = forms.DateTimeField()
    room = forms.ChoiceField(choices=[("a", "Aula"), ("l", "Library")])
    seats = forms.IntegerField(widget=forms.NumberInput(attrs={"type": "range"}))
    dojo.dojo_field(room, "dijit.form.FilteringSelect")


def test_the_parts_that_take_the_focus_have_the_ids_that_the_reference_says(show: Any) -> None:
    browser = show(Faces, lambda page, form: page.dojo_form(form, auto=True))
    ids = "return require('dijit/registry').byId(arguments[0]).focusNode.id"
    assert browser.execute_script(ids, "id_room") == "id_room__face"
    assert browser.execute_script(ids, "id_starts") == "id_starts__date"
    assert browser.find_element("id", "id_starts__time").tag_name == "input"
    assert browser.find_element("id", "id_starts__face").get_attribute("role") == "group"
    assert browser.execute_script("return require('dijit/registry').byId('id_seats').sliderHandle.id") == ""
