"""What pip knows of the installed project."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib import metadata, resources
from pathlib import Path

import djintegrate

ROOT = Path(__file__).resolve().parents[2]


def test_the_version_is_said_once() -> None:
    assert metadata.version("djintegrate") == djintegrate.__version__


def test_the_extras_that_are_promised_exist() -> None:
    extras = metadata.metadata("djintegrate").get_all("Provides-Extra") or []
    apps = {"openid", "oidc", "dojo", "files", "jobs", "jsonrpc", "acl"}
    assert {"postgresql", "mysql", "all"} | apps <= set(extras)


def test_type_checkers_may_read_it() -> None:
    assert resources.files(djintegrate).joinpath("py.typed").is_file()


def test_a_build_leaves_nothing_in_the_checkout_that_another_one_would_use(tmp_path: Path) -> None:
    """pip builds in the checkout itself: of two that shared a folder there, one made a wheel without any module."""
    for file in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / file, tmp_path)
    (tmp_path / "djintegrate").mkdir()
    shutil.copy(ROOT / "djintegrate" / "__init__.py", tmp_path / "djintegrate")
    subprocess.run([sys.executable, "setup.py", "-q", "build"], cwd=tmp_path, check=True, capture_output=True)
    assert not (tmp_path / "build").exists()
