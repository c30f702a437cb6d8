"""What is said of a release agrees, wherever it is said."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

import djintegrate

tomllib: Any = pytest.importorskip("tomllib", reason="Python 3.10 has no tomllib.")

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
HEADINGS = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
README = (ROOT / "README.md").read_text()


def number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_the_changelog_has_the_version_or_what_is_not_released_yet_on_top() -> None:
    assert HEADINGS[0] == "[Unreleased]" or HEADINGS[0].startswith(f"[{djintegrate.__version__}] - ")


def test_every_release_in_the_changelog_has_its_day_and_the_newest_comes_first() -> None:
    releases = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)", heading) for heading in HEADINGS]
    done = releases[1:] if HEADINGS[0] == "[Unreleased]" else releases
    versions = [(release[2], number(release[1])) for release in done if release]
    assert len(versions) == len(done), HEADINGS
    assert versions == sorted(versions, reverse=True)
    assert all(version <= number(djintegrate.__version__) for _, version in versions)


def test_the_classifiers_are_the_versions_that_the_matrix_tests() -> None:
    source = (ROOT / "noxfile.py").read_text()
    djangos: dict[str, list[str]] = ast.literal_eval(source.partition("\nDJANGOS = ")[2].partition("\n}")[0] + "}")
    classified = [line.rpartition(" :: ")[2] for line in PROJECT["classifiers"] if re.search(r" :: \d+\.\d+$", line)]
    tested = sorted({django for each in djangos.values() for django in each})
    assert classified == [*tested, *djangos]
    low, high = re.findall(r"[\d.]+", next(each for each in PROJECT["dependencies"] if each.startswith("Django")))
    assert (low, number(high)) == (tested[0], (*number(tested[-1])[:1], number(tested[-1])[1] + 1))


def test_the_readme_names_the_versions_of_the_classifiers() -> None:
    [line] = [line for line in README.splitlines() if line.startswith("Runs on Python ")]
    pythons = [each.rpartition(" ")[2] for each in PROJECT["classifiers"] if "Python :: 3." in each]
    assert f"Python {pythons[0]} to {pythons[-1]}," in line
    djangos = [each.rpartition(" ")[2] for each in PROJECT["classifiers"] if re.search(r"Django :: \d", each)]
    assert f"Django {', '.join(djangos[:-1])} and {djangos[-1]}," in line
    comparison = (ROOT / "docs/explanation/comparison.md").read_text()
    assert f"| {pythons[0]} to {pythons[-1]}, {djangos[0]} to {djangos[-1]} |" in comparison
    assert f"| {djangos[0]} to {djangos[-1]}, any session serializer |" in comparison
    assert PROJECT["requires-python"] == f">={pythons[0]}"


def test_the_docs_need_what_their_extra_brings() -> None:
    """Services that build documentation read docs/requirements.txt; the reference there imports the project."""
    requirements = (ROOT / "docs" / "requirements.txt").read_text().split()
    assert requirements == [".", *PROJECT["optional-dependencies"]["docs"]]
