"""Python's regular expressions in a browser: the same answer, or none."""

from __future__ import annotations

import re
import sys
import unicodedata
from typing import Any

import pytest

from djintegrate.dojo.fields import patterns
from djintegrate.dojo.fields.patterns import to_javascript
from tests.dojo.pattern_table import KEPT, LEFT, Row

# Python says so of "--" and "&&" in a set, which may come to mean something one day.
pytestmark = pytest.mark.filterwarnings("ignore:Possible set:FutureWarning")

ASK = """
const compiled = {};
return arguments[0].map(([source, text]) => {
    compiled[source] = compiled[source] || new RegExp(source, "u");
    return compiled[source].test(text);
});
"""


def found(row: Row, text: str) -> bool:
    return re.compile(row.pattern, row.flags).search(text) is not None


def test_both_engines_say_the_same_of_every_pattern_and_text(browser: Any) -> None:
    triples = [(row, text) for row in KEPT for text in row.texts]
    assert len(triples) >= 200
    browser.get("data:text/html,<title>patterns</title>")
    answers = browser.execute_script(ASK, [(to_javascript(row.pattern, row.flags), text) for row, text in triples])
    assert [
        (row.name, text, to_javascript(row.pattern, row.flags))
        for (row, text), answer in zip(triples, answers, strict=True)
        if answer is not found(row, text)
    ] == []


@pytest.mark.parametrize("row", [*KEPT, *LEFT], ids=lambda row: row.name)
def test_a_row_of_the_table_has_texts_with_and_without_a_match(row: Row) -> None:
    assert {found(row, text) for text in row.texts} == {True, False}


@pytest.mark.parametrize("row", LEFT, ids=lambda row: row.name)
def test_what_javascript_cannot_say_is_left_to_the_server(row: Row) -> None:
    assert to_javascript(row.pattern, row.flags) is None


def test_plain_patterns_stay_readable() -> None:
    assert to_javascript(r"\A[a-z0-9-]+\Z") == r"^[a-z0-9\-]+$"
    assert to_javascript(r"(?P<year>\d{4})/", re.ASCII) == r"(\d{4})/"


def test_flags_may_be_those_of_a_compiled_pattern() -> None:
    compiled = re.compile("(?i)a")
    assert to_javascript(compiled.pattern, compiled.flags) == "[aA]"


def test_a_flag_that_only_prints_is_ignored(capsys: pytest.CaptureFixture[str]) -> None:
    assert to_javascript("a", re.DEBUG) == "a"
    assert capsys.readouterr().out == ""


def test_no_regular_expression_is_an_error_as_in_python() -> None:
    with pytest.raises(re.error, match="unterminated"):
        to_javascript("(")


@pytest.mark.skipif(sys.version_info >= (3, 11), reason="Python 3.11 knows them.")
@pytest.mark.parametrize("pattern", ["(?>a)b", "a*+"])
def test_newer_syntax_is_an_error_where_python_does_not_have_it(pattern: str) -> None:
    with pytest.raises(re.error):
        to_javascript(pattern)


@pytest.mark.parametrize(("pattern", "categories"), [(r"\w", "LN"), (r"\d", ("Nd",))])
def test_classes_are_unicodes_categories(pattern: str, categories: Any) -> None:
    """What the translation builds on: these are the categories that it names to the browser."""
    member = re.compile(pattern).match
    for code in range(sys.maxunicode + 1):
        category = unicodedata.category(chr(code))
        expected = category in categories or category[0] in categories or (pattern == r"\w" and code == ord("_"))
        assert bool(member(chr(code))) is expected, hex(code)


def test_no_character_beyond_the_second_plane_has_a_case() -> None:
    assert [code for code in range(0x20000, sys.maxunicode + 1) if chr(code).swapcase() != chr(code)] == []
    assert {"k", "K", "\u212a", "\u017f", "ß", "ẞ", "ǅ"} <= set(patterns._with_case())


def in_browser(show: Any, expression: str, *arguments: Any) -> Any:
    return show([]).execute_async_script(
        "const [a, b, c] = arguments, done = arguments[arguments.length - 1];"
        f"require(['djintegrate/patterns'], patterns => done({expression}));",
        *arguments,
    )


@pytest.mark.usefixtures("built")
def test_what_a_browser_cannot_compile_is_as_if_it_were_right(show: Any) -> None:
    """The server decides. A pattern that is to be found is, and one that must not be found is not."""
    expression = "[patterns.matches(a, 'x', false), patterns.matches(a, 'x', true), patterns.matches(b, 'x', true)]"
    assert in_browser(show, expression, "(?<=", to_javascript("x")) == [True, False, True]


@pytest.mark.usefixtures("built")
def test_texts_are_stripped_as_python_does_it(show: Any) -> None:
    texts = [f"{character}a b{character}" for character in map(chr, range(0x3100)) if not character.isalnum()]
    assert in_browser(show, "a.map(patterns.strip)", texts) == [text.strip() for text in texts]
