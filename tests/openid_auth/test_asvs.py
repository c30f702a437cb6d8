"""The table of ASVS in the security model names tests: each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs/explanation/openid-security.md").read_text()
TABLE = PAGE.partition("## Beside OWASP ASVS 5.0")[2].partition("\n## ")[0]


def test_every_test_that_the_table_names_exists() -> None:
    defined = set(re.findall(r"def (test_\w+)", "".join(path.read_text() for path in HERE.glob("test_*.py"))))
    named = set(re.findall(r"`(test_\w+)`", TABLE))
    assert len(named) > 20
    assert named - defined == set()


def test_every_requirement_is_shown_or_said_to_be_the_sites_own() -> None:
    rows = [row.strip("| ").split(" | ") for row in TABLE.splitlines() if re.match(r"\| \d", row)]
    for requirement, here, *tests in rows:
        assert tests or "site's own" in here, requirement


def test_every_requirement_of_the_standard_is_in_the_table_or_said_not_to_concern_a_relying_party() -> None:
    table, _, others = TABLE.partition("The others do not concern")
    here = set(NUMBER.findall("".join(row.partition(" | ")[0] for row in table.splitlines() if row[:3].strip("| "))))
    elsewhere = set(NUMBER.findall(others))
    whole = set(SECTION.findall(others))
    assert here & elsewhere == set()
    for section, count in STANDARD.items():
        for number in range(1, count + 1):
            requirement = f"{section}.{number}"
            assert requirement in here | elsewhere or section in whole, requirement
    known = {f"{section}.{number}" for section, count in STANDARD.items() for number in range(1, count + 1)}
    assert here <= known


STANDARD = {
    "6.1": 3, "6.2": 12, "6.3": 8, "6.4": 6, "6.5": 8, "6.6": 4, "6.7": 2, "6.8": 4,
    "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 3, "7.6": 2,
    "10.1": 2, "10.2": 3, "10.3": 5, "10.4": 16, "10.5": 5, "10.6": 2, "10.7": 3,
}  # fmt: skip
"""How many requirements each section of ASVS 5.0.0 has."""
NUMBER = re.compile(r"\b(?:6|7|10)\.\d+\.\d+\b")
SECTION = re.compile(r"(?<![\d.])(?:6|7|10)\.\d+(?!\.?\d)")
"""A section that is named whole, or as the rest of it."""
