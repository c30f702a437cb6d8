"""A user's project under mypy with django-stubs, and under pyright: no error where all is well, one where it is not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import type_checkers
from tests.support.type_checkers import PROJECT, Found

WRONG = {"shop/wrong.py": 20, "shop/dojo_wrong.py": 3}
"""The files with mistakes, and how many there are at least."""
MARK = "  # wrong"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="django-stubs wants Python 3.11.")
@pytest.mark.parametrize("checker", [type_checkers.mypy, type_checkers.pyright], ids=["mypy", "pyright"])
def test_a_projects_types_are_known_and_its_mistakes_are_found(checker: Callable[[Path], Found], db_kind: str) -> None:
    if db_kind != "sqlite":
        pytest.skip("What a type checker says depends on no database.")
    found = checker(type_checkers.environment())
    assert {place: said for place, said in found.items() if place[0] not in WRONG} == {}
    for wrong, least in WRONG.items():
        source = (PROJECT / wrong).read_text().splitlines()
        mistakes = {number for number, line in enumerate(source, 1) if line.endswith(MARK)}
        assert len(mistakes) >= least
        assert {line for path, line in found if path == wrong} == mistakes
