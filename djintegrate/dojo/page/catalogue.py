"""Which modules and stylesheets there are, in Dojo's sources and in a site's own folders; and which one was meant.

Knows nothing of Django.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

PACKAGES = ("dijit", "dojox", "dojo", "dgrid", "dstore")
"""Dojo's own, those first that a slip of the pen most likely meant."""

_OTHERS = {"tests", "testsDOH", "demos", "bench", "nls", "node_modules", "themes", "resources", "_firebug"}


def has_module(root: Path, name: str, paths: Mapping[str, Path] | None = None) -> bool:
    """Whether a module's file is there. `paths` are the folders of packages that are not Dojo's own."""
    package, _, rest = name.partition("/")
    folder = (paths or {}).get(package, root / package)
    return any((folder / file).is_file() for file in (f"{rest or 'main'}.js", rest or "main.js"))


def did_you_mean_module(root: Path, name: str) -> str:
    """The question after a module of Dojo's that is like this one, or nothing."""
    known = _modules(root)
    last = name.rpartition("/")[2]
    by_last: dict[str, str] = {}
    for one in known:
        by_last.setdefault(one.rpartition("/")[2], one)
    same = [one for one in known if one.endswith(f"/{last}")]
    near = same or get_close_matches(name, known, n=1, cutoff=0.9)
    if not near and name.partition("/")[0] in PACKAGES:
        near = [by_last[one] for one in get_close_matches(last, by_last, n=1, cutoff=0.7)]
    return f"Did you mean {near[0]}?" if near else ""


def did_you_mean_stylesheet(root: Path, name: str) -> str:
    known = [str(path.relative_to(root)) for package in PACKAGES for path in sorted((root / package).rglob("*.css"))]
    near = get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]}?" if near else ""


@lru_cache(maxsize=2)
def _modules(root: Path) -> tuple[str, ...]:
    """The shallow ones first."""
    found = [name for package in PACKAGES for name in _of_package(root / package, package)]
    return tuple(sorted(found, key=lambda name: (PACKAGES.index(name.partition("/")[0]), name.count("/"), name)))


def _of_package(folder: Path, name: str) -> Iterator[str]:
    if folder.is_dir():
        for path in folder.iterdir():
            if path.suffix == ".js":
                yield f"{name}/{path.stem}"
            elif path.name not in _OTHERS and not path.name.startswith("."):
                yield from _of_package(path, f"{name}/{path.name}")
