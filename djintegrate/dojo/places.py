"""Where Dojo is among the static files: the addresses that DOJO_URL may have, by the settings, and what is there.

Reads settings and looks for files; asks no storage, which may be on another machine.
"""

from __future__ import annotations

import filecmp
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders

from . import conf

FINDER = "djintegrate.dojo.finders.DojoFinder"
DJANGOS = (
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
)
OWN = "djintegrate/dojo/boot.js"
"""Of the static files that this app has itself, the one with which each page begins."""
SOURCES, BUILD = "dojo", "dojo-release"
"""What DojoFinder calls them."""


def folders() -> dict[str, Path]:
    """DOJO_ROOT and DOJO_BUILD_ROOT, as far as the settings say what they are, by the names that DojoFinder has."""
    found = {SOURCES: conf.root().absolute()} if conf.root.is_given else {}
    if conf.root.is_given or conf.given_build_root():
        found[BUILD] = conf.build_root().absolute()
    return found


def addresses() -> dict[str, Path]:
    """Where browsers would find dojo.js in one of those folders: what DOJO_URL may be, each with its folder."""
    found = {}
    for prefix, directory in _directories():
        for folder in folders().values():
            if folder.is_relative_to(directory):
                name = "/".join(filter(None, [prefix, *folder.relative_to(directory).parts]))
                found[f"{_static_url()}{name}/dojo"] = folder
    return found


def _directories() -> Iterator[tuple[str, Path]]:
    yield from _listed()
    if FINDER in settings.STATICFILES_FINDERS:
        yield from folders().items()


def _listed() -> Iterator[tuple[str, Path]]:
    for entry in settings.STATICFILES_DIRS:
        prefix, directory = entry if isinstance(entry, list | tuple) else ("", entry)
        yield prefix, Path(directory).absolute()


def static_name(url: str) -> str | None:
    """Of the folder behind an address, its name among the static files. None where another server has it."""
    prefix = _static_url()
    return url.removeprefix(prefix) if url.startswith(prefix) else None


def found(name: str) -> str | None:
    """The path of a static file: where it comes from, or where collectstatic has put it.

    With DEBUG, Django serves what the finders find, and nothing else.
    """
    path = finders.find(name)
    if path or settings.DEBUG:
        return str(path) if path else None
    copy = _collected(name)
    return str(copy) if copy else None


def older_copy(name: str) -> Path | None:
    """Of a static file that this machine has, the copy that collectstatic has made of another one by this name."""
    path, copy = finders.find(name), _collected(name)
    return copy if path and copy and not filecmp.cmp(path, copy, shallow=False) else None


def _collected(name: str) -> Path | None:
    """The file that collectstatic has made, if it has."""
    copy = Path(settings.STATIC_ROOT) / name if settings.STATIC_ROOT else None
    return copy if copy and copy.exists() else None


def remedy_for_own() -> str:
    """What to do if OWN is nowhere."""
    lacking = [finder for finder in DJANGOS if finder not in settings.STATICFILES_FINDERS]
    if lacking:
        return (
            f"STATICFILES_FINDERS takes the place of Django's own list. Add {' and '.join(map(repr, lacking))} to it, "
            "before the others."
        )
    return (
        "See that djintegrate was installed whole, with its folders `static`: pip install --force-reinstall djintegrate"
    )


def collected_sources() -> Iterator[Path]:
    """The folders with Dojo's sources that collectstatic would take."""
    if settings.STATIC_ROOT:
        for _prefix, directory in _listed():
            if (directory / "util" / "buildscripts").is_dir():
                yield directory


def _static_url() -> str:
    return settings.STATIC_URL or "/"
