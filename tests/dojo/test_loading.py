"""While a page is loading it is plain HTML, and in use: what is typed until the dijits are made is theirs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django import forms
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from djintegrate.dojo import models as dojo
from djintegrate.dojo.richtext import RichTextField
from tests.dojo import site
from tests.dojo.conftest import wait
from tests.support.helpers import wait_until

pytestmark = pytest.mark.usefixtures("built")

# The page waits with its dijits until it is told to go on.
HELD = site.TEMPLATE.replace("{% load dojo %}", "").replace("<head>", """<head>{% load dojo %}<script>
window.goOn = null;
const paint = performance.getEntriesByType;
performance.getEntriesByType = function () { return []; };
window.PerformanceObserver = class { constructor(then) { window.goOn = then; } observe() {} disconnect() {} };
window.setTimeout = (set => (then, after, ...more) => after === 250 ? 0 : set(then, after, ...more))(window.setTimeout);
</script>""")  # fmt: skip


def text(widget: type[forms.Widget] = forms.TextInput, **options: Any) -> forms.Field:
    return forms.CharField(widget=widget, **options)


KINDS: dict[str, tuple[forms.Field, str, str]] = {
    "text": (text(), "ab", "cd"),
    "area": (text(forms.Textarea), "ab\nc", "d"),
    "email": (forms.EmailField(), "halb@", "x.de"),
    "url": (forms.URLField(assume_scheme="https"), "https://a", ".de"),
    "integer": (forms.IntegerField(), "12", "89"),
    "negative": (forms.IntegerField(), "-", "5"),
    "decimal": (forms.DecimalField(), "3.", "5"),
    "float": (forms.FloatField(), "1e", "3"),
    "localized": (forms.DecimalField(localize=True), "1.5", "25"),
    "spinner": (dojo.dojo_field(forms.IntegerField(), "dijit.form.NumberSpinner"), "10", "7"),
    "money": (dojo.dojo_field(forms.DecimalField(), "dijit.form.CurrencyTextBox"), "12", "34"),
    "day": (forms.DateField(), "2026-02-0", "3"),
    "hour": (forms.TimeField(), "10:3", "5"),
    "date of a moment": (forms.DateTimeField(), "2026-02-03 1", "0:30"),
    "plain box": (dojo.dojo_field(text(), "dijit.form.TextBox"), "ab", "cd"),
}


def form_of(**fields: forms.Field) -> type[forms.Form]:
    return type("Form", (forms.Form,), {**fields, "other": forms.CharField(required=False)})


def keys(browser: Any, text: str) -> None:
    ActionChains(browser, duration=0).send_keys(text).perform()


Open = Callable[..., Any]


@pytest.fixture
def held(show: Open) -> Open:
    """Opens the page of a field, held before its dijits are made, with the focus in it; or a plain page."""

    def held(dijits: bool = True, **fields: forms.Field) -> Any:
        template = HELD if dijits else HELD.replace("{% dojo request.dojo %}", "")
        dojo_form = (lambda page, form: page.dojo_form(form, auto=True)) if dijits else (lambda page, form: None)
        browser = show(form_of(**fields), dojo_form, template=template, state="")
        browser.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})
        browser.execute_script("(document.querySelector('input[name=f]') || window.id_f || document.body).focus()")
        return browser

    return held


def go_on(browser: Any) -> None:
    assert browser.execute_script("return document.documentElement.dataset.djintegrate") == "loading"
    browser.execute_script("goOn()")
    wait(browser)


def sent(browser: Any) -> dict[str, str]:
    browser.execute_script("document.activeElement.blur()")
    return dict(browser.execute_script("return Array.from(new FormData(document.getElementById('the-form')))"))


def read(field: forms.Field, text: str) -> Any:
    """As the server reads it; what that refuses, as it is."""
    try:
        return field.clean(text)
    except forms.ValidationError:
        return text


def test_whoever_is_typing_goes_on_as_in_the_plain_page(held: Open) -> None:
    fields = {f"f{number}": field for number, (field, _, _) in enumerate(KINDS.values())}
    browser = held(False, **fields)
    for name, (_, before, after) in zip(fields, KINDS.values(), strict=True):
        browser.execute_script(f"id_{name}.focus()")
        keys(browser, before + after)
    plain = list(sent(browser).values())
    found = []
    for field, before, after in KINDS.values():
        browser = held(f=field)
        keys(browser, before)
        go_on(browser)
        keys(browser, after)
        found.append(sent(browser)["f"])
    compared = zip(KINDS, KINDS.values(), plain, found, strict=False)
    assert {kind: text for kind, (field, *_), one, text in compared if read(field, one) != read(field, text)} == {}


def test_an_editor_goes_on_at_the_end(held: Open) -> None:
    browser = held(f=RichTextField())
    keys(browser, "ab")
    go_on(browser)
    wait_until(lambda: browser.execute_script("return document.activeElement.tagName") == "IFRAME")
    keys(browser, "cd")
    assert re.sub("<[^>]*>", "", sent(browser)["f"]) == "abcd"


LEFT, HOME = Keys.ARROW_LEFT, Keys.HOME


@pytest.mark.parametrize("kind", ["text", "area", "email", "integer", "spinner"])
def test_what_is_marked_stays_marked(held: Open, kind: str) -> None:
    found = []
    for moves, isolated in (([LEFT, LEFT], False), ([HOME], False), ([LEFT], True)):
        browser = held(f=KINDS[kind][0])
        keys(browser, "1234")
        chain = ActionChains(browser, duration=0)
        if isolated:
            chain = chain.key_down(Keys.SHIFT).send_keys(LEFT, LEFT).key_up(Keys.SHIFT)
        else:
            chain = chain.send_keys(*moves)
        chain.perform()
        go_on(browser)
        keys(browser, "7")
        found.append(sent(browser)["f"])
    assert found == ["12734", "71234", "127"]


@pytest.mark.parametrize(("widget", "typed"), [(forms.Select, "b"), (forms.RadioSelect, " ")])
def test_what_is_chosen_stays_chosen_and_has_the_focus(held: Open, widget: type[forms.Widget], typed: str) -> None:
    browser = held(f=forms.ChoiceField(choices=[("a", "Aula"), ("b", "Bar")], widget=widget))
    keys(browser, typed)
    go_on(browser)
    focused = "return require('dijit/registry').getEnclosingWidget(document.activeElement).htmlControl.id"
    assert browser.execute_script(focused) == ("id_f" if widget is forms.Select else "id_f_0")
    assert sent(browser)["f"] == ("b" if widget is forms.Select else "a")


def test_a_number_that_was_taken_out_is_gone(held: Open) -> None:
    browser = held(f=forms.IntegerField(initial=12, required=False))
    browser.execute_script("id_f.select()")
    keys(browser, Keys.BACKSPACE)
    go_on(browser)
    assert sent(browser)["f"] == ""
    assert browser.execute_script("return require('dijit/registry').byId('id_f').textbox.value") == ""


def blocked(show: Open, url: str) -> Any:
    """The page whose browser does not get this file."""
    browser = show(form_of(f=text()), state="")
    try:
        browser.execute_cdp_cmd("Network.enable", {})
        browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": [url]})
        browser.get(browser.current_url)
        if "nls" not in url:
            wait(browser, "failed")
    finally:
        browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    browser.find_element("id", "id_f").send_keys("x")
    assert browser.execute_script("return id_f.value") == "x"
    return browser


def test_dojo_that_does_not_come_is_a_failure(show: Open) -> None:
    said = " ".join(entry["message"] for entry in blocked(show, "*/dojo/dojo.js").get_log("browser"))
    assert "no dijits are made" in said and "/dojo/dojo.js" in said


def test_where_the_first_script_does_not_come_the_page_is_plain_and_waits_for_nothing(show: Open) -> None:
    browser = blocked(show, "*/nls/dojo_*")
    assert browser.execute_script("return document.documentElement.dataset.djintegrate") is None
    assert browser.execute_script("return [typeof require, document.readyState]") == ["undefined", "complete"]
