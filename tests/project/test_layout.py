"""The habits that no linter knows: the apps are apart, each module says what it is for, no file is long."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tools import floors

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "djintegrate"
APPS = ("storm_backend", "openid_auth", "dojo", "jsonrpc", "acl", "files", "jobs")
COMMON = "common"
EVERYTHING = [
    path
    for pattern in ("*.py", "*.js", "*.css", "*.html")
    for part in ("djintegrate", "testproject", "tools", "tests", "proofs")
    for path in sorted((ROOT / part).rglob(pattern))
    if "node_modules" not in path.parts
]
LONGEST = 400
LONGER = {
    "proofs/coherence/world.py": "One state machine of Hypothesis: its rules are methods of one class.",
    "tests/storm_backend/references/test_references_deletion.py": "Every on_delete, from both sides.",
    "tests/storm_backend/references/test_references_fields.py": "One field: what it takes, gives and finds.",
    "tests/storm_backend/schema/test_schema.py": "One command, on databases of its own.",
    "tests/storm_backend/two_phase/test_manager.py": "One protocol, failing at each of its steps.",
}
"""Files that may be longer, each with its reason."""


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports(path: Path) -> list[str]:
    """The dotted names that a module of the package imports, wherever in it."""
    return list(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    package = ["djintegrate", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("app", APPS)
def test_an_app_imports_neither_of_the_others(app: str) -> None:
    others = tuple(f"djintegrate.{other}" for other in APPS if other != app)
    modules = sorted((PACKAGE / app).rglob("*.py"))
    assert len(modules) > 10
    assert [(name(path), found) for path in modules for found in imports(path) if found.startswith(others)] == []


def test_what_the_apps_have_in_common_imports_none_of_them() -> None:
    modules = sorted((PACKAGE / COMMON).rglob("*.py"))
    assert len(modules) > 2
    strangers = [
        (name(path), found)
        for path in modules
        for found in imports(path)
        if found.startswith("djintegrate.") and not found.startswith(f"djintegrate.{COMMON}.")
    ]
    assert strangers == []


def test_each_package_is_an_app_or_what_they_have_in_common() -> None:
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == {*APPS, COMMON}


def test_the_apps_do_not_need_the_sample_site_or_the_tests() -> None:
    ours = ("testproject", "tests", "tools", "proofs")
    modules = (PACKAGE).rglob("*.py")
    assert [(name(path), found) for path in modules for found in imports(path) if found.split(".")[0] in ours] == []


def test_what_a_module_says_at_its_top_is_short() -> None:
    """That it says something is ruff's D100."""
    modules = {name(path): ast.get_docstring(tree(path)) or "" for path in sorted(PACKAGE.rglob("*.py"))}
    assert [path for path, docstring in modules.items() if sum(map(bool, docstring.split("\n"))) > 5] == []


def test_no_file_is_too_long() -> None:
    lengths = {name(path): path.read_text().count("\n") for path in EVERYTHING}
    assert {path: length for path, length in lengths.items() if length > LONGEST and path not in LONGER} == {}
    assert [path for path in LONGER if lengths.get(path, 0) <= LONGEST] == []


def test_every_import_of_the_engine_goes_down() -> None:
    """Annotations and imports inside of functions included."""
    up = [
        (module, target)
        for module, target in floors.imports()
        if floors.package_of(module) != floors.package_of(target) and floors.floor_of(module) <= floors.floor_of(target)
    ]
    assert up == []


def test_no_imports_go_in_a_circle() -> None:
    ahead: dict[str, set[str]] = {}
    for module, target in floors.imports(PACKAGE):
        ahead.setdefault(module, set()).add(target)

    def reached(module: str, seen: set[str]) -> set[str]:
        for target in ahead.get(module, set()) - seen:
            seen.add(target)
            reached(target, seen)
        return seen

    assert [module for module in ahead if module in reached(module, set())] == []


BLOCK_STATE = {
    *("in_atomic_block", "atomic_blocks", "savepoint_ids", "needs_rollback", "rollback_exc", "commit_on_exit"),
    *("run_on_commit", "run_commit_hooks_on_set_autocommit_on", "closed_in_transaction", "autocommit"),
}
"""What Django remembers of the blocks on a connection."""


@cache
def written(path: Path) -> frozenset[str]:
    """The attributes that a module assigns, or deletes from."""
    return frozenset(_written(path))


def _written(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del)):
            target = node.value if isinstance(node, ast.Subscript) else node
            if isinstance(target, ast.Attribute):
                yield target.attr


def test_one_file_writes_what_django_remembers_of_blocks() -> None:
    writers = {name(path) for path in floors.ENGINE.rglob("*.py") if BLOCK_STATE.intersection(written(path))}
    assert writers == {"djintegrate/storm_backend/connection/atomic_state.py"}


def test_no_objects_class_is_exchanged() -> None:
    assert [name(path) for path in sorted(PACKAGE.rglob("*.py")) if "__class__" in written(path)] == []


def test_the_drawing_shows_the_floors_as_they_are() -> None:
    assert floors.DRAWING.read_text() == floors.drawing(), "Run: python -m tools.floors"
