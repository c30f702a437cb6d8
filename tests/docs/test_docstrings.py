"""The reference that Sphinx makes of the docstrings lists what the apps export, and nothing that says nothing."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from typing import Any

import pytest

from tests.support.doc_pages import ROOT

PAGE = (ROOT / "docs/reference/docstrings.md").read_text()
WITHOUT_DOCSTRING = {"task": "Django's own", "jsonrpc_site": "an object"}
"""Names that the page says something of in its text."""
EXPORTING = [
    *("acl", "files", "jobs", "jsonrpc", "storm_backend", "storm_backend.mapping", "storm_backend.references"),
]


def listed() -> list[tuple[str, str]]:
    """Each module and a name of it."""
    found, module = [], ""
    for directive, argument in re.findall(r"^\.\. (\w+):: (\S+)", PAGE, re.MULTILINE):
        if directive == "currentmodule":
            module = argument
        elif directive != "automodule":
            found.append((module, argument))
    return found


@pytest.mark.parametrize(("module", "name"), listed())
def test_what_is_listed_is_there_and_says_what_it_is_for(module: str, name: str) -> None:
    value: Any = getattr(import_module(module), name)
    own = value.__doc__ or getattr(value, "__init__", value).__doc__
    if inspect.isclass(value):
        own = vars(value).get("__doc__") or vars(value).get("__init__", value).__doc__
    assert own and own.strip()


@pytest.mark.parametrize("module", EXPORTING)
def test_what_a_module_exports_is_listed(module: str) -> None:
    exported = set(import_module(f"djintegrate.{module}").__all__)
    names = {name for place, name in listed() if place == f"djintegrate.{module}"}
    assert exported - names == {name for name in exported if name in WITHOUT_DOCSTRING}
    assert all(f"\n`{name}` is" in PAGE for name in exported if name in WITHOUT_DOCSTRING)
