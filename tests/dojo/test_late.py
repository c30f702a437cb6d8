"""What comes late or from aside: an answer of the server's, attributes that a script sets, a text pasted as a whole."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms
from django.utils import translation

from djintegrate.dojo import models as dojo
from tests.apps.people.models import Person
from tests.dojo import site
from tests.dojo.rows_site import Invitation
from tests.dojo.test_browser import find, made, submit, type_into
from tests.dojo.test_scripts import All, automatic
from tests.support.browser import complaints
from tests.support.helpers import wait_until

pytestmark = pytest.mark.usefixtures("built")

SLOWLY = """const store = require('dijit/registry').byId('id_person').store, query = store.query;
store.query = function () {
    const asked = arguments;
    return new Promise(answer => setTimeout(answer, 400)).then(() => query.apply(store, asked)); };"""
TEXTS = (
    "return [...document.querySelectorAll('.djintegrate-error')].filter(one => !one.hidden).map(one => one.textContent)"
)


@pytest.mark.django_db(transaction=True)
class TestAStoreSelect:
    @pytest.fixture
    def server(self, server: str, settings: Any) -> str:
        settings.ROOT_URLCONF = "tests.dojo.rows_site"
        return server

    @pytest.fixture
    def people(self) -> list[Person]:
        return [Person.objects.create(name=f"Person {number:03}") for number in range(3)]

    @pytest.mark.parametrize("extra", ["", "novalidate"])
    def test_a_label_that_is_typed_and_sent_at_once_arrives(self, show: Any, people: list[Person], extra: str) -> None:
        browser = show(
            Invitation,
            template=site.TEMPLATE.replace('id="the-form"', f'id="the-form" {extra}').replace(
                'id="submit"', 'id="submit" name="way" value="now"'
            ),
        )
        browser.execute_script(SLOWLY)
        type_into(browser, "id_person", "Person 001")
        submit(browser)
        wait_until(lambda: site.submitted)
        [[form]] = site.submitted
        assert form.cleaned_data["person"] == people[1]
        assert form.data["way"] == "now"

    def test_what_is_not_found_is_refused_once_that_is_known(self, show: Any, people: list[Person]) -> None:
        browser = show(Invitation)
        browser.execute_script(SLOWLY)
        type_into(browser, "id_person", "Nobody")
        submit(browser)
        wait_until(lambda: browser.execute_script(TEXTS) != [])
        assert site.submitted == []
        field = find(browser, "id_person")
        field.clear()
        field.send_keys("Person 002")
        submit(browser)
        wait_until(lambda: site.submitted)
        [[form]] = site.submitted
        assert form.cleaned_data["person"] == people[2]

    def test_what_is_typed_meanwhile_is_not_sent(self, show: Any, people: list[Person]) -> None:
        browser = show(Invitation)
        browser.execute_script(SLOWLY)
        type_into(browser, "id_person", "Person 00")
        submit(browser)
        type_into(browser, "id_person", "2")
        browser.execute_async_script("setTimeout(arguments[0], 1000)")
        assert site.submitted == []


ATTRIBUTES = {
    "title": "T", "placeholder": "P", "tabindex": "3", "inputmode": "tel", "autocomplete": "off",
    "aria-description": "D", "aria-label": "L",
}  # fmt: skip
FACES = "const ids = ['title', 'seats', 'price', 'level', 'day', 'born', 'room', 'hall'].map(name => 'id_' + name);"
GET = (
    FACES
    + """const registry = require('dijit/registry');
return Object.fromEntries(ids.map(id => [id, Object.fromEntries(arguments[0].map(name =>
    [name, registry.byId(id).focusNode.getAttribute(name)]))]))"""
)
SET = (
    FACES
    + """for (const id of ids) { for (const [name, text] of Object.entries(arguments[0])) {
    document.getElementById(id).setAttribute(name, text); } }"""
)
REMOVE = (
    FACES
    + """for (const id of ids) { for (const name of arguments[0]) {
    document.getElementById(id).removeAttribute(name); } }"""
)


def test_attributes_that_a_script_sets_later_are_those_of_what_is_seen(show: Any) -> None:
    browser = show(All, automatic)
    names = [*ATTRIBUTES, "aria-labelledby"]
    first = browser.execute_script(GET, names)
    browser.execute_script(SET, ATTRIBUTES)
    found = browser.execute_script(GET, names)
    assert found == {id_: ATTRIBUTES | {"aria-labelledby": None} for id_ in first}
    browser.execute_script(REMOVE, list(ATTRIBUTES))
    assert browser.execute_script(GET, names) == first
    assert complaints(browser) == []


def test_what_a_page_says_of_validity_stays_while_the_dijit_has_nothing_to_say(show: Any) -> None:
    browser = show(All, automatic)
    names = ["aria-invalid", "aria-describedby"]
    said = {"aria-invalid": "true", "aria-describedby": "the-form"}
    browser.execute_script(SET, said)
    type_into(browser, "id_title", "x\t")
    type_into(browser, "id_day", "2026-02-03\t")
    found = browser.execute_script(GET, names)
    assert found == dict.fromkeys(found, said)
    find(browser, "id_day").send_keys("x\t")
    assert "id_day__problem" in find(browser, "id_day").get_attribute("aria-describedby")


class Chosen(forms.Form):
    room = dojo.dojo_field(forms.ChoiceField(choices=[("a", "Aula")]), "dijit.form.FilteringSelect")
    other = dojo.dojo_field(forms.CharField(), "dijit.form.ValidationTextBox", dojo_attrs={"pattern": "a+"})


def test_a_dijit_that_was_chosen_says_what_django_says(show: Any) -> None:
    browser = show(Chosen)
    type_into(browser, "id_room", "zzz\t")
    type_into(browser, "id_other", "zzz\t")
    [room, other] = browser.execute_script(TEXTS)
    assert room == "Select a valid choice. Aulazzz is not one of the available choices."
    assert other == "The value entered is not valid."


class Start(forms.Form):
    start = forms.DateTimeField()


@pytest.mark.parametrize("text", ["2026-02-03 10:30", "2026-02-03T10:30:00", "02/03/2026 10:30:00"])
@pytest.mark.parametrize("leave", ["", "\t\t\t"])
def test_a_date_and_time_in_the_box_of_the_date_is_read(show: Any, text: str, leave: str) -> None:
    browser = show(Start, automatic)
    browser.execute_script("require('dijit/registry').byId('id_start__date').focusNode.focus()")
    browser.switch_to.active_element.send_keys(text + leave)
    if leave:
        assert browser.execute_script("return document.getElementById('id_start__time').value") == "10:30:00"
    submit(browser)
    wait_until(lambda: site.submitted)
    [[form]] = site.submitted
    assert form.cleaned_data["start"].strftime("%Y-%m-%d %H:%M") == "2026-02-03 10:30"


class Price(forms.Form):
    price = forms.DecimalField(localize=True)


@pytest.mark.parametrize("language", ["cs", "fr"])
def test_a_number_in_groups_is_refused_where_django_refuses_it(show: Any, settings: Any, language: str) -> None:
    settings.LANGUAGE_CODE = language
    with translation.override(language):
        assert not Price({"price": "1 234,5"}).is_valid()
        browser = show(Price, automatic)
        type_into(browser, "id_price", "1 234,5\t")
        assert len(browser.execute_script(TEXTS)) == 1
        assert made(browser) == {"id_price": "dijit.form.NumberTextBox"}
