"""The check of the Markdown files, which `make lint` runs: what it says of pages that have something wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.check_markdown import WIDTH, look_through


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[there](other.md) [and](other.md#two-words-1) [here](#a-heading)\n\n# A `heading`\n", []),
        ("[gone](missing.md)\n", ["page.md:1: there is no missing.md."]),
        ("\n[gone](other.md#three)\n", ["page.md:2: other.md has no heading for #three."]),
        ("[gone](#nowhere)\n", ["page.md:1: page.md has no heading for #nowhere."]),
        ("```md\n[gone](missing.md)\n# not a heading\n```\n[no](#not-a-heading)", ["5: page.md has no heading"]),
        ("[elsewhere](https://example.org/missing.md#x) <mailto:a@example.org>\n", []),
        (f"{'x ' * WIDTH}\n", [f"page.md:1: {2 * WIDTH} characters"]),
        (f"| {'x ' * WIDTH} |\n", []),
        (f"```text\n{'x ' * WIDTH}\n```\n", []),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, said: list[str], tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Two words\n\n## Two words\n")
    page = tmp_path / "page.md"
    page.write_text(text)
    found = list(look_through([page]))
    assert len(found) == len(said)
    assert all(part in line for part, line in zip(said, found, strict=True)), found
