"""Runs Dojo's own build system on Node, and puts what a site serves of its result into one folder, whole or not at all.

Knows nothing of Django: which modules, locales and folders is for others to find.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import install
from ..page import names

MARK = "djintegrate-build.json"
"""The file that tells a build of ours from other folders."""
THEMES = [f"dijit/themes/{theme}/{theme}.css" for theme in names.THEMES]
FOR_DEBUGGING = ["*.uncompressed.js", "*.consoleStripped.js", "build-report.txt"]
RESOURCES = ["dojo/resources/blank.gif", "dojo/resources/blank.html"]
COMPRESSED = {".js", ".css", ".html", ".svg"}
NODE_AT_LEAST = 8
SECONDS = 900
# What cannot happen in a browser of today, or is never used here; the minifier then drops the code for it.
FEATURES = {
    "config-deferredInstrumentation": 0,
    "dojo-firebug": 0,
    "dojo-sync-loader": 0,
    "dojo-test-sniff": 0,
    "dojo-trace-api": 0,
    "dom-addeventlistener": 1,
    "host-node": 0,
    "host-rhino": 0,
}

_URL = re.compile(r"url\(\s*[\"']?([^\"')?#]+)[^)]*\)")
_IMPORT = re.compile(r"@import\s+(?:url\()?\s*[\"']([^\"']+)[\"']")
_STEP = re.compile(r"^(discovering|starting|processing profile)\b.*")
_FAULT = re.compile(r"^error\(\d+\).*")
_OF_MODULE = re.compile(r"module: ([^;\s]+)")
# After a file that could not be written, Dojo's build system waits for ever.
_HANGS = re.compile(r"^error\((312|324)\)")


class BuildError(Exception):
    """Nothing was built, and the build that was there before is there still."""


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


@dataclass
class Order:
    """What is to be built. `paths` are the folders of modules that are not Dojo's own."""

    root: Path
    release: Path
    modules: Sequence[str]
    paths: Mapping[str, Path] = field(default_factory=dict)
    locales: Sequence[str] = ()
    stylesheets: Sequence[str] = ()
    profile: Path | None = None
    #: Whether compressed files are put beside the others; with hashed names, collectstatic does that for those.
    compressed: bool = True


def build(order: Order, say: Callable[[str], None]) -> list[Size]:
    """Build, and replace what `order.release` held. Raises BuildError, and then it holds what it held."""
    if not install.installed(order.root):
        raise BuildError(f"{order.root} has no Dojo, or another version. Run `manage.py dojo_install` first.")
    if order.profile and not order.profile.is_file():
        raise BuildError(f"There is no profile {order.profile}. Name a file with a build profile of Dojo's.")
    release = order.release
    if release.exists() and not (release / MARK).exists() and any(release.iterdir()):
        raise BuildError(
            f"{release} has something in it that dojo_build did not put there, and would replace. Move it away, or "
            "name another folder in DOJO_BUILD_ROOT."
        )
    node = _node()
    try:
        with install.workshop(release, "build") as folder:
            made, new = folder / "made", folder / "new"
            _run(node, order, made, folder, say)
            say("collecting files")
            sizes = _collect(order, made, new)
            say("compressing")
            for size, paths in sizes:
                _compress(size, paths, order.compressed)
            (new / MARK).write_text(json.dumps({"modules": sorted(order.modules)}, indent=1))
            install.replace(release, new, folder / "old")
    except OSError as error:
        raise BuildError(f"The build failed: {error}. What was in {release} is there still.") from error
    return [size for size, _ in sizes]


def _node() -> str:
    node = shutil.which("node") or shutil.which("nodejs")
    if not node:
        raise BuildError(
            "Dojo's build system runs on Node, and there is no `node` in PATH. Install it, for instance with "
            "`apt-get install nodejs`, or build on another machine and copy the folder."
        )
    version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip()
    number = re.match(r"v(\d+)", version)
    if not number or int(number[1]) < NODE_AT_LEAST:
        raise BuildError(f"{node} is version {version or 'unknown'}. Dojo's build needs Node {NODE_AT_LEAST} or later.")
    return node


def _run(node: str, order: Order, made: Path, folder: Path, say: Callable[[str], None]) -> None:
    profile = order.profile
    if profile is None:
        profile = folder / "djintegrate.profile.js"
        profile.write_text(_profile(order))
    command = [node, str(order.root / "dojo" / "dojo.js"), "load=build", "--profile", str(profile.absolute()),
               "--release", "--releaseDir", str(made)]  # fmt: skip
    # A group of its own: a Ctrl-C is ours to answer, and then everything that Node started ends too.
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", start_new_session=True,
    )  # fmt: skip
    output: list[str] = []

    def end() -> None:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)

    limit = threading.Timer(SECONDS, end)
    limit.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            output.append(line.rstrip())
            if _STEP.match(line):
                say(line.strip().rstrip("."))
            if _HANGS.match(line):
                end()
        code = process.wait()
    finally:
        limit.cancel()
        end()
        process.wait()
    faults = [line for line in output if _FAULT.match(line)]
    if faults and not order.profile:
        # All modules beside those of the layer were read as well. What is wrong with them is nothing to this build.
        layer = _layer(made)
        strangers = [line for line in faults if (of := _OF_MODULE.search(line)) and of[1] not in layer]
        if layer and len(strangers) == len(faults):
            return
    if code or faults:
        told = "\n".join(faults or output[-15:])
        whose = f"the profile {order.profile}" if order.profile else "the profile that djintegrate makes"
        raise BuildError(
            f"Dojo's build system found an error, with {whose}:\n{told}\nWhat was in {order.release} is there still."
        )


def _profile(order: Order) -> str:
    """The profile as JavaScript: the JSON of it, with the regular expressions that JSON has no word for."""

    def package(name: str, location: Path, left_out: str) -> dict[str, Any]:
        return {"name": name, "location": str(location), "destLocation": name,
                "trees": [[str(location), name, f"@@{left_out}@@"]]}  # fmt: skip

    # No tests, and nothing hidden.
    others = r"(^|\/)(tests|testsDOH|demos|bench|node_modules|_firebug)(\/|$)|(^|\/)\."
    packages = [package(name, order.root / name, others) for name in _packages(order)]
    packages += [
        {**package(name, path, rf"{others}|(^|\/)boot\.js$"), "resourceTags": {"amd": "@@\\.js$@@"}}
        for name, path in order.paths.items()
    ]
    profile = {
        "basePath": str(order.root),
        "optimize": "",
        "layerOptimize": "uglify",
        "useSourceMaps": 0,
        "cssOptimize": "comments",
        "stripConsole": "none",
        "selectorEngine": "lite",
        "mini": True,
        "localeList": ",".join(order.locales),
        "staticHasFeatures": FEATURES,
        "packages": packages,
        "layers": {"dojo/dojo": {"boot": True, "customBase": True, "include": sorted(order.modules)}},
    }
    text = json.dumps(profile, indent=1)
    return "var profile = " + re.sub(r'"@@(.*?)@@"', lambda found: f"/{json.loads(found[0])[2:-2]}/", text) + ";\n"


def _packages(order: Order) -> list[str]:
    """dojox is large, and reading it takes its time; nor are the others read without need."""
    first = {name.partition("/")[0] for name in (*order.modules, *order.stylesheets)}
    return ["dojo", "dijit", *(name for name in ("dojox", "dgrid", "dstore") if name in first)]


# What is served of the result


def _collect(order: Order, made: Path, new: Path) -> list[tuple[Size, list[Path]]]:
    """Copy what a page can ask for into `new`, and say how much that is."""
    if order.profile:
        shutil.copytree(made, new, ignore=shutil.ignore_patterns(*FOR_DEBUGGING))
        files = sorted(path for path in new.rglob("*") if path.is_file())
        return [(_size("All files", [], files), files)]
    layer = _copy(made, new, ["dojo/dojo.js"])
    found = [(_size("Modules", _modules(order, made), layer), layer)]
    texts = _copy(made, new, [str(path.relative_to(made)) for path in sorted((made / "dojo/nls").glob("dojo_*.js"))])
    found.append((_size("Texts of the locales", [], texts), texts))
    for name in [*THEMES, *order.stylesheets]:
        if not (made / name).is_file():
            raise BuildError(f"There is no stylesheet {name} under {order.root}. Correct DOJO_BUILD_STYLESHEETS.")
        files = _copy(made, new, [name])
        found.append((_size(name.rpartition("/")[2], _imported(order.root / name), files), files))
        _copy(made, new, _images(made, name))
    _copy(order.root, new, RESOURCES)
    return found


def _copy(source: Path, target: Path, files: Sequence[str]) -> list[Path]:
    for name in files:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name)
    return [target / name for name in files]


def _images(made: Path, stylesheet: str) -> list[str]:
    """What a stylesheet shows, by its path under `made`. What is missing there is missing in Dojo as well."""
    folder = (made / stylesheet).parent
    urls = {url.strip() for url in _URL.findall((made / stylesheet).read_text())}
    paths = {(folder / url).resolve() for url in urls if not url.startswith(("data:", "/", "http"))}
    return sorted(str(path.relative_to(made.resolve())) for path in paths if path.is_file())


def _layer(made: Path) -> list[str]:
    """The modules of the layer, by the build's report."""
    report = made / "build-report.txt"
    text = report.read_text() if report.is_file() else ""
    listed = re.search(r"^Layer Contents:\ndojo/dojo:\n((?:\t.*\n)+)", text, re.MULTILINE)
    return listed[1].split() if listed else []


def _modules(order: Order, made: Path) -> list[Path]:
    """The sources of the layer's modules."""
    found = []
    for name in _layer(made):
        package, _, rest = name.partition("/")
        folder = order.paths.get(package, order.root / package)
        found += [path for path in (folder / f"{rest}.js", folder / rest) if path.is_file()][:1]
    return found


def _imported(stylesheet: Path) -> list[Path]:
    """The stylesheet and what it imports."""
    found, waiting = [], [stylesheet]
    while waiting:
        one = waiting.pop()
        if one.is_file() and one not in found:
            found.append(one)
            waiting += [(one.parent / url).resolve() for url in _IMPORT.findall(one.read_text())]
    return found


def _size(what: str, before: Sequence[Path], after: Sequence[Path]) -> Size:
    return Size(what, len(before), _bytes(before), len(after), _bytes(after))


def _bytes(paths: Sequence[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def _compress(size: Size, paths: Sequence[Path], keep: bool) -> None:
    for path in paths:
        if path.suffix in COMPRESSED:
            packed = {".gz": _gzip(path), ".br": _brotli(path)}
            size.gzip += len(packed[".gz"])
            size.brotli += len(packed[".br"])
            for suffix, content in packed.items():
                if keep and content:
                    path.with_name(path.name + suffix).write_bytes(content)


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
