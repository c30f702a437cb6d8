"""Dijits in each theme, as axe sees them: nothing is wrong but what the docs say is Dojo's own."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django import forms

from djintegrate.dojo.page.names import THEMES
from djintegrate.dojo.richtext import RichTextField
from tests.dojo import site
from tests.dojo.forms import Every, Many
from tests.dojo.test_browser import find
from tests.dojo.test_docs import REFERENCE
from tests.support.axe import violations
from tests.support.combinations import few
from tests.support.helpers import wait_until

pytestmark = pytest.mark.usefixtures("built")

# A page that keeps the rules itself: a heading, and 24 pixels for each field.
TEMPLATE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><link rel="icon" href="data:,"><title>A page</title>
{% load dojo %}{% dojo request.dojo %}<link rel="stylesheet" href="/static/tests/spaced.css"></head>
<body><main><h1>A page</h1>
<form method="post">{% for form in forms %}{{ form.as_div }}{% endfor %}<button id="submit">Send</button></form>
</main></body></html>"""
POPUPS = ["id_day", "id_hour", "id_room", "id_hall"]
KNOWN = {
    "the days of other months in a calendar": r"color-contrast: .*dijitCalendarDateLabel",
    "the minutes in the list of times": r"color-contrast: .*dijitTimePickerItemInner",
    "the list of times": r"scrollable-region-focusable: .*dijitPopup dijitTime",
    "the height of a list's choices": r"target-size: .*dijitMenuItem",
    # Those are high enough while nothing is open.
    "fields that an open list covers in part": r"target-size: .*dijitInputInne",
}
OPEN = """
const dijit = require("dijit/registry").byId(arguments[0]), done = arguments[1];
dijit.focus();
dijit.toggleDropDown();
const rests = () => dijit._opened && document.getAnimations().length === 0;
// Twice, for what begins to move does so once it is drawn.
const look = before => requestAnimationFrame(() => rests() && before ? done() : look(rests()));
look(false);
"""


@pytest.fixture
def page(show: Any, settings: Any) -> Any:
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, site.STATIC]

    def page(theme: str = "claro", form_class: Any = Many) -> Any:
        def prepare(dojo: Any, form: Any) -> None:
            dojo.theme = theme
            dojo.dojo_form(form, auto=form_class is Every)

        return show(form_class, prepare, template=TEMPLATE)

    return page


@pytest.mark.parametrize("form_class", [Many, Every])
@pytest.mark.parametrize("theme", few(THEMES, "claro"))
def test_axe_finds_nothing_in_a_form_of_dijits(page: Any, theme: str, form_class: Any) -> None:
    assert violations(page(theme, form_class)) == []


@pytest.mark.parametrize("theme", few(THEMES, "claro"))
def test_axe_finds_nothing_in_what_dijits_open_but_what_is_documented(page: Any, theme: str) -> None:
    browser = page(theme)
    for name in POPUPS:
        browser.execute_async_script(OPEN, name)
        unknown = [found for found in violations(browser) if not any(re.match(k, found) for k in KNOWN.values())]
        assert unknown == [], name
        browser.execute_script("require('dijit/registry').byId(arguments[0]).closeDropDown()", name)


def test_what_is_known_is_documented() -> None:
    section = REFERENCE.partition("### Accessibility")[2].partition("\n## ")[0]
    for what in KNOWN:
        assert what in section.replace("\n", " "), what


def test_a_label_names_and_focuses_what_is_no_field_of_html(page: Any) -> None:
    browser = page()
    for name, role in (("id_room", "combobox"), ("id_level", "slider")):
        label = browser.find_element("css selector", f"label[for={name}]")
        label.click()
        focused = browser.switch_to.active_element
        assert focused.get_attribute("role") == role
        assert focused.accessible_name == label.text


def test_a_select_is_said_to_open_a_list_and_what_it_shows_is_its_text(page: Any) -> None:
    browser = page()
    room = find(browser, "id_room")
    assert room.get_attribute("aria-expanded") == "false"
    browser.execute_async_script(OPEN, "id_room")
    assert room.get_attribute("aria-expanded") == "true"
    opened = browser.find_element("id", room.get_attribute("aria-controls"))
    assert opened.find_elements("css selector", "[role=option]")
    browser.execute_script("require('dijit/registry').byId('id_room').set('value', 'b')")
    assert room.text.strip().splitlines()[0] == "Bar"
    assert room.find_elements("css selector", "[role=option]") == []


class Story(forms.Form):
    story = RichTextField(label="Your story", help_text="As it was.")


def test_an_editor_says_within_its_frame_what_its_control_says(show: Any) -> None:
    browser = show(Story, lambda page, form: page.dojo_form(form, auto=True))

    def said() -> tuple[str, Any, Any, Any]:
        browser.switch_to.default_content()
        browser.switch_to.frame("id_story_iframe")
        body = browser.find_element("id", "dijitEditorBody")
        found = [body.get_attribute(f"aria-{name}") for name in ("description", "required", "invalid")]
        name = body.accessible_name
        browser.switch_to.default_content()
        return name, *found

    wait_until(lambda: browser.find_elements("id", "id_story_iframe") and said()[1])
    assert "Your story" in said()[0]
    assert said()[1:] == ("As it was.", "true", "false")
    browser.find_element("id", "submit").click()
    wait_until(lambda: said()[3] == "true")
    assert said()[1] == "This field is required. As it was."
