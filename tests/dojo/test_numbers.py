"""Numbers: what is typed is what Django would read of the plain page, and nothing is lost or changed unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import pytest
from django import forms
from selenium.webdriver.common.keys import Keys

from tests.dojo import site
from tests.dojo.test_browser import dijit, find, refused, sent, type_into

pytestmark = pytest.mark.usefixtures("built")

GROUPED = {"1.234,5": "1234.5", "1.234": "1234", "1.5": "1.5", "1.2345": "1.2345"}
NO_NUMBERS = ["12abc", "1..2", "1 2", "x1", "9" * 400]
UNCHECKED = site.TEMPLATE.replace("<button", "<button formnovalidate")


class Numbers(forms.Form):
    """A name for each kind of field."""

    local = forms.DecimalField(localize=True, required=False)
    price = forms.DecimalField(required=False)
    ratio = forms.FloatField(required=False)
    whole = forms.IntegerField(required=False)


def by_itself(page: Any, *all_forms: Any) -> None:
    for form in all_forms:
        page.dojo_form(form, auto=True)


def leave(browser: Any, name: str, text: str) -> None:
    type_into(browser, name, text + Keys.TAB)


def one_for_each(texts: Iterable[str]) -> list[Callable[..., forms.Form]]:
    """Forms for one page. The names of their fields begin with a0, a1 and so on."""
    return [lambda *data, name=f"a{at}": Numbers(*data, prefix=name) for at, _ in enumerate(texts)]


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("de", {"1.234": ("1,234", "1.234"), "1.5": ("1,5", "1.5"), "1234,5": ("1234,5", "1234.5")}),
        ("en", {"1234.5": ("1234.5", "1234.5")}),
        ("fr", {"1234,5": ("1234,5", "1234.5")}),
    ],
)
def test_a_localized_field_reads_as_django_does(
    show: Any, settings: Any, language: str, texts: dict[str, tuple[str, str]]
) -> None:
    settings.LANGUAGE_CODE = language
    cleaned = {typed: Decimal(number) for typed, (_, number) in texts.items()}
    assert {typed: Numbers.base_fields["local"].clean(typed) for typed in texts} == cleaned
    browser = show(one_for_each(texts), by_itself)
    for at, (typed, (shown, _)) in enumerate(texts.items()):
        leave(browser, f"id_a{at}-local", typed)
        assert dijit(browser, f"id_a{at}-local", "displayedValue") == shown
    assert {typed: form.cleaned_data["local"] for typed, form in zip(texts, sent(browser), strict=True)} == cleaned


@pytest.mark.parametrize(("language", "texts"), [("de", ["1.234,5", "1.234.567"]), ("en", ["1,234.5"])])
def test_groups_are_refused_where_django_refuses_them(
    show: Any, settings: Any, language: str, texts: list[str]
) -> None:
    settings.LANGUAGE_CODE = language
    browser = show(Numbers, by_itself)
    for typed in texts:
        find(browser, "id_local").clear()
        leave(browser, "id_local", typed)
        assert refused(browser), typed


def test_with_a_thousand_separator_django_reads_groups(show: Any, settings: Any) -> None:
    settings.LANGUAGE_CODE, settings.USE_THOUSAND_SEPARATOR = "de", True
    cleaned = {typed: Decimal(number) for typed, number in GROUPED.items()}
    assert {typed: Numbers.base_fields["local"].clean(typed) for typed in GROUPED} == cleaned
    browser = show(one_for_each(GROUPED), by_itself)
    for at, typed in enumerate(GROUPED):
        leave(browser, f"id_a{at}-local", typed)
    assert {typed: form.cleaned_data["local"] for typed, form in zip(GROUPED, sent(browser), strict=True)} == cleaned


@pytest.mark.parametrize("grouping", [False, True])
def test_a_dot_does_not_make_a_number_a_thousand_times_as_large(show: Any, settings: Any, grouping: bool) -> None:
    settings.LANGUAGE_CODE, settings.USE_THOUSAND_SEPARATOR = "de", grouping
    browser = show(Numbers, by_itself)
    for name, text, shown in (("price", "1.234", "1,234"), ("ratio", "1.000", "1,000"), ("whole", "1234", "1234")):
        leave(browser, f"id_{name}", text)
        assert dijit(browser, f"id_{name}", "displayedValue") == shown
    [form] = sent(browser)
    assert form.cleaned_data == {"local": None, "price": Decimal("1.234"), "ratio": 1.0, "whole": 1234}


def test_what_is_no_number_arrives_unchecked_as_it_was_typed(show: Any) -> None:
    names = ("price", "ratio", "whole")
    browser = show(one_for_each(NO_NUMBERS), by_itself, template=UNCHECKED)
    for at, text in enumerate(NO_NUMBERS):
        for name in names:
            type_into(browser, f"id_a{at}-{name}", text[:10])
            # As from the clipboard: four hundred keys take four seconds.
            browser.execute_cdp_cmd("Input.insertText", {"text": text[10:]})
    arrived = sent(browser)
    found = {(text, name): form.data[form.add_prefix(name)]
             for text, form in zip(NO_NUMBERS, arrived, strict=True) for name in names}  # fmt: skip
    assert found == {(text, name): text for text in NO_NUMBERS for name in names}
    assert [text for text, form in zip(NO_NUMBERS, arrived, strict=True) if "ratio" not in form.errors] == []


def test_the_control_is_again_what_it_was_once_the_number_can_be_read(show: Any) -> None:
    browser = show(Numbers, by_itself)
    kind = "const node = document.getElementById('id_whole'); return [node.type, node.value]"
    type_into(browser, "id_whole", "1x")
    assert browser.execute_script(kind) == ["text", "1x"]
    type_into(browser, "id_whole", Keys.BACKSPACE + "2")
    assert browser.execute_script(kind) == ["number", "12"]
