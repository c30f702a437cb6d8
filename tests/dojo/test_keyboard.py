"""Dijits by the keyboard alone: the keys of W3C's ARIA Authoring Practices for each pattern, in their order.

What those call optional and a dijit does not do is not here. Where a dijit departs, DIFFERENCES says so, and
docs/reference/dojo.md as well. The grid's keys are in test_grid.py.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from django import forms
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from djintegrate.dojo import models as dojo
from tests.dojo import site
from tests.dojo.test_browser import find
from tests.dojo.test_docs import REFERENCE
from tests.support.browser import wait_for
from tests.support.helpers import wait_until

pytestmark = pytest.mark.usefixtures("built")

FILTERING = "dijit.form.FilteringSelect"

OPENING = {"down": Keys.ARROW_DOWN, "enter": Keys.ENTER, "space": Keys.SPACE, "alt down": Keys.ARROW_DOWN}
DIFFERENCES = {
    "In a calendar, Home and End lead to the first and the last day of the month",
    "Ctrl+Page Up and Ctrl+Page Down to another year",
    "Tab closes an open list of times or calendar, and stays at its field",
    "In a grid, Home and End lead to the first and the last row",
}


class Fields(forms.Form):
    room = forms.ChoiceField(choices=[("a", "Aula"), ("b", "Bar"), ("c", "Court")])
    steps = forms.IntegerField(step_size=5, min_value=0, max_value=50, initial=10)
    level = forms.IntegerField(initial=4, widget=forms.NumberInput({"type": "range", "max": 10}))
    way = forms.ChoiceField(choices=[("x", "X"), ("y", "Y"), ("z", "Z")], widget=forms.RadioSelect, initial="x")
    agreed = forms.BooleanField()
    hall = dojo.dojo_field(forms.ChoiceField(choices=[("a", "Aula"), ("b", "Bar"), ("c", "Court")]), FILTERING)
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


def chord(browser: Any, held: str, key: str) -> None:
    ActionChains(browser).key_down(held).send_keys(key).key_up(held).perform()


def focused(browser: Any) -> Any:
    return browser.switch_to.active_element


def test_what_differs_is_documented() -> None:
    section = " ".join(REFERENCE.partition("### Accessibility")[2].partition("\n## ")[0].split())
    assert [text for text in DIFFERENCES if text not in section] == []


def test_a_combobox_opens_by_each_key(page: Any) -> None:
    room = find(page, "id_room")
    for name, key in OPENING.items():
        page.execute_script("document.activeElement.blur()")
        press(page, "id_room")
        if name == "alt down":
            chord(page, Keys.ALT, key)
        else:
            focused(page).send_keys(key)
        wait_for(page, lambda: is_open(page, "id_room"), f"It opens by {name}")
        assert room.get_attribute("aria-expanded") == "true", name
        assert value(page, "room") == "a", name
        focused(page).send_keys(Keys.ESCAPE)
        wait_for(page, lambda: not is_open(page, "id_room"), f"It closes, opened by {name}")
        assert focused(page) == room, name
        assert room.get_attribute("aria-expanded") == "false", name
        assert value(page, "room") == "a", name


def test_a_combobox_of_choices(page: Any) -> None:
    press(page, "id_room", "c")  # a letter chooses without opening
    wait_until(lambda: value(page, "room") == "c")
    for keys, chosen in (
        ([Keys.ARROW_UP, Keys.ENTER], "b"), ([Keys.ARROW_DOWN, Keys.SPACE], "c"), ([Keys.HOME, Keys.ENTER], "a"),
        ([Keys.END, Keys.ENTER], "c"), (["b", Keys.ENTER], "b"),
    ):  # fmt: skip
        press(page, "id_room", Keys.ARROW_DOWN)
        wait_until(lambda: is_open(page, "id_room"))
        wait_until(lambda: "MenuItem" in focused(page).get_attribute("class"))
        for key in keys:
            focused(page).send_keys(key)
        wait_until(lambda chosen=chosen: value(page, "room") == chosen and not is_open(page, "id_room"))
        assert focused(page) == find(page, "id_room")


@pytest.mark.parametrize(("held", "next_one"), [(None, "id_steps"), (Keys.SHIFT, "before")])
def test_tab_takes_what_is_highlighted_and_goes_on(page: Any, held: str | None, next_one: str) -> None:
    page.execute_script("document.getElementById('the-form').insertAdjacentHTML('afterbegin', '<input id=before>')")
    press(page, "id_room", Keys.ARROW_DOWN)
    wait_until(lambda: "MenuItem" in focused(page).get_attribute("class"))
    focused(page).send_keys(Keys.ARROW_DOWN)
    ActionChains(page).send_keys(Keys.TAB).perform() if held is None else chord(page, held, Keys.TAB)
    wait_until(lambda: not is_open(page, "id_room"))
    assert value(page, "room") == "b"
    assert focused(page).get_attribute("id").removesuffix("__face") == next_one


def test_what_cannot_be_chosen_is_passed_over(show: Any) -> None:
    groups = [("First", [("a", "Aula"), ("b", "Bar")]), ("Second", [("c", "Court")])]
    form = type("Form", (forms.Form,), {"room": forms.ChoiceField(choices=groups)})
    browser = show(form, lambda page, form: page.dojo_form(form, auto=True))
    press(browser, "id_room", Keys.ARROW_DOWN)
    wait_until(lambda: "MenuItem" in focused(browser).get_attribute("class"))
    found = []
    for key in (Keys.HOME, Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_UP):
        focused(browser).send_keys(key)
        found.append(focused(browser).text.strip())
    assert found == ["Aula", "Bar", "Court", "Bar"]


def test_what_is_typed_is_completed_however_soon_it_is_left(page: Any) -> None:
    """As the list completes it for those who wait."""
    face = find(page, "id_hall")
    for typed, chosen in {"B": "b", "aul": "a", "Court": "c", "X": None}.items():
        page.execute_script("arguments[0].select()", face)
        face.send_keys(typed + Keys.TAB)
        wait_for(page, lambda chosen=chosen: value(page, "hall") == chosen, f"{typed} is {chosen}")
        assert (face.get_attribute("aria-invalid") == "true") is (chosen is None), typed


def test_a_combobox_that_is_typed_into(page: Any) -> None:
    face = find(page, "id_hall")
    press(page, "id_hall", Keys.ARROW_DOWN)
    wait_until(lambda: is_open(page, "id_hall"))
    focused(page).send_keys(Keys.ARROW_DOWN)
    wait_until(lambda: face.get_attribute("aria-activedescendant"))
    option = page.find_element("id", face.get_attribute("aria-activedescendant"))
    assert option.get_attribute("role") == "option"
    assert focused(page) == face  # the keys stay in the text
    focused(page).send_keys(Keys.ENTER)
    wait_until(lambda: not is_open(page, "id_hall"))
    assert face.get_attribute("value") == option.get_attribute("textContent").strip()
    page.execute_script("arguments[0].select()", face)
    focused(page).send_keys("co")
    wait_until(lambda: is_open(page, "id_hall"))
    focused(page).send_keys(Keys.HOME, Keys.ARROW_RIGHT)
    assert page.execute_script("return arguments[0].selectionStart", face) == 1
    focused(page).send_keys(Keys.ESCAPE)
    wait_until(lambda: not is_open(page, "id_hall"))
    focused(page).send_keys(Keys.TAB)
    wait_until(lambda: value(page, "hall") == "c")


def test_a_spin_button(page: Any) -> None:
    for key, now in ((Keys.ARROW_UP, "15"), (Keys.ARROW_DOWN, "10"), (Keys.END, "50"), (Keys.HOME, "0")):
        press(page, "id_steps", key)
        wait_until(lambda now=now: value(page, "steps") == now)
        assert find(page, "id_steps").get_attribute("aria-valuenow") == now
    assert find(page, "id_steps").get_attribute("aria-valuemin") == "0"
    assert find(page, "id_steps").get_attribute("aria-valuemax") == "50"
    press(page, "id_steps", Keys.BACKSPACE, "2", "5")
    wait_until(lambda: value(page, "steps") == "25")


def test_a_slider(page: Any) -> None:
    for key, now in ((Keys.ARROW_RIGHT, "5"), (Keys.ARROW_LEFT, "4"), (Keys.ARROW_UP, "5"), (Keys.ARROW_DOWN, "4"),
                     (Keys.END, "10"), (Keys.HOME, "0")):  # fmt: skip
        press(page, "id_level", key)
        wait_until(lambda now=now: value(page, "level") == now)
        assert find(page, "id_level").get_attribute("aria-valuenow") == now


def test_a_group_of_radio_buttons_and_a_check_box(page: Any) -> None:
    press(page, "id_level", Keys.TAB)
    assert focused(page).get_attribute("id") == "id_way_0"  # the chosen one
    for key, now in ((Keys.ARROW_DOWN, "y"), (Keys.ARROW_RIGHT, "z"), (Keys.ARROW_DOWN, "x"), (Keys.ARROW_UP, "z"),
                     (Keys.ARROW_LEFT, "y")):  # fmt: skip
        focused(page).send_keys(key)
        wait_until(lambda now=now: value(page, "way") == now)
    focused(page).send_keys(Keys.TAB)
    assert focused(page).get_attribute("id") == "id_agreed"
    press(page, "id_agreed", Keys.SPACE)
    assert value(page, "agreed") == "on"
    press(page, "id_agreed", Keys.SPACE)
    assert value(page, "agreed") is None
    page.execute_script("id_way_1.checked = false; id_way_2.focus()")
    focused(page).send_keys(Keys.SPACE)
    assert value(page, "way") == "z"


def test_a_date_picker(page: Any) -> None:
    for keys, day in (
        ([Keys.ESCAPE], "2026-02-03"),  # and the focus is back
        ([Keys.ARROW_RIGHT, Keys.ARROW_DOWN, Keys.PAGE_DOWN, Keys.ENTER], "2026-03-11"),
        ([Keys.ARROW_LEFT, Keys.ARROW_UP, Keys.PAGE_UP, Keys.ENTER], "2026-02-03"),
        ([Keys.END, Keys.ENTER], "2026-02-28"),
        ([Keys.HOME, Keys.ENTER], "2026-02-01"),
        ([(Keys.CONTROL, Keys.PAGE_DOWN), Keys.ENTER], "2027-02-01"),
        ([(Keys.CONTROL, Keys.PAGE_UP), Keys.ENTER], "2026-02-01"),
    ):
        press(page, "id_day", Keys.ARROW_DOWN)
        wait_until(lambda: is_open(page, "id_day"))
        wait_until(lambda: "Calendar" in focused(page).get_attribute("class"))
        assert focused(page).get_attribute("role") == "gridcell"
        for key in keys:
            if isinstance(key, tuple):
                chord(page, *key)
            else:
                focused(page).send_keys(key)
        wait_until(lambda day=day: value(page, "day") == day and not is_open(page, "id_day"))
        assert focused(page).get_attribute("id") == "id_day"


DIALOG = """
const [dijits, done] = [require("dijit/registry"), arguments[0]];
require(["dijit/Dialog"], Dialog => {
    const dialog = new Dialog({ id: "dialog", title: "A dialog", content: document.getElementById("the-form") });
    document.body.insertAdjacentHTML("afterbegin", "<button id='opener' type='button'>Open</button>");
    document.getElementById("opener").addEventListener("click", () => dialog.show());
    dialog.startup();
    done();
});
"""


def test_a_dialog(page: Any) -> None:
    """Around the form: the focus goes in, does not leave by Tab, and comes back with Escape."""
    page.execute_async_script(DIALOG)
    opener = page.find_element("id", "opener")
    opener.send_keys(Keys.ENTER)
    wait_until(lambda: page.execute_script("return dialog.contains(document.activeElement)"))
    dialog = page.find_element("id", "dialog")
    assert dialog.get_attribute("role") == "dialog"
    assert dialog.accessible_name == "A dialog"
    for keys in (Keys.TAB * 5, Keys.TAB * 7, Keys.TAB * 9):
        focused(page).send_keys(keys)
        assert page.execute_script("return dialog.contains(document.activeElement)")
    chord(page, Keys.SHIFT, Keys.TAB * 12)
    assert page.execute_script("return dialog.contains(document.activeElement)")
    focused(page).send_keys(Keys.ESCAPE)
    wait_until(lambda: not dialog.is_displayed())
    wait_until(lambda: focused(page) == opener)


@pytest.mark.parametrize("pause", [0, 0.1])
@pytest.mark.parametrize(("dijit", "chosen"), [("FilteringSelect", "c"), ("ComboBox", "Court")])
def test_each_arrow_is_a_step_however_quick_the_keys(show: Any, dijit: str, chosen: str, pause: float) -> None:
    choices = [("", "None yet"), ("a", "Aula"), ("b", "Bar"), ("c", "Court"), ("d", "Deck")]
    field = dojo.dojo_field(forms.ChoiceField(choices=choices), f"dijit.form.{dijit}")
    browser = show(type("Form", (forms.Form,), {"hall": field}))
    face = find(browser, "id_hall")
    face.click()
    for key in (Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER):
        face.send_keys(key)
        time.sleep(pause)
    assert face.get_attribute("value") == "Court"
    assert value(browser, "hall") == "c"
    # From what is chosen to the next one.
    face.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
    assert value(browser, "hall") == "d"
    assert not site.submitted
