"""Runs Dojo's own build system on Node, and puts what a site serves of its result into one folder, whole or not at all.

Knows nothing of Django: which modules, locales and folders is for others to find.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..page import catalogue
from . import install, profile, served
from .served import MARK, BuildError, Size
from .workshop import replace, run, workshop

__all__ = ["BuildError", "Order", "Size", "build", "find_node"]

NODE_AT_LEAST = 16
SECONDS = 900
MINIFY = install.LOCKED / "minify.cjs"

_STEP = re.compile(r"^(discovering|starting|processing profile)\b.*")
_FAULT = re.compile(r"^error\(\d+\).*")
_OF_MODULE = re.compile(r"module: ([^;\s]+)")
# After a file that could not be written, Dojo's build system waits for ever.
_HANGS = re.compile(r"^error\((312|324)\)")


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
    #: The stylesheet that each theme's own has at its end.
    look: Path | None = None
    #: The features of browsers that the site's own configuration decides.
    undecided: Sequence[str] = ()


def build(order: Order, say: Callable[[str], None]) -> list[Size]:
    """Build, and replace what `order.release` held. Raises BuildError, and then it holds what it held."""
    if not install.installed(order.root):
        raise BuildError(f"{order.root} has no Dojo, or another version. Run `manage.py dojo_install` first.")
    if order.profile and not order.profile.is_file():
        raise BuildError(f"There is no profile {order.profile}. Name a file with a build profile of Dojo's.")
    release = order.release
    lacking = [] if order.profile else lacking_stylesheets(order.root, order.stylesheets)
    if refused := [*lacking, *occupied(order.root, release)]:
        raise BuildError("\n".join(refused))
    node = find_node()
    try:
        with workshop(release, "build") as folder:
            made, new = folder / "made", folder / "new"
            _run(node, order, made, folder, say)
            if not order.profile:
                say("minifying")
                _minify(node, order, made, folder)
            say("collecting files")
            sizes = served.everything(made, new) if order.profile else _collect(order, made, new)
            say("compressing")
            for size, paths in sizes:
                served.compress(size, paths, order.compressed)
            (new / MARK).write_text(json.dumps(_mark(order, made), indent=1))
            replace(release, new, folder / "old")
    except OSError as error:
        raise BuildError(f"The build failed: {error}. Nothing in {release} was changed.") from error
    return [size for size, _ in sizes]


def lacking_stylesheets(root: Path, stylesheets: Iterable[str]) -> list[str]:
    """A line for each that Dojo does not have."""
    return [
        f"DOJO_BUILD_STYLESHEETS: there is no stylesheet {name} in {root}. "
        f"{catalogue.did_you_mean_stylesheet(root, name)}".rstrip()
        for name in stylesheets
        if not (root / name).is_file()
    ]


def occupied(root: Path, release: Path) -> Iterator[str]:
    """Why a build may not replace what is in this folder."""
    if release == root:
        yield f"DOJO_BUILD_ROOT is DOJO_ROOT, {root}: the build would replace the sources. Name another folder."
    elif release.exists() and not (release / MARK).exists() and any(release.iterdir()):
        yield (
            f"{release} has something in it that dojo_build did not put there, and would replace. Move it away, or "
            "name another folder in DOJO_BUILD_ROOT."
        )


def find_node() -> str:
    """The path of a Node that can build. Raises BuildError if there is none."""
    node = shutil.which("node") or shutil.which("nodejs")
    if not node:
        raise BuildError(
            "Dojo's build system runs on Node, and there is no `node` in PATH. Install it, for instance with "
            "`apt-get install nodejs`, or build on another machine and copy the folder."
        )
    version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip()
    number = re.match(r"v(\d+)", version)
    if not number or int(number[1]) < NODE_AT_LEAST:
        raise BuildError(f"{node} is version {version or 'unknown'}. dojo_build needs Node {NODE_AT_LEAST} or later.")
    return node


def _run(node: str, order: Order, made: Path, folder: Path, say: Callable[[str], None]) -> None:
    chosen = order.profile
    if chosen is None:
        chosen = folder / "djintegrate.profile.js"
        chosen.write_text(_profile(order, folder))

    def hear(line: str) -> bool:
        if _STEP.match(line):
            say(line.strip().rstrip("."))
        return bool(_HANGS.match(line))

    command = [node, str(order.root / "dojo" / "dojo.js"), "load=build", "--profile", str(chosen.absolute()),
               "--release", "--releaseDir", str(made)]  # fmt: skip
    done = run(command, folder, SECONDS, hear)
    faults = [line for line in done.lines if _FAULT.match(line)]
    if faults and not order.profile:
        # All modules beside those of the layers were read as well. What is wrong with them is nothing to this build.
        ours = {name for layer in served.layers(made).values() for name in layer}
        strangers = [line for line in faults if (of := _OF_MODULE.search(line)) and of[1] not in ours]
        if ours and len(strangers) == len(faults):
            return
    if done.code or faults:
        told = "\n".join(faults or done.lines[-15:])
        whose = f"the profile {order.profile}" if order.profile else "the profile that djintegrate makes"
        raise BuildError(
            f"Dojo's build system found an error, with {whose}:\n{told}\nNothing in {order.release} was changed."
        )


def _profile(order: Order, folder: Path) -> str:
    # dojox is large, and reading it takes its time; nor are the others read without need.
    first = {name.partition("/")[0] for name in (*order.modules, *order.stylesheets)}
    used = [name for name in ("dojox", "dgrid", "dstore") if name in first]
    features = {name: value for name, value in profile.FEATURES.items() if name not in order.undecided}
    changed = profile.change(order.root, folder)
    return profile.profile(order.root, order.modules, order.paths, order.locales, used, features, changed)


def _minify(node: str, order: Order, made: Path, folder: Path) -> None:
    """Of the themes, what the widgets of the layers need is kept, and `order.look` comes after it.

    The texts of the first layer become the argument of boot.js, which fetches the layer once the page has been painted.
    """
    themes = [{"path": str(made / name), "with": [str(made / more) for more in served.rtl(name)], "pruned": True,
               "after": order.look and str(order.look)} for name in served.THEMES]  # fmt: skip
    others = [{"path": str(served.stylesheet(made, name))} for name in order.stylesheets]
    layers = served.layers(made)
    ours = order.paths.get("djintegrate")
    work = {
        "root": str(order.root),
        "scripts": [str(made / f"{name}.js") for name in layers],
        "texts": [str(made / text) for name in layers for text in served.texts(made, name)],
        "styles": [*themes, *others],
        "boot": ours
        and {
            "path": str(ours / profile.BOOT),
            "texts": [str(made / text) for text in served.texts(made, profile.LAYER)],
        },
    }
    done = run([node, str(MINIFY)], folder, SECONDS, given=json.dumps(work))
    if done.code:
        told = "\n".join(done.lines[-15:])
        raise BuildError(f"What Dojo made cannot be minified:\n{told}\nNothing in {order.release} was changed.")


def _collect(order: Order, made: Path, new: Path) -> list[tuple[Size, list[Path]]]:
    """Copy what a page can ask for into `new`, and say how much that is."""
    found: list[tuple[Size, list[Path]]] = []
    texts: list[str] = []
    for name, modules in served.layers(made).items():
        files = served.copy(made, new, [f"{name}.js"])
        what = "Modules" if name == profile.LAYER else name
        found.append((served.size(what, _sources(order, modules), files), files))
        texts += served.texts(made, name)
    files = served.copy(made, new, texts)
    found.append((served.size("Texts of the locales", [], files), files))
    for name in [*served.THEMES, *order.stylesheets]:
        served.stylesheet(made, name)
        files = served.copy(made, new, [name])
        sources = [path for one in (name, *served.rtl(name)) for path in served.imported(order.root / one)]
        if order.look and name in served.THEMES:
            sources.append(order.look)
        found.append((served.size(label(name), sources, files), files))
        served.copy(made, new, served.images(made, name))
    served.copy(order.root, new, served.RESOURCES)
    return found


def label(stylesheet: str) -> str:
    """dgrid has stylesheets of the themes' names too."""
    return stylesheet.rpartition("/")[2] if stylesheet in served.THEMES else stylesheet


def _sources(order: Order, modules: Sequence[str]) -> list[Path]:
    """The sources of a layer's modules."""
    found = []
    for name in modules:
        package, _, rest = name.partition("/")
        folder = order.paths.get(package, order.root / package)
        found += [path for path in (folder / f"{rest}.js", folder / rest) if path.is_file()][:1]
    return found


def _mark(order: Order, made: Path) -> dict[str, object]:
    """What the pages are to know of the build."""
    if order.profile:
        return {"profile": str(order.profile)}
    layers = served.layers(made)
    return {
        "modules": sorted({name for modules in layers.values() for name in modules}),
        "texts": {layer: [Path(name).stem.partition("_")[2] for name in served.texts(made, layer)] for layer in layers},
        "look": order.look is not None,
    }
