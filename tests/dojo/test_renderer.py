"""DijitRenderer: what it writes, and that its look is right, light and dark, wide and narrow."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django import forms
from django.conf import global_settings
from django.template import engines
from django.test import RequestFactory
from django.utils import translation

from djintegrate.dojo import models as dojo
from djintegrate.dojo import optional
from djintegrate.dojo.forms import DijitRenderer
from djintegrate.dojo.page.names import THEMES
from djintegrate.dojo.page.page import Dojo
from djintegrate.dojo.richtext import RichTextField
from tests.dojo.conftest import wait
from tests.dojo.forms import CHOICES, Every
from tests.dojo.test_accessibility import KNOWN, OPEN
from tests.dojo.test_browser import type_into
from tests.support.axe import violations
from tests.support.browser import NARROW, WIDE, resize
from tests.support.combinations import few
from tests.support.helpers import wait_until

TEMPLATE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>A page</title>
<meta name="viewport" content="width=device-width">{{ scheme|safe }}{% load dojo %}{% dojo request.dojo %}
<link rel="stylesheet" href="/static/tests/paper.css"></head>
<body><main><h1>A page</h1><form method="post" id="the-form" enctype="multipart/form-data">
{% for form in forms %}{{ form }}{% endfor %}<button id="submit">Send</button></form></main></body></html>"""


BOTH = '<meta name="color-scheme" content="light dark">'
BY_CSS = "<style>:root { color-scheme: light dark; }</style>"
"""What makes the canvas of a page dark where the browser prefers that."""


class Short(forms.Form):
    default_renderer = DijitRenderer

    title = forms.CharField(label="Title", help_text="Say <b>what</b>")
    room = forms.ChoiceField(choices=CHOICES, widget=forms.RadioSelect, required=False)


class Long(Every):
    default_renderer = DijitRenderer

    agreed = forms.BooleanField(help_text="You have to.")


def test_labels_come_first_and_then_the_control_its_help_and_its_errors() -> None:
    html = str(Short({"title": ""}))
    order = [html.index(part) for part in ('for="id_title"', '<input type="text"', "Say <b>what</b>", "errorlist")]
    assert order == sorted(order)
    assert 'aria-describedby="id_title_helptext id_title_error"' in html or 'aria-invalid="true"' in html
    assert re.search(r"<fieldset[^>]*>\s*<legend", html)


def test_what_may_stay_empty_says_so() -> None:
    html = str(Short())
    assert html.count("dj-optional") == 1
    assert html.index("dj-optional") > html.index("<legend")


def test_a_check_box_which_nobody_has_to_tick_says_nothing() -> None:
    class Boxes(forms.Form):
        default_renderer = DijitRenderer

        one = forms.BooleanField(required=False)
        many = forms.MultipleChoiceField(choices=CHOICES, required=False, widget=forms.CheckboxSelectMultiple)

    html = str(Boxes())
    assert html.count("dj-optional") == 1
    assert html.index("dj-optional") > html.index("<legend")


@pytest.mark.parametrize(
    ("language", "word"),
    [("en-gb", "optional"), ("fr", "facultatif"), ("es-ar", "opcional"), ("ar", "اختياري"), ("de", "optional")],
)
def test_optional_is_said_in_the_language_of_the_page(language: str, word: str) -> None:
    with translation.override(language):
        assert f'<span class="dj-optional">{word}</span>' in str(Short())


def test_a_language_in_which_the_word_is_not_known_has_none() -> None:
    with translation.override("tt"):
        assert "dj-optional" not in str(Short())


def test_every_language_that_the_word_is_known_in_is_djangos() -> None:
    known = {code for code, _ in global_settings.LANGUAGES}
    assert {code for code in optional.WORDS if code not in known} == set()
    assert len(optional.WORDS) > 50


def test_a_translation_of_the_sites_own_goes_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optional, "pgettext", lambda context, text: "if you like")
    assert optional.word() == "if you like"


class Rows(forms.BaseFormSet[Any]):
    def clean(self) -> None:
        raise forms.ValidationError("Two of these are the same.")


def rows(data: Any = None, **options: Any) -> Any:
    made = forms.formset_factory(Short, Rows, extra=2, can_delete=True, renderer=DijitRenderer(), **options)
    return made(data, prefix="row")


def test_a_formset_is_written_with_the_look() -> None:
    html = str(rows())
    assert html.count('<div class="dj-form">') == 2
    # What only the program reads has no box.
    assert html.index("row-TOTAL_FORMS") < html.index("dj-form")
    assert html.index("row-1-DELETE") > html.index('<div class="dj-form">', html.index("row-0-DELETE"))


def test_a_formset_says_what_is_wrong_with_it_as_a_whole() -> None:
    html = str(rows({"row-TOTAL_FORMS": "2", "row-INITIAL_FORMS": "0", "row-0-title": "a"}))
    assert re.search(r'dj-summary" role="alert">\s*<ul class="errorlist nonform"[^>]*><li>Two of these are', html)


def test_hidden_fields_alone_make_no_box() -> None:
    class Hidden(forms.Form):
        default_renderer = DijitRenderer

        key = forms.CharField(widget=forms.HiddenInput)

    assert "div" not in str(Hidden()) and 'name="key"' in str(Hidden())
    assert "dj-summary" in str(Hidden({}))


def test_the_forms_of_a_formset_stand_apart(show: Any) -> None:
    template = TEMPLATE.replace("{% for form in forms %}{{ form }}{% endfor %}", "{{ forms.0 }}")
    browser = show(lambda *posted: rows(), by_itself, template=template)
    tops = browser.execute_script(
        "return Array.from(document.querySelectorAll('.dj-form'), form => {"
        "const box = form.querySelector('.dj-fields').getBoundingClientRect(); return [box.top, box.bottom]; })"
    )
    assert tops[1][0] - tops[0][1] >= 24


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize(
    ("default", "form", "wanted"),
    [
        ("django.forms.renderers.DjangoTemplates", forms.Form, False),
        ("django.forms.renderers.DjangoTemplates", Short, True),
        ("djintegrate.dojo.forms.DijitRenderer", None, True),
        ("djintegrate.dojo.forms.DijitTemplatesSetting", forms.Form, True),
    ],
)
def test_the_head_brings_the_stylesheet_where_the_renderer_is_used(
    settings: Any, default: str, form: Any, wanted: bool, enabled: bool
) -> None:
    settings.FORM_RENDERER, settings.DOJO_ENABLED = default, enabled
    page = Dojo(RequestFactory().get("/"))
    if form:
        page.dojo_form(form())
    head = engines["django"].from_string("{% load dojo %}{% dojo page %}").render({"page": page})
    assert head.count("djintegrate/dojo/form.css") == wanted


COLOURS = """
const of = (selector, name) => getComputedStyle(document.querySelector(selector))[name];
const box = document.createElement("i");
box.style.color = "CanvasText";
document.body.append(box);
return [getComputedStyle(box).color, of(".dj-label", "color"), of(".dj-control input", "color"),
        document.querySelector("iframe").contentWindow.getComputedStyle(
        document.querySelector("iframe").contentDocument.body).color];
"""
IS_STILL = "return document.getAnimations().length === 0"
"""Some colours take their time to change."""
LIGHT, DARK = "rgb(0, 0, 0)", "rgb(255, 255, 255)"
INK, PALE = "rgb(27, 31, 36)", "rgb(230, 237, 243)"


class Story(Short):
    story = RichTextField()


@pytest.mark.parametrize(
    ("scheme", "is_dark", "canvas", "text"),
    [
        ("", True, LIGHT, INK),
        (BOTH, True, DARK, PALE),
        (BOTH, False, LIGHT, INK),
        (BY_CSS, True, DARK, PALE),
        ("<style>:root { color-scheme: dark; }</style>", False, DARK, PALE),
        ("<style>:root { color-scheme: only light; }</style>", True, LIGHT, INK),
    ],
)
def test_the_form_is_dark_where_the_page_is_and_only_there(
    show: Any, settings: Any, dark: Any, scheme: str, is_dark: bool, canvas: str, text: str
) -> None:
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, ("tests", "tests/dojo/static/tests")]
    dark(is_dark)
    browser = show(Story, by_itself, template=TEMPLATE, context={"scheme": scheme})
    said = browser.execute_script(COLOURS)
    assert said[:3] == [canvas, text, text]
    assert said[3] == canvas  # of the editor, whose frame is a page of its own


@pytest.mark.parametrize("state", ["Hover", "Focused", "Disabled"])
def test_no_state_of_an_editor_brings_a_light_paper_under_light_text(show: Any, state: str) -> None:
    browser = show(Story, by_itself, template=TEMPLATE)
    backgrounds = browser.execute_script(
        "document.querySelector('.dijitEditor').classList.add('dijit' + arguments[0], 'dijitEditor' + arguments[0]);"
        "return ['.dijitEditorIFrameContainer', 'iframe'].map("
        "selector => getComputedStyle(document.querySelector(selector)).background)",
        state,
    )
    assert all(each.startswith("rgba(0, 0, 0, 0) none") for each in backgrounds), backgrounds


@pytest.mark.parametrize(
    ("theme", "schemes"), few([*((theme, [BOTH]) for theme in THEMES[1:]), (THEMES[0], [BOTH, ""])], ("claro", [BOTH]))
)
def test_axe_finds_nothing_wrong_with_the_look(
    show: Any, browser: Any, settings: Any, dark: Any, theme: str, schemes: list[str]
) -> None:
    def prepare(page: Any, form: Any) -> None:
        page.theme = theme
        by_itself(page, form)

    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, ("tests", "tests/dojo/static/tests")]
    data = {"text": "", "whole": "x", "day": "31.02.2026"}
    for scheme in schemes:
        show(lambda *posted: Long(*(posted or [data])), prepare, template=TEMPLATE, context={"scheme": scheme})
        # A page that is never dark has one look.
        for is_dark in (False, True) if scheme else (True,):
            dark(is_dark)
            wait_until(lambda: browser.execute_script(IS_STILL))
            assert violations(browser) == []
            for name in ("id_start__date", "id_hour", "id_room"):
                browser.execute_async_script(OPEN, name)
                found = violations(browser, f"#widget_{name}", ".dijitPopup")
                found = [said for said in found if not re.match(KNOWN["the list of times"], said)]
                assert found == [], name
                browser.execute_script("require('dijit/registry').byId(arguments[0]).closeDropDown()", name)


def by_itself(page: Any, form: Any) -> None:
    page.dojo_form(form, auto=True)


class Moment(forms.Form):
    default_renderer = DijitRenderer

    start = forms.SplitDateTimeField()
    rooms = forms.MultipleChoiceField(choices=CHOICES)


def test_what_all_parts_of_a_field_lack_is_said_once(show: Any) -> None:
    browser = show(Moment, by_itself, template=TEMPLATE)
    shown = (
        "const texts = document.querySelectorAll('.dj-field:has([name=start_0]) .djintegrate-error');"
        "return Array.from(texts).filter(text => !text.hidden).map(text => text.textContent)"
    )
    browser.find_element("id", "submit").click()
    wait_until(lambda: browser.execute_script(shown) == ["This field is required."])
    # Of each part it is said to those who do not see it.
    described = "return document.getElementById(document.getElementsByName(arguments[0])[0].getAttribute(" \
                "'aria-describedby').split(' ')[0]).textContent"  # fmt: skip
    assert {browser.execute_script(described, name) for name in ("start_0", "start_1")} == {"This field is required."}
    for name, left in (("start_0", ["This field is required."]), ("start_1", [])):
        type_into(browser, f"id_{name}", {"start_0": "2026-12-24", "start_1": "12:30"}[name])
        assert browser.execute_script(shown) == left


def test_the_corners_of_a_list_are_seen_beside_its_scroll_bar(show: Any) -> None:
    browser = show(Moment, by_itself, template=TEMPLATE)
    colour = "return getComputedStyle(document.getElementsByName('rooms')[0]).scrollbarColor"
    assert browser.execute_script(colour).endswith("rgba(0, 0, 0, 0)")


def test_no_page_is_wider_than_its_window(show: Any, browser: Any, settings: Any) -> None:
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, ("tests", "tests/dojo/static/tests")]

    def prepare(page: Any, form: Any) -> None:
        page.theme = themes.pop()
        by_itself(page, form)

    themes = list(THEMES)
    for _theme in THEMES:
        show(Long, prepare, template=TEMPLATE)
        for size in (WIDE, NARROW):
            resize(browser, size)
            wait(browser)
            assert browser.execute_script("return document.documentElement.scrollWidth - innerWidth") <= 0
    resize(browser, WIDE)


class Lists(forms.Form):
    default_renderer = DijitRenderer

    room = forms.ChoiceField(choices=CHOICES)
    hall = dojo.dojo_field(forms.ChoiceField(choices=CHOICES), "dijit.form.FilteringSelect")
    hour = forms.TimeField(required=False)
    level = forms.IntegerField(required=False, widget=forms.NumberInput({"type": "range"}))
    fixed = forms.CharField(required=False, disabled=True)


ROWS = """
const [id, selector, done] = arguments, dijit = require("dijit/registry").byId(id);
dijit.loadAndOpenDropDown();
setTimeout(() => {
    const row = Array.from(dijit.dropDown.domNode.querySelectorAll(selector)).find(row => row.offsetHeight);
    row.classList.add("dijitMenuItemSelected");
    const cells = Array.from(row.querySelectorAll("td")).filter(cell => cell.offsetHeight);
    done([row.offsetHeight, ...cells.map(cell => getComputedStyle(cell).backgroundImage)]);
}, 200);
"""


def test_the_rows_of_all_lists_have_one_height_and_no_light_of_a_themes(show: Any) -> None:
    browser = show(Lists, by_itself, template=TEMPLATE)
    heights = set()
    for name, rows in (("room", "tr"), ("hall", ".dijitMenuItem"), ("hour", ".dijitTimePickerItem")):
        height, *images = browser.execute_async_script(ROWS, f"id_{name}", rows)
        heights.add(height)
        assert set(images) <= {"none"}
    assert heights == {40}


def test_what_always_has_a_value_or_none_is_not_called_optional(show: Any) -> None:
    browser = show(Lists, by_itself, template=TEMPLATE)
    seen = [label.text for label in browser.find_elements("css selector", ".dj-label")]
    assert seen == ["Room", "Hall", "Hour optional", "Level", "Fixed"]


def test_what_is_wrong_is_seen_with_its_label_and_in_its_colour(show: Any) -> None:
    browser = show(Moment, by_itself, template=TEMPLATE.replace("<h1>", "<h1 style='height: 2000px'>"))
    browser.execute_script("scrollTo(0, 1e6)")
    browser.find_element("id", "submit").click()
    wait_until(lambda: browser.switch_to.active_element.get_attribute("id") == "id_start_0")
    found = browser.execute_script(
        "const box = document.activeElement.closest('.dijitTextBox'), style = getComputedStyle(box);"
        "return [box.closest('.dj-field').getBoundingClientRect().top >= 0,"
        "style.outlineColor === getComputedStyle(document.querySelector('.djintegrate-error')).color]"
    )
    assert found == [True, True]
