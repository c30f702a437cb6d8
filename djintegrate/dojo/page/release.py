"""What a page knows of the build that DOJO_URL names: by the file that dojo_build puts into it. Without it, nothing.

A page is right either way: what it does not know costs it a request or two more.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage

from .. import conf

MARK = "djintegrate-build.json"
"""The file that tells a build of ours from other folders."""

LAYER = "dojo/dojo"
SEPARATE = ("djintegrate/Editor", "djintegrate/grid")
"""What few pages need: each is a layer of its own, which the loader fetches when a page asks for it."""

logger = logging.getLogger("djintegrate.dojo")


@dataclass(frozen=True)
class Release:
    """A build. Its texts of the first layer begin with boot.js."""

    modules: frozenset[str]
    #: The locales of each layer's texts.
    locales: Mapping[str, Collection[str]]
    #: Whether the themes' stylesheets have form.css at their end.
    has_look: bool

    def texts(self, layer: str, locale: str) -> list[str]:
        """The file that Dojo's loader takes for a page in this language. Not every layer has texts."""
        folder, _, name = layer.rpartition("/")
        known = self.locales.get(layer, ())
        return [f"{folder}/nls/{name}_{one}.js" for one in parents(locale) if one in known][:1]


def parents(locale: str) -> list[str]:
    """A locale and those that stand in for it, in the order in which Dojo's loader looks for them."""
    parts = locale.lower().split("-")
    return [*("-".join(parts[:end]) for end in range(len(parts), 0, -1)), "ROOT"]


def release() -> Release | None:
    """The build behind DOJO_URL, where that is one of the static files. None for Dojo's sources."""
    folder, prefix = conf.url().rpartition("/")[0], settings.STATIC_URL or "/"
    if not folder.startswith(prefix):
        return None
    name = f"{folder.removeprefix(prefix)}/{MARK}"
    if settings.DEBUG:
        # The next build may be made while the site runs.
        return _read(name)
    return _known(name, str(settings.STATIC_ROOT), repr(settings.STATICFILES_DIRS), repr(settings.STORAGES))


@lru_cache(maxsize=8)
def _known(name: str, *settings_of_files: str) -> Release | None:
    """Read once in the life of a process, for the storage may be on another machine."""
    return _read(name)


def _read(name: str) -> Release | None:
    # In development the collected files, if there are any, may be those of an earlier build.
    ways = [_found, _collected] if settings.DEBUG else [_collected, _found]
    for way in ways:
        try:
            said = way(name)
            if said:
                made = json.loads(said)
                return Release(frozenset(made["modules"]), made["texts"], made["look"])
        except Exception as error:  # Storages raise errors of their own, and no page is to fail for this.
            logger.debug("%s is not known to the storage of static files: %s", name, error)
    return None


def _collected(name: str) -> Any:
    stored = getattr(staticfiles_storage, "hashed_files", {}).get(name, name)
    if not staticfiles_storage.exists(stored):
        return None
    with staticfiles_storage.open(stored) as file:
        return file.read()


def _found(name: str) -> Any:
    path = finders.find(name)
    if not path:
        return None
    with open(path, "rb") as file:
        return file.read()
