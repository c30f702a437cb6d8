"""What a page's own scripts do to a control: they write into it, ask whether it is valid, and give it the focus.

A script sees no dijit. So each page is opened plain and as dijits, and the same is done to both.
"""

from __future__ import annotations

from typing import Any

import pytest
from django import forms
from selenium.webdriver.common.keys import Keys

from djintegrate.dojo import models as dojo
from tests.dojo import site
from tests.dojo.test_browser import find, refused, sent, submit
from tests.support.browser import complaints
from tests.support.helpers import wait_until

pytestmark = pytest.mark.usefixtures("built")

ROOMS = [("a", "Aula"), ("b", "Bar"), ("", "None yet")]


class All(forms.Form):
    """A field of each way in which a dijit stands for a control."""

    title = forms.CharField(required=False)
    note = forms.CharField(widget=forms.Textarea, required=False)
    seats = forms.IntegerField(required=False)
    steps = forms.IntegerField(step_size=5, required=False)
    price = forms.DecimalField(required=False)
    level = forms.IntegerField(widget=forms.NumberInput({"type": "range"}), required=False)
    day = forms.DateField(required=False)
    born = forms.DateField(widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"), required=False)
    start = forms.DateTimeField(required=False)
    room = forms.ChoiceField(choices=ROOMS, required=False, initial="a")
    hall = dojo.dojo_field(forms.ChoiceField(choices=ROOMS, required=False), "dijit.form.FilteringSelect")
    public = forms.BooleanField(required=False)


WRITTEN = {
    "title": "x", "note": "y", "seats": "7", "steps": "15", "price": "1.5", "level": "12", "day": "2026-02-03",
    "born": "2026-02-04", "start": "2026-02-03 10:30:00", "room": "b", "hall": "b",
}  # fmt: skip
SHOWN = {
    "id_title": "x", "id_note": "y", "id_seats__face": "7", "id_steps__face": "15", "id_price__face": "1.5",
    "id_day": "2026-02-03", "id_start__date": "2026-02-03", "id_start__time": "10:30:00", "id_hall__face": "Bar",
}  # fmt: skip
FIND = "const of = name => document.getElementById('id_' + name), form = document.getElementById('the-form');"
WRITE = FIND + "for (const [name, value] of Object.entries(arguments[0])) { of(name).value = value; %s } "
HEAR = """window.heard = [];
for (const type of ["input", "change", "submit"]) {
    document.addEventListener(type, event => { heard.push(type + " " + (event.target.name || "")); });
}
document.addEventListener("submit", event => { event.preventDefault(); });"""


def automatic(page: Any, form: Any) -> None:
    page.dojo_form(form, auto=True)


def plain(page: Any, form: Any) -> None:
    """The same page, without dijits."""


@pytest.fixture(params=[automatic, plain])
def both(request: pytest.FixtureRequest, show: Any) -> Any:
    """A page with the form, as dijits and, in another test, plain."""

    def opened(form: Any, **options: Any) -> Any:
        state = "ready" if request.param is automatic else ""
        browser = show(form, request.param, state=state, **options)
        browser.execute_script(HEAR)
        return browser

    return opened


def heard(browser: Any) -> list[str]:
    """What a listener of the page's has heard, once dijits have had the time to tell."""
    browser.execute_async_script("setTimeout(arguments[0], 150)")
    found: list[str] = browser.execute_script("return heard")
    return found


@pytest.mark.parametrize("event", ["", "of(name).dispatchEvent(new Event('input', { bubbles: true }));",
                                   "of(name).dispatchEvent(new Event('change', { bubbles: true }));"])  # fmt: skip
def test_what_a_script_writes_is_shown_and_sent(show: Any, event: str) -> None:
    browser = show(All, automatic)
    browser.execute_script(WRITE % event + "of('public').checked = true", WRITTEN)
    faces = browser.execute_script(
        "return Object.fromEntries(arguments[0].map(id => [id, document.getElementById(id).value]))", list(SHOWN)
    )
    assert faces == SHOWN
    assert find(browser, "id_room").text.startswith("Bar")
    assert find(browser, "id_level").get_attribute("aria-valuenow") == "12"
    assert browser.execute_script("return require('dijit/registry').byId('id_public').checked") is True
    assert browser.execute_script("return require('dijit/registry').byId('id_title').value") == "x"
    [form] = sent(browser)
    assert {name: form.data.get(name) for name in WRITTEN} == WRITTEN
    assert form.cleaned_data["public"] is True
    assert complaints(browser) == []


def test_an_option_that_a_script_selects_is_shown_and_sent(show: Any) -> None:
    browser = show(All, automatic)
    browser.execute_script(FIND + "of('room').options[1].selected = true; of('hall').selectedIndex = 1")
    assert find(browser, "id_room").text.startswith("Bar")
    assert find(browser, "id_hall").get_attribute("value") == "Bar"
    [form] = sent(browser)
    assert (form.cleaned_data["room"], form.cleaned_data["hall"]) == ("b", "b")


def test_the_last_of_a_script_and_a_person_is_sent(show: Any) -> None:
    browser = show(All, automatic)
    browser.execute_script(FIND + "of('seats').value = 7; of('price').value = 1.5")
    find(browser, "id_price").send_keys(Keys.BACKSPACE, "75")
    find(browser, "id_steps").send_keys("5")
    browser.execute_script(FIND + "of('steps').valueAsNumber = 10; of('steps').stepUp()")
    [form] = sent(browser)
    assert form.cleaned_data["seats"] == 7
    assert form.data["price"] == "1.75"
    assert form.cleaned_data["steps"] == 15


def test_a_submit_handler_reads_what_a_script_wrote(both: Any) -> None:
    browser = both(All)
    browser.execute_script(
        WRITE % "" + "form.addEventListener('submit', () => { window.read = Object.fromEntries(new FormData(form)); });"
        "form.requestSubmit()",
        WRITTEN,
    )
    read = browser.execute_script("return read")
    assert {name: read[name] for name in WRITTEN} == WRITTEN


class Needed(forms.Form):
    title = forms.CharField()
    seats = forms.IntegerField(min_value=5)


@pytest.mark.parametrize("ask", ["form.requestSubmit()", "submit.click()"])
def test_a_form_that_a_script_has_filled_is_sent(both: Any, ask: str) -> None:
    browser = both(Needed)
    browser.execute_script(FIND + f"of('title').value = 'x'; of('seats').value = 5; {ask}")
    assert heard(browser) == ["submit "]


def test_a_form_that_a_script_has_emptied_is_not_sent(both: Any) -> None:
    browser = both(lambda *data: Needed(*data, initial={"title": "x", "seats": 5}))
    browser.execute_script(FIND + "of('seats').value = ''; form.requestSubmit()")
    assert heard(browser) == []
    assert browser.execute_script("return document.activeElement.id").startswith("id_seats")


def test_whoever_asks_is_told_of_what_a_script_has_written(both: Any) -> None:
    browser = both(Needed)
    asked = browser.execute_script(
        FIND + "const found = [form.checkValidity()];"
        "of('title').value = 'x'; of('seats').value = 4; found.push(of('title').checkValidity(), form.checkValidity());"
        "of('seats').min = 3; found.push(form.checkValidity());"
        "of('title').value = ''; found.push(form.checkValidity());"
        "of('title').required = false; found.push(form.checkValidity()); return found"
    )
    assert asked == [False, True, False, True, False, True]


def test_a_listener_that_asks_is_told_of_what_was_just_typed(both: Any) -> None:
    browser = both(Needed)
    browser.execute_script(
        FIND
        + "window.valid = []; for (const name of ['title', 'seats']) { of(name).addEventListener('input', event => {"
        "valid.push([name, event.target.validity.valid]); }); }"
    )
    find(browser, "id_title").send_keys("x")
    find(browser, "id_seats").send_keys("6")
    assert browser.execute_script("return valid") == [["title", True], ["seats", True]]


class Passwords(forms.Form):
    first = forms.CharField()
    again = forms.CharField(max_length=20)
    seats = forms.IntegerField(required=False)


REPEAT = (
    FIND
    + """const look = () => {
    of('again').setCustomValidity(of('again').value === of('first').value ? '' : 'Not the same');
};
of('first').addEventListener('input', look); of('again').addEventListener('input', look);"""
)


def test_a_pages_own_rule_blocks_until_it_is_kept(both: Any) -> None:
    browser = both(Passwords)
    browser.execute_script(REPEAT)
    find(browser, "id_first").send_keys("secret")
    find(browser, "id_again").send_keys("secre")
    submit(browser)
    assert "submit " not in heard(browser)
    assert browser.execute_script("return id_again.validationMessage") == "Not the same"
    find(browser, "id_again").send_keys("t")
    submit(browser)
    assert heard(browser)[-1] == "submit "


def test_a_pages_own_rule_is_shown_beside_the_dijits(show: Any) -> None:
    browser = show(Passwords, automatic)
    browser.execute_script(FIND + "of('again').setCustomValidity('Not <b>so</b>')")
    assert refused(browser)
    wait_until(lambda: browser.find_element("id", "id_again__problem").is_displayed())
    # The field is required as well.
    assert browser.find_element("id", "id_again__problem").text == "Not <b>so</b>\nThis field is required."
    browser.execute_script(FIND + "of('again').setCustomValidity('')")
    assert browser.find_element("id", "id_again__problem").text == "This field is required."


def test_a_rule_that_was_there_before_the_dijits_stays(show: Any) -> None:
    template = site.TEMPLATE.replace(
        "</form>", "</form><script>document.getElementById('id_seats').setCustomValidity('Wait')</script>"
    )
    browser = show(Passwords, automatic, template=template)
    assert browser.execute_script("return [id_seats.validationMessage, id_first.validationMessage]") == [
        "Wait", "This field is required.",
    ]  # fmt: skip


def test_leaving_what_a_script_has_written_tells_nobody_of_a_change(both: Any) -> None:
    browser = both(All)
    for name, text in (("title", "hello"), ("note", "y"), ("day", "2026-02-03"), ("seats", "7")):
        browser.execute_script(FIND + "of(arguments[0]).value = arguments[1]; of(arguments[0]).focus()", name, text)
        browser.switch_to.active_element.send_keys(Keys.TAB)
        browser.execute_script(FIND + "of('title').focus()")
    assert heard(browser) == []


def test_a_slug_goes_on_following_its_title(both: Any) -> None:
    browser = both(All)
    browser.execute_script(
        FIND + "let own = false; of('note').addEventListener('change', () => { own = true; });"
        "of('title').addEventListener('input', event => {"
        "if (!own) { of('note').value = event.target.value.toUpperCase(); } })"
    )
    find(browser, "id_title").send_keys("ab", Keys.TAB)
    browser.switch_to.active_element.send_keys(Keys.TAB)
    browser.execute_async_script("setTimeout(arguments[0], 150)")
    find(browser, "id_title").send_keys(Keys.END, "c")
    assert browser.execute_script("return id_note.value") == "ABC"


@pytest.mark.parametrize("name", ["title", "seats", "steps", "day", "start", "room", "hall", "note", "public"])
def test_a_script_gives_a_control_the_focus(both: Any, name: str) -> None:
    browser = both(All)
    browser.execute_script(f"document.getElementById('id_{name}').focus()")
    assert browser.execute_script("return document.activeElement.id").startswith(f"id_{name}")


def test_what_a_script_hides_by_its_style_is_hidden(both: Any) -> None:
    browser = both(All)
    seen = {name: find(browser, f"id_{name}") for name in ("title", "seats", "day", "start", "room", "hall")}
    for display, is_shown in (("none", False), ("", True)):
        browser.execute_script(
            FIND + "for (const name of arguments[0]) { of(name).style.display = arguments[1]; }", list(seen), display
        )
        assert [node.is_displayed() for node in seen.values()] == [is_shown] * len(seen)


class Spun(forms.Form):
    steps = forms.IntegerField(step_size=5, initial=15)
    most = forms.IntegerField(step_size=5, initial=15, min_value=0, max_value=50)


def test_home_and_end_move_the_cursor_where_a_spinner_has_no_bounds(both: Any) -> None:
    browser = both(Spun)
    find(browser, "id_steps").send_keys(Keys.END, "0", Keys.HOME, "1")
    assert browser.execute_script("return id_steps.value") == "1150"


class Stepped(forms.Form):
    small = forms.FloatField(initial=1e-07)
    half = forms.FloatField(initial=1.5)
    most = forms.FloatField(initial=1.5, max_value=2)
    least = forms.FloatField(initial=1.5, min_value=1)
    seven = forms.IntegerField(initial=7, step_size=5)


@pytest.mark.parametrize(("key", "found"), [
    (Keys.ARROW_UP, ["1.0000001", "2.5", "1.5", "2.5", "12"]),
    (Keys.ARROW_DOWN, ["-0.9999999", "0.5", "0.5", "1", "2"]),
])  # fmt: skip
def test_steps_begin_at_the_number_that_is_there(both: Any, key: str, found: list[str]) -> None:
    browser = both(Stepped)
    for name in Stepped.base_fields:
        find(browser, f"id_{name}").send_keys(key)
    assert (
        browser.execute_script("return [...document.querySelectorAll('[type=number]')].map(one => one.value)") == found
    )


def test_a_search_that_is_due_does_not_take_the_focus_back(show: Any) -> None:
    """Whoever leaves as the choices are looked up, as on a busy machine: all of that is due at once."""
    browser = show(All, automatic)
    find(browser, "id_hall").send_keys("b")
    browser.execute_script(
        "document.activeElement.blur(); const end = performance.now() + 300; while (performance.now() < end);"
    )
    browser.execute_async_script("setTimeout(arguments[0], 100)")
    assert browser.execute_script("return document.activeElement === document.body")
    [form] = sent(browser)
    assert form.cleaned_data["hall"] == "b"


class Short(forms.Form):
    note = forms.CharField(widget=forms.Textarea, max_length=5, required=False)


def test_what_a_script_writes_beyond_the_length_stays_and_what_is_typed_does_not(both: Any) -> None:
    browser = both(Short)
    browser.execute_script(FIND + "of('note').value = 'too long'; of('note').dispatchEvent(new Event('input'))")
    assert browser.execute_script("return id_note.value") == "too long"
    browser.execute_script(FIND + "of('note').value = ''")
    find(browser, "id_note").send_keys("too long")
    assert browser.execute_script("return id_note.value") == "too l"


class Hour(forms.Form):
    hour = forms.TimeField(required=False)


def test_nothing_opens_for_an_event_that_a_script_tells(show: Any) -> None:
    browser = show(Hour, automatic)
    browser.execute_script(FIND + "of('hour').value = '10:30'; of('hour').dispatchEvent(new Event('input'))")
    browser.execute_async_script("setTimeout(arguments[0], 100)")
    assert not [popup for popup in browser.find_elements("css selector", ".dijitPopup") if popup.is_displayed()]
