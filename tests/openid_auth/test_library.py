"""The private names of python3-openid that are used: a release that changes one is noticed here."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import djintegrate.openid_auth
from djintegrate.openid_auth.protocol import library

APP = Path(djintegrate.openid_auth.__file__).parent
NAMED = {name for names in library.PRIVATE.values() for name in names}
TAKES = {
    "_checkAuth": "self message server_url", "_checkReturnTo": "self message return_to", "_discover": "identifier",
    "_doIdRes": "self message endpoint return_to", "_extractAssociation": "self assoc_response assoc_session",
    "_idResCheckForFields": "self message", "_idResCheckNonce": "self message endpoint",
    "_idResCheckSignature": "self message server_url", "_makeKVPost": "request_message server_url",
    "_negotiateAssociation": "self endpoint", "_verifyDiscoveryResults": "self resp_msg endpoint",
}  # fmt: skip


def owner(path: str) -> Any:
    try:
        return importlib.import_module(path)
    except ImportError:
        module, _, name = path.rpartition(".")
        return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize(("path", "name"), [(path, name) for path, names in library.PRIVATE.items() for name in names])
def test_each_is_there_and_takes_what_it_took(path: str, name: str) -> None:
    found = getattr(owner(path), name)
    if name in TAKES:
        code = found.__code__
        assert " ".join(code.co_varnames[: code.co_argcount]) == TAKES[name]


def private_names(tree: ast.AST) -> Iterator[str]:
    """Attributes with an underscore, of anything but `self` and `cls`, and of `self` where they are the library's."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("openid"):
            yield from (alias.name for alias in node.names if alias.name.startswith("_"))
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            yield node.attr


def test_they_stand_in_one_file() -> None:
    of_library = {name for path in library.PRIVATE for name in vars(owner(path)) if name.startswith("_")}
    for file in APP.rglob("*.py"):
        used = set(private_names(ast.parse(file.read_text()))) & of_library
        assert used - {"_anonymous"} == set() or file.name == "library.py", (file, used)
    assert set(private_names(ast.parse(Path(library.__file__).read_text()))) & of_library <= NAMED
