"""The pages of the documentation, and the blocks of code in them, for the tests that run these."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)])
MARK = "<!-- The python blocks of this page run in tests/docs/test_docs.py, in order. -->"
RUNNABLE = [page for page in PAGES if MARK in page.read_text()]


class Block(NamedTuple):
    page: str
    line: int
    language: str
    text: str
    follows: bool  # directly on another block

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    def run(self, namespace: dict[str, Any]) -> dict[str, Any]:
        """Runs a python block. An error shows its line of the page."""
        namespace.setdefault("__name__", "example")
        exec(compile("\n" * self.line + self.text, str(ROOT / self.page), "exec"), namespace)
        return namespace


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path | str, language: str | None = None) -> list[Block]:
    """All blocks of a page in their order, or those in one language."""
    page = ROOT / page
    return [block for block in _blocks(page) if language is None or block.language == language]


def every_block(*languages: str) -> list[Block]:
    return [block for page in PAGES for block in blocks(page) if not languages or block.language in languages]


def is_settings(block: Block) -> bool:
    """Whether a python block has settings and nothing else."""
    return block.language == "python" and all(map(_is_setting, ast.parse(block.text).body))


def _blocks(page: Path) -> Iterator[Block]:
    text, end = page.read_text(), 0
    for fence in re.finditer(r"^```(\S*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        between, end = text[end : fence.start()], fence.end()
        yield Block(name(page), text.count("\n", 0, fence.start(2)), fence[1], fence[2], not between.strip())


def _is_setting(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Import):
        return ast.unparse(statement) == "import os"
    if isinstance(statement, ast.If):
        return all(map(_is_setting, statement.body))
    if isinstance(statement, ast.Assign):
        return all(_is_name(target) for target in statement.targets)
    if isinstance(statement, ast.AugAssign):
        return _is_name(statement.target)
    # STATICFILES_DIRS.append(…)
    return isinstance(statement, ast.Expr) and ast.unparse(statement).partition(".")[0].isupper()


def _is_name(target: ast.expr) -> bool:
    # CREATES and DROPS are those of a package with Storm's schema.
    return isinstance(target, ast.Name) and target.id.isupper() and target.id not in ("CREATES", "DROPS")
