"""What of a build is served: its layers, texts, stylesheets and images; how large they are, and their compressed twins.

Reads what Dojo's build system made, and copies. It never changes a file.
"""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..page import names
from ..page.release import MARK

__all__ = ["MARK", "BuildError", "Size"]

THEMES = [f"dijit/themes/{theme}/{theme}.css" for theme in names.THEMES]
FOR_DEBUGGING = ["*.uncompressed.js", "*.consoleStripped.js", "build-report.txt"]
RESOURCES = ["dojo/resources/blank.gif", "dojo/resources/blank.html"]
COMPRESSED = {".js", ".css", ".html", ".svg"}

_URL = re.compile(r"url\(\s*[\"']?([^\"')?#]+)[^)]*\)")
_IMPORT = re.compile(r"@import\s+(?:url\()?\s*[\"']([^\"']+)[\"']")
_CONTENTS = re.compile(r"^Layer Contents:\n((?:\S+:\n(?:\t.*\n)*\n)+)", re.MULTILINE)
_LAYER = re.compile(r"^(\S+):\n((?:\t.*\n)*)", re.MULTILINE)


class BuildError(Exception):
    """Nothing was built, and the build that was there before is untouched."""


@dataclass
class Size:
    """A row of the table: files and bytes before and after. The compressed ones are those of the files after."""

    what: str
    files_before: int = 0
    bytes_before: int = 0
    files: int = 0
    bytes: int = 0
    gzip: int = 0
    brotli: int = 0


def size(what: str, before: Sequence[Path], after: Sequence[Path]) -> Size:
    return Size(what, len(before), _bytes(before), len(after), _bytes(after))


def layers(made: Path) -> dict[str, list[str]]:
    """The modules of each layer, by the build's report."""
    report = made / "build-report.txt"
    contents = _CONTENTS.search(report.read_text() if report.is_file() else "")
    return {name: modules.split() for name, modules in _LAYER.findall(contents[1])} if contents else {}


def texts(made: Path, layer: str) -> list[str]:
    """The files with a layer's texts, one for each locale."""
    folder, _, name = layer.rpartition("/")
    return [str(path.relative_to(made)) for path in sorted((made / folder / "nls").glob(f"{name}_*.js"))
            if path.suffixes == [".js"]]  # fmt: skip


def stylesheet(made: Path, name: str) -> Path:
    if not (made / name).is_file():
        raise BuildError(f"There is no stylesheet {name} among Dojo's. Correct DOJO_BUILD_STYLESHEETS.")
    return made / name


def rtl(theme: str) -> list[str]:
    """The stylesheet that a theme's own is to have at its end, for pages from right to left. Others import theirs."""
    is_apart = Path(theme).stem in names.RTL_APART
    return [str(Path(theme).with_name(f"{Path(theme).stem}_rtl.css"))] if is_apart else []


def imported(stylesheet: Path) -> list[Path]:
    """The stylesheet and what it imports."""
    found, waiting = [], [stylesheet]
    while waiting:
        one = waiting.pop()
        if one.is_file() and one not in found:
            found.append(one)
            waiting += [(one.parent / url).resolve() for url in _IMPORT.findall(one.read_text())]
    return found


def images(made: Path, stylesheet: str) -> list[str]:
    """What a stylesheet shows, by its path under `made`. What is missing there is missing in Dojo as well."""
    folder = (made / stylesheet).parent
    urls = {url.strip() for url in _URL.findall((made / stylesheet).read_text())}
    paths = {(folder / url).resolve() for url in urls if not url.startswith(("data:", "/", "http"))}
    return sorted(str(path.relative_to(made.resolve())) for path in paths if path.is_file())


def copy(source: Path, target: Path, files: Sequence[str]) -> list[Path]:
    for name in files:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name)
    return [target / name for name in files]


def everything(made: Path, new: Path) -> list[tuple[Size, list[Path]]]:
    """Of a profile of the site's own, all that it makes is served, but for what is for debugging."""
    shutil.copytree(made, new, ignore=shutil.ignore_patterns(*FOR_DEBUGGING))
    files = sorted(path for path in new.rglob("*") if path.is_file())
    return [(size("All files", [], files), files)]


def compress(size: Size, paths: Sequence[Path], keep: bool) -> None:
    for path in paths:
        if path.suffix in COMPRESSED:
            packed = {".gz": _gzip(path), ".br": _brotli(path)}
            size.gzip += len(packed[".gz"])
            size.brotli += len(packed[".br"])
            for suffix, content in packed.items():
                if keep and content:
                    path.with_name(path.name + suffix).write_bytes(content)


def _bytes(paths: Sequence[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def _gzip(path: Path) -> bytes:
    """The same bytes each time."""
    return gzip.compress(path.read_bytes(), 9, mtime=0)


def _brotli(path: Path) -> bytes:
    """Nothing without the package brotli."""
    try:
        import brotli
    except ImportError:
        return b""
    packed: bytes = brotli.compress(path.read_bytes())
    return packed
