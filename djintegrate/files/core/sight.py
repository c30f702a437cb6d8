"""Where a transaction finds a path, if it has replaced or removed folders, or links, that the path leads through.

Until the commit those are on the disk as they were. What replaces a folder waits beside it, and changes of what is
below the folder are made there: after the commit they come into place with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from .changes import Change, Kind
from .places import PathPlace

MOST_LINKS = 40
"""As Linux has it. Links that lead to each other lead to nothing."""


def here(place: PathPlace, trees: Mapping[str, Change]) -> PathPlace | None:
    """`trees` are the changes of what paths may lead through. None if there is no way to the place any more."""
    if not place.has_below:
        return place
    folder, name = os.path.split(place.path)
    found = _folder_now(folder, trees)
    if found is None:
        return None
    return place if place.key == f"path:{found}/{name}" else PathPlace(f"{found}/{name}")


def followed_link(path: PathPlace, where: Callable[[PathPlace], PathPlace | None]) -> PathPlace | None:
    for _ in range(MOST_LINKS):
        now = where(path)
        if now is None or not os.path.islink(now.path):
            return now
        folder = os.path.realpath(os.path.dirname(now.path))
        path = PathPlace(os.path.join(folder, os.readlink(now.path)))
    return None


def _folder_now(folder: str, trees: Mapping[str, Change]) -> str | None:
    """As os.path.realpath() without the last slash, but with what the transaction has done."""
    done, rest, links = "", folder.split("/")[::-1], 0
    while rest:
        name = rest.pop()
        if name in ("", "."):
            continue
        if name == "..":
            done = done.rpartition("/")[0]
            continue
        path = f"{done}/{name}"
        change = trees.get(f"path:{path}")
        if change is not None:
            if change.kind is Kind.REMOVE:
                return None
            path = f"{done}/{os.path.basename(change.staged.path)}"
        if not os.path.islink(path):
            done = path
            continue
        links += 1
        if links > MOST_LINKS:
            return None
        target = os.readlink(path)
        if target.startswith("/"):
            done = ""
        rest += target.split("/")[::-1]
    return done
