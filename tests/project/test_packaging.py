"""What pip knows of the installed project."""

from __future__ import annotations

from importlib import metadata, resources

import djintegrate


def test_the_version_is_said_once() -> None:
    assert metadata.version("djintegrate") == djintegrate.__version__


def test_the_extras_that_are_promised_exist() -> None:
    extras = metadata.metadata("djintegrate").get_all("Provides-Extra") or []
    apps = {"openid", "oidc", "dojo", "files", "jobs", "jsonrpc", "acl"}
    assert {"postgresql", "mysql", "all"} | apps <= set(extras)


def test_type_checkers_may_read_it() -> None:
    assert resources.files(djintegrate).joinpath("py.typed").is_file()
