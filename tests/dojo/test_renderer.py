"""DijitRenderer: what it writes, and that its look is right, light and dark, wide and narrow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.template import engines
from django.test import RequestFactory

from djintegrate.dojo.forms import DijitRenderer
from djintegrate.dojo.page.names import THEMES
from djintegrate.dojo.page.page import Dojo
from tests.dojo.conftest import wait
from tests.dojo.forms import CHOICES, Every
from tests.dojo.test_accessibility import KNOWN, OPEN
from tests.support.axe import violations
from tests.support.browser import NARROW, WIDE, prefer_dark, resize

TEMPLATE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>A page</title>
<meta name="viewport" content="width=device-width">{% load dojo %}{% dojo request.dojo %}
<link rel="stylesheet" href="/static/tests/paper.css"></head>
<body><main><h1>A page</h1><form method="post" id="the-form" enctype="multipart/form-data">
{% for form in forms %}{{ form }}{% endfor %}<button id="submit">Send</button></form></main></body></html>"""


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


@pytest.fixture
def dark(browser: Any) -> Iterator[Any]:
    yield lambda is_dark: prefer_dark(browser, is_dark)
    prefer_dark(browser, False)


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("is_dark", [False, True])
@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_wrong_with_the_look(
    show: Any, browser: Any, settings: Any, dark: Any, theme: str, is_dark: bool
) -> None:
    def prepare(page: Any, form: Any) -> None:
        page.theme = theme
        by_itself(page, form)

    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, ("tests", "tests/dojo/static/tests")]
    dark(is_dark)
    data = {"text": "", "whole": "x", "day": "31.02.2026"}
    show(lambda *posted: Long(*(posted or [data])), prepare, template=TEMPLATE)
    assert violations(browser) == []
    for name in ("id_start__date", "id_hour", "id_room"):
        browser.execute_async_script(OPEN, name)
        found = [said for said in violations(browser) if not re.match(KNOWN["the list of times"], said)]
        assert found == [], name
        browser.execute_script("require('dijit/registry').byId(arguments[0]).closeDropDown()", name)


def by_itself(page: Any, form: Any) -> None:
    page.dojo_form(form, auto=True)


@pytest.mark.usefixtures("built")
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
