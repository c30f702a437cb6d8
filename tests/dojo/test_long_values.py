"""Keys and values that are no numbers to a browser, and JSON: in Dojo's stores, in a StoreSelect and in a grid."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django import forms
from django.http import HttpResponse
from django.template import engines
from django.test import Client

from djintegrate.dojo.grid import Column, Grid
from djintegrate.dojo.rows import formats
from djintegrate.dojo.widgets import StoreSelect
from tests.apps.fields.models import Every
from tests.apps.people.models import Person
from tests.dojo import site
from tests.dojo.grid_site import TEMPLATE
from tests.dojo.test_browser import dijit, sent, type_into
from tests.support.browser import complaints
from tests.support.helpers import MIDDLEWARE, wait_until

KEYS = [-(2**53), -(2**53) - 1]
"""Neighbours, and the same number to a browser. Large ones would have the database count on from there."""
ROWS: list[dict[str, Any]] = [
    {"big_integer": 2**53 + 1, "long_decimal": Decimal("0.1234567890123"), "json": {"x": [1, "ä", None, True]}},
    {"big_integer": -(2**63), "long_decimal": None, "json": [{"<b>": "</b>"}, 2**53 + 1]},
    {"big_integer": 12345, "long_decimal": Decimal("12345.5"), "json": "text", "floating": float("-inf")},
]
COLUMNS = [
    Column("big_integer", format="number"),
    Column("long_decimal", format="number"),
    Column("json"),
    Column("floating", format="number"),
]
SHOWN = [
    ["9.007.199.254.740.993", "0,12345678901230000000", '{"x":[1,"ä",null,true]}', ""],
    ["-9.223.372.036.854.775.808", "", '[{"<b>":"</b>"},"9007199254740993"]', ""],
    ["12.345", "12.345,50000000000000000000", "text", "-Infinity"],
]


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.dojo.values_site"


@pytest.fixture
def german(settings: Any) -> None:
    settings.LANGUAGE_CODE, settings.USE_THOUSAND_SEPARATOR = "de", True


def people() -> None:
    for key, name in zip(KEYS, ("Zbig two", "Zbig three"), strict=True):
        Person.objects.create(pk=key, name=name)


def grid_page(request: Any) -> HttpResponse:
    grid = Grid("every", COLUMNS, page_size=10)
    return HttpResponse(engines["django"].from_string(TEMPLATE).render({"grids": [grid]}, request))


class PersonForm(forms.Form):
    person = forms.ModelChoiceField(Person.objects.all(), widget=StoreSelect("people"))


@pytest.mark.django_db
def test_the_table_of_a_grid_shows_every_digit_and_json(settings: Any, german: None) -> None:
    settings.MIDDLEWARE = [*MIDDLEWARE, "djintegrate.dojo.middleware.DojoMiddleware"]
    for row in ROWS:
        Every.objects.create(**{**row, "floating": None})
    site.page = site.Page(view=grid_page)
    html = Client().get("/page/").content.decode()
    cells = [unescape(text) for text in re.findall(r"<td>([^<]*)", html)]
    assert cells == [text for row in SHOWN for text in [*row[:3], ""]]


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        ({"x": [1, "ä"]}, "", '{"x":[1,"ä"]}'), ([], "date", "[]"), ({}, "number", "{}"), ([True], "", "[true]"),
        ("-Infinity", "number", "-Infinity"), ("NaN", "number", "NaN"), (str(10**25 + 1), "number", str(10**25 + 1)),
    ],
)  # fmt: skip
def test_what_json_has_is_shown_as_json(value: Any, kind: str, shown: str) -> None:
    assert formats.text(value, kind) == shown


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("built")
class TestInTheBrowser:
    @pytest.fixture
    def visit(self, server: str, show: Any, settings: Any) -> Any:
        settings.ROOT_URLCONF = "tests.dojo.values_site"
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, *MIDDLEWARE]
        settings.ALLOWED_HOSTS = ["127.0.0.1"]
        return show

    def test_the_label_of_one_row_chooses_that_row(self, visit: Any) -> None:
        people()
        browser = visit(PersonForm)
        type_into(browser, "id_person", "Zbig three\t")
        wait_until(lambda: dijit(browser, "id_person", "value") == str(KEYS[1]))
        [form] = sent(browser)
        assert form.cleaned_data["person"].name == "Zbig three"

    def test_a_store_changes_and_removes_that_row(self, visit: Any) -> None:
        people()
        run = visit(PersonForm).execute_async_script
        code = """var done = arguments[0];
            require(["dojo/store/JsonRest"], function (JsonRest) {
                var store = new JsonRest({ target: "/people/" });
                store.query({ label: "Zbig three" }).then(function (items) {
                    items[0].name = "Changed";
                    return store.put(items[0]).then(function () { return store.get(items[0].id); });
                }).then(function (item) {
                    return store.remove(store.getIdentity(item)).then(function () { done(item); });
                }).then(null, function (error) { done(String(error)); });
            });"""
        assert run(code) == {"id": str(KEYS[1]), "name": "Changed", "label": "Changed"}
        assert list(Person.objects.values_list("pk", "name")) == [(KEYS[0], "Zbig two")]

    def test_a_browser_puts_back_what_it_read_and_no_column_changes(self, visit: Any) -> None:
        obj = Every.objects.create(
            big_integer=2**53 + 1, json={"n": 2**53 + 1, "float": 5.0}, char=" odd ", floating=5.0, file="a.txt"
        )
        before = Every.objects.values().get()
        code = """var done = arguments[1], key = arguments[0];
            require(["dojo/store/JsonRest"], function (JsonRest) {
                var store = new JsonRest({ target: "/every/" });
                store.get(key).then(function (item) {
                    item.slug = "renamed";
                    return store.put(item);
                }).then(function () { done("put"); }, function (error) { done(error.responseText); });
            });"""
        assert visit(PersonForm).execute_async_script(code, obj.pk) == "put"
        after = Every.objects.values().get()
        assert repr(after) == repr({**before, "slug": "renamed"})

    def test_a_grid_shows_every_digit_and_json_as_its_table_does(self, visit: Any, german: None) -> None:
        for row in ROWS:
            Every.objects.create(**row)
        browser = visit(view=grid_page)
        cells = browser.execute_script(
            "return Array.from(document.querySelectorAll('#grid-dgrid .dgrid-row td'), cell => cell.textContent)"
        )
        assert cells == [text for row in SHOWN for text in row]
        assert complaints(browser) == []
