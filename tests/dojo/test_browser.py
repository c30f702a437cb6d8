"""Forms as dijits in a real browser: made over their HTML, submitted, and safe without JavaScript."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms

from djintegrate.dojo import models as dojo
from tests.dojo import site
from tests.dojo.conftest import wait
from tests.dojo.forms import Many, Talk
from tests.support.browser import complaints, without_javascript
from tests.support.helpers import wait_until

# Each page of Dojo's sources takes two hundred requests; tests/dojo/test_build.py looks at those.
pytestmark = pytest.mark.usefixtures("built")


def dijit(browser: Any, name: str, attribute: str) -> Any:
    return browser.execute_script(
        "return require('dijit/registry').byId(arguments[0]).get(arguments[1])", name, attribute
    )


def made(browser: Any) -> dict[str, str]:
    """The dijits of fields, by their id."""
    return browser.execute_script(
        "return Object.fromEntries(require('dijit/registry').toArray()"
        ".filter(d => d.id.startsWith('id_') && !d.id.endsWith('_menu')).map(d => [d.id, d.declaredClass]))"
    )


def type_into(browser: Any, name: str, text: str) -> None:
    """Into the control, or into what stands beside it where the dijit hides it."""
    find(browser, name).send_keys(text)


def find(browser: Any, name: str) -> Any:
    """What is seen of the control with this id, or of the dijit with it."""
    return browser.execute_script(
        """const name = arguments[0], node = document.getElementById(name),
            isReady = document.documentElement.dataset.djintegrate === "ready",
            dijit = isReady && require("dijit/registry").byId(name);
        return node && node.getClientRects().length ? node : dijit ? dijit.focusNode || dijit.domNode : node""",
        name,
    )


def submit(browser: Any) -> None:
    browser.find_element("id", "submit").click()


def refused(browser: Any) -> bool:
    """Submit, and whether the page itself stopped that. Only looking at the server would be too early to tell."""
    browser.execute_script(
        "window.refused = null;"
        "addEventListener('invalid', () => { window.refused = true; }, { once: true, capture: true });"
        "addEventListener('submit', event => { window.refused = event.defaultPrevented; }, { once: true });"
    )
    submit(browser)
    return browser.execute_script("return window.refused") is True and site.submitted == []


def wait_for_focus(browser: Any, name: str) -> None:
    """What is wrong gets the focus once the browser has done what the click made it do."""
    wait_until(lambda: browser.switch_to.active_element.get_attribute("id") == name)


def sent(browser: Any) -> Any:
    """Submit, and what the server made of it: its forms, bound and validated."""
    submit(browser)
    wait_until(lambda: site.submitted)
    [found] = site.submitted
    return found


def test_fields_become_dijits_over_their_html(show: Any) -> None:
    browser = show(Talk)
    assert made(browser) == {
        "id_title": "dijit.form.ValidationTextBox",
        "id_seats": "dijit.form.NumberTextBox",
        "id_public": "dijit.form.CheckBox",
        "id_room": "dijit.form.Select",
    }
    assert dijit(browser, "id_title", "maxLength") == 20
    assert dijit(browser, "id_title", "promptMessage") == "Say what"
    assert dijit(browser, "id_room", "value") == "a"
    assert complaints(browser) == []


def test_what_is_typed_arrives(show: Any) -> None:
    browser = show(Talk)
    type_into(browser, "id_title", "  On dijits ")
    type_into(browser, "id_seats", "12")
    browser.find_element("css selector", "label[for=id_public]").click()
    [form] = sent(browser)
    assert form.cleaned_data == {"title": "On dijits", "seats": 12, "public": True, "room": "a"}


def test_a_submit_that_the_dijits_refuse_does_not_leave_the_page(show: Any) -> None:
    browser = show(Talk)
    assert refused(browser)
    wait_for_focus(browser, "id_title")
    assert dijit(browser, "id_title", "state") == "Error"
    type_into(browser, "id_title", "x")
    type_into(browser, "id_seats", "0")
    assert refused(browser)
    assert dijit(browser, "id_seats", "state") == "Error"


def test_bound_values_are_in_the_dijits(show: Any) -> None:
    data = {"title": "Old", "seats": "4", "public": "on", "room": "b"}
    browser = show(lambda *posted: Talk(*(posted or [data])))
    assert dijit(browser, "id_title", "value") == "Old"
    assert dijit(browser, "id_seats", "value") == 4
    assert dijit(browser, "id_public", "checked") is True
    assert dijit(browser, "id_room", "value") == "b"


def test_every_dijit_submits_what_its_field_held(show: Any) -> None:
    """Nothing is touched: the values go through the dijits unchanged."""
    data = {"title": "t", "word": "w", "count": "7", "steps": "3", "price": "", "level": "4", "day": "", "hour": "",
            "public": "on", "room": "b", "hall": "c", "place": "a", "way": "b", "rooms": ["a", "c"],
            "note": "one\r\ntwo", "story": "three"}  # fmt: skip
    browser = show(lambda *posted: Many(*(posted or [data])))
    [form] = sent(browser)
    assert {name: form.data.getlist(name) for name in data if name not in ("day", "hour", "price", "place")} == {
        name: value if isinstance(value, list) else [value]
        for name, value in data.items()
        if name not in ("day", "hour", "price", "place")
    }


def test_several_forms_prefixes_and_formsets_share_a_page_and_a_submit(show: Any) -> None:
    formset = forms.formset_factory(Talk, extra=2)
    browser = show(
        [
            lambda *data: Talk(*data, prefix="one"),
            lambda *data: Talk(*data, prefix="two"),
            lambda *data: formset(*data, prefix="more"),
        ]
    )
    names = ("one", "two", "more-0", "more-1")
    assert set(made(browser)) == {f"id_{name}-{field}" for name in names for field in Talk.base_fields}
    for name in ("one", "more-1"):
        type_into(browser, f"id_{name}-title", name)
    assert refused(browser)  # The title of the second is missing still; the formset's may stay empty.
    type_into(browser, "id_two-title", "two")
    [one, two, more] = sent(browser)
    titles = [form.cleaned_data.get("title") for form in (one, two, *more)]
    assert titles == ["one", "two", None, "more-1"]


def test_the_same_form_twice_by_auto_id(show: Any) -> None:
    template = site.TEMPLATE.replace("</form>\n", "</form><form method=post id=b>{{ again.as_div }}</form>")
    again = Talk(auto_id="id_again_%s")
    browser = show(
        Talk,
        lambda page, form: [page.dojo_form(form), page.dojo_form(again)],
        template=template,
        context={"again": again},
    )
    assert dijit(browser, "id_again_title", "name") == dijit(browser, "id_title", "name") == "title"
    # Only the form that is sent is looked at.
    type_into(browser, "id_title", "x")
    sent(browser)


def test_reset_brings_back_what_was(show: Any) -> None:
    template = site.TEMPLATE.replace("<button", '<button type="reset" id="reset">Reset</button><button')
    browser = show(lambda *data: Talk(*data, initial={"title": "Old", "room": "b"}), template=template)
    type_into(browser, "id_title", " and new")
    browser.find_element("id", "reset").click()
    browser.execute_async_script("setTimeout(arguments[0], 50)")
    assert dijit(browser, "id_title", "value") == "Old"
    assert dijit(browser, "id_room", "value") == "b"


def test_a_button_may_submit_unchecked(show: Any) -> None:
    browser = show(Talk, template=site.TEMPLATE.replace("<button", "<button formnovalidate"))
    [form] = sent(browser)
    assert form.errors["title"]


@pytest.mark.parametrize("attribute", ["", " formnovalidate"])
def test_what_is_sent_with_the_enter_key_is_what_was_typed_last(show: Any, attribute: str) -> None:
    browser = show(Talk, template=site.TEMPLATE.replace("<button", f"<button{attribute}"))
    type_into(browser, "id_title", "Enter")
    type_into(browser, "id_seats", "12\n")
    wait_until(lambda: site.submitted)
    assert site.submitted[0][0].cleaned_data["seats"] == 12


def test_fields_that_the_template_leaves_out_are_left_out(show: Any) -> None:
    browser = show(Talk, template=site.TEMPLATE.replace("{{ form.as_div }}", "{{ form.room }}"))
    assert made(browser) == {"id_room": "dijit.form.Select"}


def test_labels_and_descriptions_stay_with_the_dijit(show: Any) -> None:
    browser = show(Talk)
    browser.find_element("css selector", "label[for=id_title]").click()
    focused = browser.switch_to.active_element
    assert focused.get_attribute("id") == "id_title"
    assert focused.get_attribute("aria-describedby") == "id_title_helptext"


def test_functions_and_forms_are_done_in_their_order(show: Any) -> None:
    note = "function() { (window.seen = window.seen || []).push([%s, !!require('dijit/registry').byId('id_title')]); }"

    def prepare(page: Any, form: Any) -> None:
        page.append_aol(note % 2)
        page.dojo_form(form)
        page.append_aol(note % 3)
        page.prepend_aol(note % 1)

    browser = show(Talk, prepare)
    assert browser.execute_script("return window.seen") == [[1, False], [2, False], [3, True]]


def test_a_form_function_of_ones_own_makes_the_dijits(show: Any, settings: Any) -> None:
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, site.STATIC]

    def prepare(page: Any, form: Any) -> None:
        page.set_module_path("tests", "/static/tests")
        page.form_function = ("tests.forms", "dijitize")
        page.dojo_form(form)

    browser = show(Talk, prepare)
    assert dijit(browser, "id_title", "title") == "by the form function"


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda page, form: page.append_module("dijit.Nowhere"), "dijit/Nowhere"),
        (lambda page, form: page.append_aol("function() { throw new Error('on purpose'); }"), "on purpose"),
        (
            lambda page, form: [setattr(page, "form_function", ("dojo.string", "none")), page.dojo_form(form)],
            "The module dojo/string has no function none.",
        ),
    ],
)
def test_what_fails_is_said_in_the_console_and_the_html_stays(show: Any, prepare: Any, said: str) -> None:
    browser = show(Talk, prepare, state="failed")
    found = complaints(browser)
    assert any(said in message for message in found), found
    type_into(browser, "id_title", "plain")
    [form] = sent(browser)
    assert form.cleaned_data["title"] == "plain"


def test_who_waits_is_told_when_the_dijits_are_there(show: Any) -> None:
    browser = show(Talk)
    told = browser.execute_async_script(
        "var done = arguments[0]; require(['djintegrate/start'], s => s.ready.then(() => done('ready')));"
    )
    assert told == "ready"


@pytest.mark.parametrize("theme", ["tundra", "soria", "nihilo", "claro"])
def test_the_page_has_its_theme(show: Any, theme: str) -> None:
    browser = show(Talk, lambda page, form: [setattr(page, "theme", theme), page.dojo_form(form)])
    assert theme in browser.find_element("css selector", "html").get_attribute("class").split()
    width = browser.execute_script("return getComputedStyle(document.getElementById('widget_id_title')).borderTopWidth")
    assert width == "1px"


def test_without_javascript_the_form_is_plain_and_the_server_checks_it(show: Any, browser: Any) -> None:
    with without_javascript(browser):
        show(Talk, state="")
        browser.find_element("id", "id_seats").send_keys("3")
        form_element = browser.find_element("id", "the-form")
        browser.find_element("id", "id_title").send_keys("Plain")
        assert form_element.find_elements("css selector", "[widgetid]") == []
        [form] = sent(browser)
    assert form.cleaned_data == {"title": "Plain", "seats": 3, "public": False, "room": "a"}


def test_switched_off_the_page_is_plain(show: Any, settings: Any) -> None:
    settings.DOJO_ENABLED = False
    browser = show(Talk, state="")
    assert browser.find_elements("css selector", "link[rel=stylesheet], script") == []
    type_into(browser, "id_title", "Plain")
    assert sent(browser)[0].cleaned_data["title"] == "Plain"


def test_a_password_is_not_shown(show: Any) -> None:
    class Login(forms.Form):
        secret = dojo.dojo_field(forms.CharField(widget=forms.PasswordInput), "dijit.form.ValidationTextBox")

    browser = show(Login)
    assert browser.find_element("id", "id_secret").get_attribute("type") == "password"
    wait(browser)
