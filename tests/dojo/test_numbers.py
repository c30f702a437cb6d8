"""Numbers: what is typed is what Django would read of the plain page, and nothing is lost or changed unseen."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django import forms
from selenium.webdriver.common.keys import Keys

from tests.dojo import site
from tests.dojo.test_browser import dijit, refused, sent, type_into

pytestmark = pytest.mark.usefixtures("built")

UNCHECKED = site.TEMPLATE.replace("<button", "<button formnovalidate")


class Numbers(forms.Form):
    """A name for each kind of field."""

    local = forms.DecimalField(localize=True, required=False)
    price = forms.DecimalField(required=False)
    ratio = forms.FloatField(required=False)
    whole = forms.IntegerField(required=False)


def by_itself(page: Any, form: Any) -> None:
    page.dojo_form(form, auto=True)


def leave(browser: Any, name: str, text: str) -> None:
    type_into(browser, name, text + Keys.TAB)


@pytest.mark.parametrize(
    ("language", "typed", "shown", "cleaned"),
    [
        ("de", "1.234", "1,234", Decimal("1.234")),
        ("de", "1.5", "1,5", Decimal("1.5")),
        ("de", "1234,5", "1234,5", Decimal("1234.5")),
        ("en", "1234.5", "1234.5", Decimal("1234.5")),
        ("fr", "1234,5", "1234,5", Decimal("1234.5")),
    ],
)
def test_a_localized_field_reads_as_django_does(
    show: Any, settings: Any, language: str, typed: str, shown: str, cleaned: Decimal
) -> None:
    settings.LANGUAGE_CODE = language
    assert Numbers.base_fields["local"].clean(typed) == cleaned
    browser = show(Numbers, by_itself)
    leave(browser, "id_local", typed)
    assert dijit(browser, "id_local", "displayedValue") == shown
    [form] = sent(browser)
    assert form.cleaned_data["local"] == cleaned


@pytest.mark.parametrize(("language", "typed"), [("de", "1.234,5"), ("en", "1,234.5"), ("de", "1.234.567")])
def test_groups_are_refused_where_django_refuses_them(show: Any, settings: Any, language: str, typed: str) -> None:
    settings.LANGUAGE_CODE = language
    browser = show(Numbers, by_itself)
    leave(browser, "id_local", typed)
    assert refused(browser)


@pytest.mark.parametrize(
    ("typed", "cleaned"), [("1.234,5", "1234.5"), ("1.234", "1234"), ("1.5", "1.5"), ("1.2345", "1.2345")]
)
def test_with_a_thousand_separator_django_reads_groups(show: Any, settings: Any, typed: str, cleaned: str) -> None:
    settings.LANGUAGE_CODE, settings.USE_THOUSAND_SEPARATOR = "de", True
    assert Numbers.base_fields["local"].clean(typed) == Decimal(cleaned)
    browser = show(Numbers, by_itself)
    leave(browser, "id_local", typed)
    [form] = sent(browser)
    assert form.cleaned_data["local"] == Decimal(cleaned)


@pytest.mark.parametrize("grouping", [False, True])
def test_a_dot_does_not_make_a_number_a_thousand_times_as_large(show: Any, settings: Any, grouping: bool) -> None:
    settings.LANGUAGE_CODE, settings.USE_THOUSAND_SEPARATOR = "de", grouping
    browser = show(Numbers, by_itself)
    for name, text, shown in (("price", "1.234", "1,234"), ("ratio", "1.000", "1,000"), ("whole", "1234", "1234")):
        leave(browser, f"id_{name}", text)
        assert dijit(browser, f"id_{name}", "displayedValue") == shown
    [form] = sent(browser)
    assert form.cleaned_data == {"local": None, "price": Decimal("1.234"), "ratio": 1.0, "whole": 1234}


@pytest.mark.parametrize("text", ["12abc", "1..2", "1 2", "x1", "9" * 400])
def test_what_is_no_number_arrives_unchecked_as_it_was_typed(show: Any, text: str) -> None:
    browser = show(Numbers, by_itself, template=UNCHECKED)
    for name in ("price", "ratio", "whole"):
        type_into(browser, f"id_{name}", text)
    [form] = sent(browser)
    assert {form.data[name] for name in ("price", "ratio", "whole")} == {text}
    assert "ratio" in form.errors


def test_the_control_is_again_what_it_was_once_the_number_can_be_read(show: Any) -> None:
    browser = show(Numbers, by_itself)
    kind = "const node = document.getElementById('id_whole'); return [node.type, node.value]"
    type_into(browser, "id_whole", "1x")
    assert browser.execute_script(kind) == ["text", "1x"]
    type_into(browser, "id_whole", Keys.BACKSPACE + "2")
    assert browser.execute_script(kind) == ["number", "12"]
