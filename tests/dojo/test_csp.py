"""Under a strict Content-Security-Policy that the browser enforces, dijits work, and texts stay texts."""

from __future__ import annotations

import importlib.util
from typing import Any

import django
import pytest
from django import forms
from django.utils.safestring import mark_safe

from djintegrate.dojo import models as dojo
from djintegrate.dojo.richtext import RichTextField
from tests.dojo import site
from tests.dojo.forms import Every, Many
from tests.dojo.test_auto_browser import by_itself, refused, submitted, write
from tests.support.browser import complaints
from tests.support.helpers import wait_until

# Scripts by the nonce alone: neither the address of the site nor eval() is allowed.
POLICY: dict[str, list[str]] = {
    "default-src": ["'none'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
}


@pytest.fixture(params=["Django", "django-csp"])
def policy(request: Any, settings: Any, server: str) -> None:
    if request.param == "Django":
        if django.VERSION < (6,):
            pytest.skip("Django has a Content-Security-Policy of its own since 6.0.")
        from django.utils.csp import CSP

        settings.SECURE_CSP = {**POLICY, "script-src": [CSP.NONCE]}
        middleware = "django.middleware.csp.ContentSecurityPolicyMiddleware"
    else:
        if importlib.util.find_spec("csp") is None:
            pytest.skip("django-csp is not installed.")
        from csp.constants import NONCE

        settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": {**POLICY, "script-src": [NONCE]}}
        middleware = "csp.middleware.CSPMiddleware"
    settings.MIDDLEWARE = [middleware, *settings.MIDDLEWARE]


NASTY = (
    "</script><script>window.broken=1</script><!-- \u2028\u2029 '\"& <img src=x onerror=window.broken=1> "
    "{{ x }} {% now %} ${id}"
)
# Django's own templates write a help text as HTML, whether it is marked or not.
FIELDS = "{% for field in form %}{{ field.label_tag }}{{ field }}<p>{{ field.help_text|force_escape }}</p>{% endfor %}"
TEMPLATE = site.TEMPLATE.replace("{{ form.as_div }}", FIELDS)


class Nasty(forms.Form):
    """The text is everywhere where text can be."""

    title = forms.CharField(
        label=NASTY, help_text=NASTY, initial=NASTY, error_messages={"required": NASTY, "invalid": NASTY}
    )
    story = forms.CharField(label=NASTY, widget=forms.Textarea, initial=NASTY)
    room = forms.ChoiceField(choices=[("", NASTY), (NASTY, NASTY)], initial=NASTY)
    hall = forms.ChoiceField(choices=[("a", "a"), (NASTY, NASTY)], initial=NASTY)
    way = forms.ChoiceField(choices=[(NASTY, NASTY)], widget=forms.RadioSelect, initial=NASTY)

    dojo.dojo_field(title, "dijit.form.ValidationTextBox", {"label": ("title", None)}, {"placeHolder": NASTY})
    dojo.dojo_field(story, "dijit.form.Textarea")
    dojo.dojo_field(room, "dijit.form.Select")
    dojo.dojo_field(hall, "dijit.form.FilteringSelect")
    dojo.dojo_field(way, "dijit.form.RadioButton")


def value(browser: Any, name: str, attribute: str = "value") -> Any:
    return browser.execute_script(
        "return require('dijit/registry').byId(arguments[0]).get(arguments[1])", name, attribute
    )


def open_and_close(browser: Any, name: str) -> None:
    browser.execute_async_script(
        "var dijit = require('dijit/registry').byId(arguments[0]), done = arguments[1];"
        "dijit.loadAndOpenDropDown().then(() => setTimeout(() => { dijit.closeDropDown(); done(); }, 100));",
        name,
    )


def test_dijits_work_and_the_browser_refuses_nothing(show: Any, policy: None) -> None:
    browser = show(Many, lambda page, form: [page.append_aol("function() { window.ran = 1; }"), page.dojo_form(form)])
    assert browser.execute_script("return window.ran") == 1
    for name in ("id_room", "id_day", "id_hour"):
        open_and_close(browser, name)
    assert complaints(browser) == []


def test_dojos_sources_are_no_different(sources: None, show: Any, policy: None) -> None:
    test_dijits_work_and_the_browser_refuses_nothing(show, policy)


def test_the_policy_is_in_force(show: Any, policy: None) -> None:
    template = "<script>window.broken=1</script><img src=x onerror=window.broken=1>"
    browser = show(Many, lambda page, form: None, template="{% load dojo %}{% dojo request.dojo %}" + template)
    assert browser.execute_script("return window.broken") is None
    assert len([said for said in complaints(browser) if "Content Security Policy" in said]) == 2


def test_texts_come_through_as_texts(show: Any, policy: None) -> None:
    browser = show(Nasty, template=TEMPLATE)
    assert value(browser, "id_title") == NASTY
    assert value(browser, "id_title", "title") == NASTY
    assert value(browser, "id_story") == NASTY
    assert value(browser, "id_room") == NASTY
    assert value(browser, "id_hall") == NASTY
    assert value(browser, "id_hall", "displayedValue") == NASTY
    assert value(browser, "id_way_0") == NASTY
    labels = [label.get_property("textContent").strip() for label in browser.find_elements("css selector", "label")]
    assert NASTY + ":" in labels
    assert_nothing_ran(browser)


def test_prompts_and_messages_are_texts(show: Any, policy: None) -> None:
    browser = show(Nasty, template=TEMPLATE)
    browser.execute_script("require('dijit/registry').byId('id_title').set('value', '')")
    browser.execute_script("require('dijit/registry').byId('id_title').focus()")
    # Of a help text, which Django writes as HTML, the words alone.
    assert tooltip(browser) == NASTY.replace("</script>", "").replace("<script>", "")
    browser.find_element("id", "submit").click()
    assert value(browser, "id_title", "state") == "Error"
    assert problem(browser, "id_title") == NASTY
    assert_nothing_ran(browser)


def test_choices_in_an_open_menu_are_texts(show: Any, policy: None) -> None:
    browser = show(Nasty, template=TEMPLATE)
    open_and_close(browser, "id_room")
    assert any(text.startswith(NASTY) for text in menu(browser))
    browser.find_element("css selector", "#widget_id_hall .dijitArrowButton").click()
    wait_until(lambda: menu(browser, "#id_hall_popup "))
    assert NASTY in menu(browser, "#id_hall_popup ")
    assert_nothing_ran(browser)


def test_help_that_is_marked_as_html_is_html(show: Any) -> None:
    class Helpful(forms.Form):
        title = dojo.dojo_field(forms.CharField(help_text=mark_safe("<b>Bold</b>")), "dijit.form.ValidationTextBox")

    browser = show(Helpful)
    browser.execute_script("require('dijit/registry').byId('id_title').focus()")
    assert tooltip(browser) == "Bold"


class NastyByItself(forms.Form):
    """Each kind of dijit with that text wherever it can be; nothing here is right."""

    title = forms.CharField(
        label=NASTY, help_text=NASTY, initial=NASTY, max_length=3, error_messages={"max_length": NASTY}
    )
    count = forms.IntegerField(initial=NASTY, error_messages={"invalid": NASTY})
    day = forms.DateField(initial=NASTY, error_messages={"invalid": NASTY})
    start = forms.DateTimeField(label=NASTY, help_text=NASTY, initial=NASTY, error_messages={"invalid": NASTY})
    room = forms.ChoiceField(choices=[(NASTY, [(NASTY, NASTY), ("a", NASTY)])], initial="a")
    ways = forms.MultipleChoiceField(
        label=NASTY, choices=[(NASTY, NASTY)], widget=forms.CheckboxSelectMultiple, error_messages={"required": NASTY}
    )
    note = forms.CharField(widget=forms.Textarea, error_messages={"required": NASTY})
    paper = forms.FileField(error_messages={"required": NASTY})
    story = RichTextField(label=NASTY, initial=NASTY, error_messages={"required": NASTY})


def test_automatic_dijits_work_and_the_browser_refuses_nothing(show: Any, policy: None) -> None:
    browser = show(Every, by_itself)
    write(browser, "id_story", "bold")
    browser.find_element("css selector", ".dijitEditorIconBold").click()
    for name in ("id_day", "id_hour", "id_start__date", "id_room"):
        open_and_close(browser, name)
    assert "bold" in submitted(browser).cleaned_data["story"]
    assert complaints(browser) == []


def test_texts_of_automatic_dijits_are_texts(show: Any, policy: None) -> None:
    browser = show(NastyByItself, by_itself, template=TEMPLATE)
    assert value(browser, "id_title") == NASTY
    assert value(browser, "id_count", "displayedValue") == NASTY
    assert value(browser, "id_room") == "a"
    # What the server wrote is the server's to refuse.
    for name in ("id_count", "id_day", "id_start__date"):
        browser.execute_script("require('dijit/registry').byId(arguments[0]).textbox.value += '!'", name)
    browser.find_element("id", "submit").click()
    said = refused(browser)
    shown = browser.execute_script(
        "return arguments[0].map(html => { const p = new DOMParser(); return p.parseFromString(html, 'text/html'); })"
        ".map(page => [page.body.textContent, page.querySelectorAll('*').length])",
        [said[f"id_{name}"] for name in ("title", "count", "day", "start", "ways_0", "note", "paper")],
    )
    # A page has three elements by itself.
    assert shown == [[NASTY, 3]] * 7
    for name in ("id_title", "id_note", "id_ways_0"):
        assert problem(browser, name) == NASTY
    open_and_close(browser, "id_room")
    assert [text.startswith(NASTY) for text in menu(browser, "#id_room_menu ")] == [True] * 3
    assert_nothing_ran(browser)


def menu(browser: Any, where: str = "") -> list[str]:
    return browser.execute_script(
        "return Array.from(document.querySelectorAll(arguments[0]), item => item.textContent.trim())",
        where + ".dijitMenuItem",
    )


def problem(browser: Any, name: str) -> str:
    """The text beside the dijit that says what is wrong."""
    return str(browser.find_element("id", f"{name}__problem").get_attribute("textContent"))


def tooltip(browser: Any) -> str:
    return str(
        browser.execute_async_script(
            "var done = arguments[0], wait = () => { var node = document.querySelector('.dijitTooltipContents');"
            "node && node.textContent ? done(node.textContent) : setTimeout(wait, 20); }; wait();"
        )
    )


def assert_nothing_ran(browser: Any) -> None:
    assert browser.execute_script("return window.broken") is None
    assert [said for said in complaints(browser) if "inline event handler" in said or "Uncaught" in said] == []
