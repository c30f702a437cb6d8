"""What can be a module, a theme, a form function or a function's source; and what is said of what cannot."""

from __future__ import annotations

from typing import Any

import pytest

from djintegrate.dojo.page.page import names


@pytest.mark.parametrize("name", ["dijit.form.TextBox", "dijit/form/TextBox"])
def test_dotted_and_amd_names_are_one(name: str) -> None:
    assert names.module(name) == "dijit/form/TextBox"


def test_a_file_name_with_a_dot_is_an_amd_name() -> None:
    assert names.module("lib/jquery-3.min") == "lib/jquery-3.min"


@pytest.mark.parametrize(
    "name",
    ["", " ", "dijit.", ".dijit", "/dijit", "dijit//form", "../etc", "a/../b", "a b", "dojo/text!x", "é.b", "x\n",
     "</a>", "http://a/b", None, 5, b"dijit"],
)  # fmt: skip
def test_what_is_no_module_is_refused_with_an_example(name: Any) -> None:
    with pytest.raises(ValueError, match=r"is not the name of a module.*dijit\.Dialog") as error:
        names.module(name)
    assert repr(name) in str(error.value)


@pytest.mark.parametrize("theme", names.THEMES)
def test_the_four_themes_are_known(theme: str) -> None:
    assert names.theme(theme) == theme


@pytest.mark.parametrize("theme", ["Claro", "", None, 5, "claro/../x"])
def test_an_unknown_theme_is_refused_with_those_there_are(theme: Any) -> None:
    with pytest.raises(ValueError, match=r"is not a theme\. Use one of 'tundra', 'soria', 'nihilo', 'claro'"):
        names.theme(theme)


def test_a_form_function_is_a_module_and_a_name() -> None:
    assert names.form_function(("app.forms", "dijitize")) == ("app/forms", "dijitize")
    assert names.form_function(["app/forms", "dijitize"]) == ("app/forms", "dijitize")
    assert names.form_function(None) is None


@pytest.mark.parametrize(
    "value",
    ["app.forms.dijitize", ("app.forms",), ("app.forms", "a", "b"), ("app forms", "a"), ("app.forms", "a.b"),
     ("app.forms", ""), ("app.forms", None), (None, "a"), 5, {}, lambda form: None],
)  # fmt: skip
def test_another_shape_of_form_function_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="form_function cannot be ") as error:
        names.form_function(value)
    assert 'Make it a module and a function in it, ("app.forms", "dijitize"), or None.' in str(error.value)


@pytest.mark.parametrize(
    "source",
    ["function() { alert(1); }", " function named(){}", "async function () {}", "() => 1", "(a, b) => a", "a => a",
     "async () => 1"],
)  # fmt: skip
def test_functions_are_taken_in_each_of_javascripts_ways(source: str) -> None:
    assert names.function(source) == source.strip()


@pytest.mark.parametrize("source", ["alert(1)", "", None, "functional()", "return 1", "{}", lambda: None])
def test_what_is_no_function_is_refused(source: Any) -> None:
    with pytest.raises(ValueError, match=r'is not a JavaScript function. Write one out: "function\(\) { … }"'):
        names.function(source)
