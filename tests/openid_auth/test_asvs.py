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
    assert {row[0].partition(" ")[0] for row in rows} >= {"6.8.1", "6.8.2", "6.8.3", "6.8.4", "7.4.1", "7.5.1", "7.5.2"}
    for requirement, here, *tests in rows:
        assert tests or "site's own" in here, requirement
