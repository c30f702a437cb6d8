"""The documentation does what it says: its examples run, and its reference names what the code has.

A page that holds MARK has its `python` blocks run in order, in one namespace, against the database under test. There,
`line  # → value` states what a line gives, and a `text` block right below a `python` block is the error it ends with.
tests/docs/test_docs_blocks.py has the other pages.
"""

from __future__ import annotations

import re
import unittest
from pathlib import Path
from typing import Any

import pytest
import transaction
from django.test import TestCase

import djintegrate.storm_backend
from djintegrate.storm_backend import checks, conf, get_store, references
from djintegrate.storm_backend.conf import uris
from tests.support.doc_pages import DOCS, RUNNABLE, Block, blocks, name

SETTINGS = (DOCS / "reference" / "settings.md").read_text()


@pytest.mark.django_db(transaction=True, databases=["default", "second"])
@pytest.mark.parametrize("page", RUNNABLE, ids=name)
def test_examples_do_what_the_page_says(page: Path) -> None:
    namespace: dict[str, Any] = {"__name__": "example", "_check": check}
    every = list(blocks(page))
    try:
        for block, after in zip(every, [*every[1:], None], strict=True):
            if block.language == "python":
                is_error = after is not None and after.language == "text" and after.follows
                run(page, block, namespace, after.text if is_error and after else None)
    finally:
        transaction.abort()
        get_store("plain").execute("DROP TABLE IF EXISTS people_visit")
        transaction.commit()


def run(page: Path, block: Block, namespace: dict[str, Any], error: str | None) -> None:
    source = re.sub(r"^( *)(.+?)  # → (.+)$", r"\1_check(\2, \3)", block.text, flags=re.MULTILINE)
    code = compile("\n" * block.line + source, str(page), "exec")
    if error is None:
        exec(code, namespace)
    else:
        with pytest.raises(BaseException) as caught:
            exec(code, namespace)
        expected = ".*".join(map(re.escape, " ".join(error.split()).split("…")))
        assert re.fullmatch(expected, " ".join(f"{caught.typename}: {caught.value}".split()))
    for test_case in [value for value in namespace.values() if is_test_case(value)]:
        del namespace[test_case.__name__]
        tests = unittest.defaultTestLoader.loadTestsFromTestCase(test_case)
        result = tests.run(unittest.TestResult())
        assert result.testsRun and result.wasSuccessful(), [*result.errors, *result.failures]


def check(value: object, expected: object) -> None:
    assert value == expected


def is_test_case(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, TestCase) and value is not TestCase


def test_every_check_is_documented() -> None:
    identifiers = re.compile(r"storm_backend\.[EW]\d{3}")
    sources = [path.read_text() for path in Path(checks.__file__).parent.rglob("*.py")]
    assert set(identifiers.findall(SETTINGS)) == set(identifiers.findall("".join(sources)))


def test_every_key_and_option_of_a_store_is_documented() -> None:
    documented = set(re.findall(r"^\| `(\w+)` \|", SETTINGS, re.MULTILINE))
    assert documented >= {*conf.REQUIRED_KEYS, *conf.FURTHER_KEYS, *uris.SQLITE_OPTIONS, "isolation"}
    assert all(f"`{level}`" in SETTINGS for level in uris.ISOLATION_LEVELS)


def test_the_public_names_are_documented() -> None:
    api = (DOCS / "reference" / "api.md").read_text()
    public = [*djintegrate.storm_backend.__all__, *references.__all__]
    assert [each for each in public if f"`{each}(" not in api] == []
