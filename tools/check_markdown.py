"""Looks through the Markdown files: no line is too long, and each link to a file or a heading leads there.

It asks no network: addresses of other sites are not tried. `make lint` calls it.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 140
"""Of text. A row of a table cannot be broken, and blocks of code have the style of their language."""


def main() -> None:
    pages = [*ROOT.glob("*.md"), *(page for page in ROOT.glob("docs/**/*.md") if "_build" not in page.parts)]
    if wrong := list(look_through(sorted(pages))):
        sys.exit("\n".join(wrong))


def look_through(pages: Iterable[Path]) -> Iterator[str]:
    """What is wrong with these pages."""
    for page in pages:
        yield from _too_long(page)
        yield from _dead(page)


def _too_long(page: Path) -> Iterator[str]:
    for number, line in enumerate(_without_code(page.read_text()).splitlines(), 1):
        if len(line) > WIDTH and not line.startswith("|"):
            yield f"{_name(page)}:{number}: {len(line)} characters; break the line before {WIDTH}."


def _dead(page: Path) -> Iterator[str]:
    text = _without_code(page.read_text())
    for link in re.finditer(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = link[1].partition("#")
        number = text.count("\n", 0, link.start()) + 1
        if re.match(r"[a-z]+:", path):
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            yield f"{_name(page)}:{number}: there is no {path}."
        elif anchor and anchor not in _anchors(target):
            yield f"{_name(page)}:{number}: {_name(target)} has no heading for #{anchor}."


@cache
def _anchors(page: Path) -> frozenset[str]:
    """The names that a forge, and MyST, give the headings."""
    if page.suffix != ".md":
        return frozenset()
    found, seen = [], Counter[str]()
    for heading in re.findall(r"^#+ +(.*?) *$", _without_code(page.read_text()), re.MULTILINE):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        found.append(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return frozenset(found)


def _without_code(text: str) -> str:
    """The text with its fenced blocks emptied; each line keeps its number."""
    return re.sub(r"^```.*?^```$", lambda block: "\n" * block[0].count("\n"), text, flags=re.MULTILINE | re.DOTALL)


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT)) if page.is_relative_to(ROOT) else page.name


if __name__ == "__main__":
    main()
