"""StoreSelect: a ModelChoiceField whose rows are neither all in the page nor all read."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django import forms
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse_lazy
from selenium.webdriver.common.keys import Keys

from djintegrate.dojo import models as dojo
from djintegrate.dojo.page.page import Dojo
from djintegrate.dojo.widgets import StoreSelect
from djintegrate.storm_backend.references.forms import StormModelChoiceField
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.dojo import site
from tests.dojo.rows_site import Invitation, PersonField
from tests.dojo.test_browser import dijit, find, made, refused, sent, submit, type_into
from tests.dojo.test_csp import NASTY, assert_nothing_ran, menu
from tests.dojo.test_csp import policy as policy
from tests.support.browser import complaints, without_javascript
from tests.support.helpers import wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _urls(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.dojo.rows_site"


@pytest.fixture
def people() -> list[Person]:
    """Person 000 to Person 099."""
    Person.objects.bulk_create(Person(name=f"Person {number:03}") for number in range(100))
    return list(Person.objects.order_by("name"))


def form_with(field: forms.Field, *args: Any, **options: Any) -> forms.Form:
    return type("Form", (forms.Form,), {"person": field})(*args, **options)


def labels(form: forms.Form) -> list[str]:
    return [text.strip() for text in re.findall(r"<option[^>]*>([^<]*)</option>", str(form["person"]))]


def selects(captured: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in captured if query["sql"].startswith("SELECT")]


class TestTheHtml:
    def test_it_has_the_first_rows_and_says_that_there_are_more(self, people: list[Person]) -> None:
        field = PersonField(widget=StoreSelect("people", plain_rows=3))
        empty, *listed = labels(form_with(field))
        assert empty == field.empty_label
        assert listed == ["Person 000", "Person 001", "Person 002", "Only the first are listed here."]
        assert '<option value="" disabled>Only' in str(form_with(field)["person"])

    def test_all_of_a_few_rows_are_listed_without_a_note(self) -> None:
        for number in range(3):
            Person.objects.create(name=f"{number}")
        for chosen in (None, Person.objects.last()):
            field = PersonField(widget=StoreSelect("people", plain_rows=3))
            empty, *listed = labels(form_with(field, initial={"person": chosen}))
            assert empty == field.empty_label
            assert sorted(listed) == ["0", "1", "2"]

    def test_what_is_chosen_is_listed_once_and_selected(self, people: list[Person]) -> None:
        for chosen, others in ((people[90], people[:2]), (people[1], [people[0], people[2]])):
            field = PersonField(widget=StoreSelect("people", plain_rows=2))
            for form in (form_with(field, {"person": str(chosen.pk)}), form_with(field, initial={"person": chosen})):
                assert labels(form)[1:-1] == [chosen.name, *(other.name for other in others)]
                assert re.findall(r'value="(\d*)" selected', str(form["person"])) == [str(chosen.pk)]

    @pytest.mark.parametrize("value", ["x", "0", "9" * 30, "\x00"])
    def test_a_value_that_is_no_row_is_refused_and_not_shown(self, people: list[Person], value: str) -> None:
        for key in (None, "name"):
            form = form_with(PersonField(to_field_name=key), {"person": value})
            assert len(form.errors["person"]) == 1
            assert "selected" not in str(form["person"])

    def test_only_so_many_rows_are_read_to_render_and_one_to_validate(self, people: list[Person]) -> None:
        form = form_with(PersonField(empty_label=None), {"person": people[50].pk})
        with CaptureQueriesContext(connection) as captured:
            assert form.is_valid()
        assert len(selects(captured)) == 1
        with CaptureQueriesContext(connection) as captured:
            str(form["person"])
        [chosen, first] = selects(captured)
        assert " IN (" in chosen and "LIMIT 27" in first

    def test_the_field_may_have_another_key(self, people: list[Person]) -> None:
        form = form_with(PersonField(to_field_name="name"), {"person": "Person 077"})
        assert form.is_valid() and form.cleaned_data["person"] == people[77]
        assert '<option value="Person 077" selected>Person 077</option>' in str(form["person"])
        [(_, found)] = dojo.dijits(form)
        assert found.attrs["idProperty"] == "name"

    def test_without_plain_rows_the_key_is_typed(self, people: list[Person]) -> None:
        field = PersonField(widget=StoreSelect("people", plain_rows=0))
        html = str(form_with(field, initial={"person": people[7]})["person"])
        assert html == (
            f'<input type="text" name="person" value="{people[7].pk}" required id="id_person" data-label="Person 007">'
        )
        assert "data-label" not in str(form_with(field)["person"])
        form = form_with(field, {"person": str(people[8].pk)})
        assert form.is_valid() and form.cleaned_data["person"] == people[8]

    def test_labels_are_texts(self) -> None:
        Person.objects.create(name="<b>&\"'</b>")
        for rows in (0, 5):
            form = form_with(
                PersonField(widget=StoreSelect("people", plain_rows=rows)), {"person": Person.objects.get().pk}
            )
            assert "&lt;b&gt;&amp;&quot;&#x27;&lt;/b&gt;" in str(form["person"])

    def test_required_is_in_the_html_where_the_browser_can_use_it(self) -> None:
        assert " required" in str(form_with(PersonField())["person"])
        assert " required" not in str(form_with(PersonField(empty_label=None))["person"])
        assert " required" not in str(form_with(PersonField(required=False))["person"])

    def test_storms_objects_are_chosen_by_their_key(self, people: list[Person]) -> None:
        class Field(StormModelChoiceField):
            def label_from_instance(self, obj: Any) -> str:
                return str(obj.name)

        form = form_with(Field(StormPerson, widget=StoreSelect("people")), {"person": str(people[5].pk)})
        assert form.is_valid() and form.cleaned_data["person"].name == "Person 005"
        with CaptureQueriesContext(connection) as captured:
            assert 'data-label="Person 005"' in str(form["person"])
        assert len(selects(captured)) == 1


class TestTheDijit:
    def test_it_is_made_by_the_widget_alone(self) -> None:
        request: Any = RequestFactory().get("/")
        page = Dojo(request)
        page.dojo_form(Invitation())
        [field] = page._steps[0]["fields"]  # type: ignore[index]
        assert (field["id"], field["dijit"]) == ("id_person", "djintegrate/StoreSelect")
        assert {name: str(value) for name, value in field["attrs"].items()} == {
            "storeUrl": "/people/",
            "idProperty": "id",
            "searchAttr": "label",
            "pageSize": "25",
            "queryExpr": "${0}*",
            "required": "True",
            "disabled": "False",
            "missingMessage": "This field is required.",
            "invalidMessage": "Select a valid choice. That choice is not one of the available choices.",
        }

    def test_dojo_field_goes_over_the_widget(self) -> None:
        form = form_with(PersonField(widget=StoreSelect("people", dojo_attrs={"searchDelay": 5, "maxHeight": 9})))
        dojo.dojo_field(form["person"], "dijit.form.FilteringSelect", dojo_attrs={"searchDelay": 50})
        [(_, found)] = dojo.dijits(form)
        assert found.module == "djintegrate/StoreSelect"
        assert (found.attrs["searchDelay"], found.attrs["maxHeight"]) == (50, 9)
        dojo.dojo_field(form["person"], "shop.PersonSelect")
        [(_, found)] = dojo.dijits(form)
        assert (found.module, str(found.attrs["storeUrl"])) == ("shop/PersonSelect", "/people/")

    def test_the_address_may_be_a_name_or_lazy_or_an_address(self) -> None:
        for url in ("people", "/people/", reverse_lazy("people")):
            assert str(StoreSelect(url).url) == "/people/"

    def test_a_form_whose_dijits_are_chosen_by_themselves_has_it_too(self) -> None:
        request: Any = RequestFactory().get("/")
        pages = []
        for options in ({}, {"auto": True}):
            page = Dojo(request)
            page.dojo_form(Invitation(), **options)
            fields = page._steps[0]["fields"]  # type: ignore[index]
            pages.append({field["id"]: field for field in fields})
        assert pages[0].keys() == {"id_person"} and "id_title" in pages[1]
        assert {page["id_person"]["dijit"] for page in pages} == {"djintegrate/StoreSelect"}
        assert {str(page["id_person"]["attrs"]["storeUrl"]) for page in pages} == {"/people/"}

    def test_a_build_needs_no_address(self) -> None:
        form = form_with(PersonField(widget=StoreSelect("nowhere")))
        [(_, found)] = dojo.dijits(form)
        assert found.module == "djintegrate/StoreSelect"

    def test_wrong_use_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"query_expr is 'abc'. Say with \$\{0\} where the typed text goes"):
            StoreSelect("people", query_expr="abc")
        with pytest.raises(ValueError, match="page_size is 0"):
            StoreSelect("people", page_size=0)
        several = forms.ModelMultipleChoiceField(Person.objects.all(), widget=StoreSelect("people"))
        for field in (several, forms.ChoiceField(choices=[("a", "A")], widget=StoreSelect("people"))):
            with pytest.raises(TypeError, match=r"StoreSelect\('people'\) .* no ModelChoiceField"):
                str(form_with(field)["person"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("built")
class TestInTheBrowser:
    @pytest.fixture
    def server(self, server: str, settings: Any) -> str:
        settings.ROOT_URLCONF = "tests.dojo.rows_site"
        return server

    def requests(self, browser: Any) -> list[str]:
        return browser.execute_script(
            "return performance.getEntriesByType('resource').map(e => e.name).filter(n => n.includes('/people/'))"
        )

    def test_a_prefix_is_typed_one_is_picked_and_arrives(self, show: Any, people: list[Person]) -> None:
        browser = show(Invitation)
        assert made(browser) == {"id_person": "djintegrate.StoreSelect"}
        assert self.requests(browser) == []
        type_into(browser, "id_person", "person 04")
        # A page of ten is also what "person 0" found: the names say whose answer it is, not their number.
        wait_until(lambda: menu(browser)[1:-1] == [f"Person 04{number}" for number in range(10)])
        browser.find_element("css selector", "#id_person_popup7").click()
        assert find(browser, "id_person").get_attribute("value") == "Person 047"
        [form] = sent(browser)
        assert form.cleaned_data["person"] == people[47]
        assert complaints(browser) == []

    def test_the_menu_pages_forth_and_back_by_the_rows_there_are(self, show: Any, people: list[Person]) -> None:
        browser = show(lambda *data: form_with(PersonField(widget=StoreSelect("people", page_size=40)), *data))
        browser.find_element("css selector", "#widget_id_person .dijitArrowButton").click()

        def shown() -> list[str]:
            return browser.execute_script(
                "return Array.from(document.querySelectorAll('#id_person_popup .dijitMenuItem'))"
                ".filter(item => item.offsetHeight).map(item => item.textContent.trim())"
            )

        for first, last, ways in ((0, 39, ["More choices"]), (40, 79, ["Previous choices", "More choices"]),
                                  (80, 99, ["Previous choices"])):  # fmt: skip
            if first:
                browser.find_element("id", "id_person_popup_next").click()
            wait_until(lambda: f"Person {first:03}" in shown())  # noqa: B023
            texts = shown()
            assert [text for text in texts if text.startswith("Person")] == [
                f"Person {number:03}" for number in range(first, last + 1)
            ]
            assert [text for text in texts if not text.startswith("Person")] == ways
        browser.find_element("id", "id_person_popup_prev").click()
        wait_until(lambda: "Person 040" in shown())

    def test_what_was_chosen_is_shown_and_sent_without_a_request(self, show: Any, people: list[Person]) -> None:
        for rows in (25, 0):
            browser = show(
                lambda *data: form_with(
                    PersonField(widget=StoreSelect("people", plain_rows=rows)),  # noqa: B023
                    *data,
                    initial={"person": people[60]},
                )
            )
            assert dijit(browser, "id_person", "displayedValue") == "Person 060"
            type_into(browser, "id_person", "x\t")
            browser.execute_script("document.getElementById('the-form').reset()")
            wait_until(lambda: dijit(browser, "id_person", "displayedValue") == "Person 060")  # noqa: B023
            [form] = sent(browser)
            assert form.cleaned_data["person"] == people[60]
            site.submitted.clear()

    def test_what_is_no_row_is_not_sent(self, show: Any, people: list[Person]) -> None:
        browser = show(Invitation)
        type_into(browser, "id_person", "Nobody\t")
        wait_until(lambda: dijit(browser, "id_person", "state") == "Error")
        submit(browser)
        assert site.submitted == []

    def test_a_label_typed_in_full_needs_no_menu(self, show: Any, people: list[Person]) -> None:
        browser = show(Invitation)
        type_into(browser, "id_person", "Person 081\t")
        wait_until(lambda: dijit(browser, "id_person", "value") == str(people[81].pk))
        [form] = sent(browser)
        assert form.cleaned_data["person"] == people[81]

    def test_while_a_label_is_looked_up_the_row_before_is_not_sent(self, show: Any, people: list[Person]) -> None:
        browser = show(
            lambda *data: form_with(PersonField(), *data, initial={"person": people[60]}),
            lambda page, form: page.dojo_form(form, auto=True),
        )
        browser.execute_script("require('dijit/registry').byId('id_person').store.query = () => new Promise(() => {})")
        type_into(browser, "id_person", Keys.CONTROL + "a")
        type_into(browser, "id_person", "Person 081\t")
        assert refused(browser)

    @pytest.mark.parametrize("script", ["answer([]); form.reset()", "form.reset(); answer([])"])
    def test_an_answer_that_comes_with_a_reset_does_not_undo_it(
        self, show: Any, people: list[Person], script: str
    ) -> None:
        browser = show(lambda *data: form_with(PersonField(), *data, initial={"person": people[60]}))
        browser.execute_script(
            "const { store } = require('dijit/registry').byId('id_person');"
            "store.query = () => ({ then: then => { window.answer = then; } });"
            "window.form = document.getElementById('the-form')"
        )
        type_into(browser, "id_person", "x\t")
        wait_until(lambda: browser.execute_script("return !!window.answer"))
        browser.execute_script(script)
        wait_until(lambda: dijit(browser, "id_person", "displayedValue") == "Person 060")
        [form] = sent(browser)
        assert form.cleaned_data["person"] == people[60]

    def test_labels_stay_texts_under_a_strict_policy(self, show: Any, policy: None) -> None:
        nasty = NASTY[:100].strip()  # a menu's texts are shown without
        Person.objects.create(name=nasty)
        browser = show(Invitation, template=site.TEMPLATE.replace(' enctype="multipart/form-data"', ""))
        type_into(browser, "id_person", "</scr")
        wait_until(lambda: menu(browser, "#id_person_popup ")[1:-1] == [nasty])
        browser.find_element("css selector", "#id_person_popup0").click()
        [form] = sent(browser)
        assert form.cleaned_data["person"].name == nasty
        assert_nothing_ran(browser)
        assert [said for said in complaints(browser) if "Content Security Policy" in said] == []

    def test_without_javascript_it_is_a_select_of_the_first(
        self, show: Any, browser: Any, people: list[Person]
    ) -> None:
        with without_javascript(browser):
            show(Invitation, state="")
            browser.find_element("css selector", "#id_person option:nth-child(3)").click()
            [form] = sent(browser)
        assert form.cleaned_data["person"] == people[1]
