"""Dijits by the keyboard alone, as W3C's ARIA Authoring Practices describe it for each pattern.

Where a dijit departs from them, the row says so, and docs/reference/dojo.md as well.
"""

from __future__ import annotations

from typing import Any

import pytest
from django import forms
from selenium.webdriver.common.keys import Keys

from tests.dojo.test_browser import find
from tests.support.helpers import wait_until

pytestmark = pytest.mark.usefixtures("built")


class Fields(forms.Form):
    room = forms.ChoiceField(choices=[("a", "Aula"), ("b", "Bar"), ("c", "Court")])
    steps = forms.IntegerField(step_size=5, min_value=0, max_value=50, initial=10)
    level = forms.IntegerField(initial=4, widget=forms.NumberInput({"type": "range", "max": 10}))
    way = forms.ChoiceField(choices=[("x", "X"), ("y", "Y"), ("z", "Z")], widget=forms.RadioSelect, initial="x")
    agreed = forms.BooleanField()
    day = forms.DateField(initial="2026-02-03")


@pytest.fixture
def page(show: Any) -> Any:
    return show(Fields, lambda page, form: page.dojo_form(form, auto=True))


def value(browser: Any, name: str) -> Any:
    """What would be sent."""
    return browser.execute_script("return new FormData(document.getElementById('the-form')).get(arguments[0])", name)


def press(browser: Any, name: str, *keys: str) -> None:
    face = find(browser, name)
    browser.execute_script("arguments[0].focus()", face)
    for key in keys:
        browser.switch_to.active_element.send_keys(key)


def is_open(browser: Any, name: str) -> bool:
    return bool(browser.execute_script("return !!require('dijit/registry').byId(arguments[0])._opened", name))


def test_a_combobox_of_choices(page: Any) -> None:
    press(page, "id_room", "c")  # a letter chooses without opening
    wait_until(lambda: value(page, "room") == "c")
    press(page, "id_room", Keys.ARROW_DOWN)
    wait_until(lambda: is_open(page, "id_room"))
    assert find(page, "id_room").get_attribute("aria-expanded") == "true"
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    wait_until(lambda: not is_open(page, "id_room"))
    assert page.switch_to.active_element == find(page, "id_room")
    assert value(page, "room") == "c"
    press(page, "id_room", Keys.ARROW_DOWN)
    wait_until(lambda: is_open(page, "id_room"))
    page.switch_to.active_element.send_keys(Keys.ARROW_UP)
    page.switch_to.active_element.send_keys(Keys.ENTER)
    wait_until(lambda: value(page, "room") == "b" and not is_open(page, "id_room"))


def test_a_spin_button(page: Any) -> None:
    for key, now in ((Keys.ARROW_UP, "15"), (Keys.ARROW_DOWN, "10"), (Keys.END, "50"), (Keys.HOME, "0")):
        press(page, "id_steps", key)
        wait_until(lambda now=now: value(page, "steps") == now)
        assert find(page, "id_steps").get_attribute("aria-valuenow") == now


def test_a_slider(page: Any) -> None:
    for key, now in ((Keys.ARROW_RIGHT, "5"), (Keys.ARROW_LEFT, "4"), (Keys.END, "10"), (Keys.HOME, "0")):
        press(page, "id_level", key)
        wait_until(lambda now=now: value(page, "level") == now)


def test_a_group_of_radio_buttons_and_a_check_box(page: Any) -> None:
    page.execute_script("id_way_0.focus()")
    for key, now in ((Keys.ARROW_DOWN, "y"), (Keys.ARROW_RIGHT, "z"), (Keys.ARROW_DOWN, "x"), (Keys.ARROW_UP, "z")):
        page.switch_to.active_element.send_keys(key)
        wait_until(lambda now=now: value(page, "way") == now)
    press(page, "id_agreed", Keys.SPACE)
    assert value(page, "agreed") == "on"
    press(page, "id_agreed", Keys.SPACE)
    assert value(page, "agreed") is None


def test_a_date_picker(page: Any) -> None:
    press(page, "id_day", Keys.ARROW_DOWN)
    wait_until(lambda: is_open(page, "id_day"))
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    wait_until(lambda: not is_open(page, "id_day"))
    assert page.switch_to.active_element.get_attribute("id") == "id_day"
    assert value(page, "day") == "2026-02-03"
    press(page, "id_day", Keys.ARROW_DOWN)
    wait_until(lambda: is_open(page, "id_day"))
    wait_until(lambda: "Calendar" in page.switch_to.active_element.get_attribute("class"))
    for key in (Keys.ARROW_RIGHT, Keys.ARROW_DOWN, Keys.PAGE_DOWN, Keys.ENTER):
        page.switch_to.active_element.send_keys(key)
    wait_until(lambda: value(page, "day") == "2026-03-11" and not is_open(page, "id_day"))
