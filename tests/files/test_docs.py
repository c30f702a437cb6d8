"""The reference of the files app names what the code has."""

from __future__ import annotations

import re
from pathlib import Path

from djintegrate import files
from djintegrate.files import conf
from tests.support.doc_pages import DOCS

PAGE = (DOCS / "reference" / "files.md").read_text()


def test_every_setting_is_documented_with_its_default() -> None:
    documented = dict(re.findall(r"^\| `(FILES_\w+)` \| (.+?) \|", PAGE, re.MULTILINE))
    declared = {
        each.name: "required" if each.name == "FILES_JOURNAL" else f"`{each.default}`" for each in conf.DECLARED
    }
    assert documented == declared


def test_every_check_is_documented() -> None:
    identifiers = re.compile(r"files\.[EW]\d{3}")
    sources = [path.read_text() for path in Path(conf.__file__).parent.rglob("*.py")]
    assert set(identifiers.findall(PAGE)) == set(identifiers.findall("".join(sources)))


def test_the_public_names_are_documented() -> None:
    assert [name for name in files.__all__ if f"`{name}" not in PAGE] == []
