"""The paths that a transaction has for itself, until it ends.

A marker beside each lock says whose it is: whoever finds a marker after getting the lock knows that its owner has died,
and that what the owner's journal says comes first.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..exceptions import PathLocked
from .journal import MARKERS, Folder
from .locks import digest_of


class Paths:
    """Those of one transaction. `recover` ends the journal of a name, or raises Undecided."""

    def __init__(self, folder: Folder, name: str, recover: Callable[[str], None]) -> None:
        self._folder = folder
        self._name = name
        self._recover = recover
        self._keys: set[str] = set()

    def take(self, place: Any) -> bool:
        """Whether the place is this transaction's now. Never waits."""
        return place.key in self._keys or (self._folder.locks.take(digest_of(place.key), self) and self._settle(place))

    def wait(self, place: Any, seconds: float) -> None:
        if place.key in self._keys:
            return
        if not self._folder.locks.wait(digest_of(place.key), self, seconds):
            raise PathLocked(
                f"{place!r} is used by another transaction, which did not end within {seconds:g} seconds "
                "(FILES_LOCK_TIMEOUT)."
            )
        self._settle(place)

    def give_back(self, place: Any) -> None:
        """Nothing was noted for it."""
        self._release(place.key)
        self._keys.discard(place.key)

    def release(self) -> None:
        """The transaction is through."""
        for key in self._keys:
            self._release(key)
        self._keys.clear()

    def leave(self) -> None:
        """The same, but the journal is left to others. The markers stay, for whoever takes a path next."""
        for key in self._keys:
            self._folder.locks.release(digest_of(key), self)
        self._keys.clear()

    def _settle(self, place: Any) -> bool:
        marker = marker_of(self._folder, place.key)
        try:
            with contextlib.suppress(FileNotFoundError):
                found = marker.read_text()
                if found and found != self._name:
                    self._recover(found)
            self._folder.make()
            marker.write_text(self._name)
        except BaseException:
            self._folder.locks.release(digest_of(place.key), self)
            raise
        self._keys.add(place.key)
        return True

    def _release(self, key: str) -> None:
        with contextlib.suppress(OSError):
            # One that stays names a journal that is gone: the next to take the path finds nothing to do.
            marker_of(self._folder, key).unlink()
        self._folder.locks.release(digest_of(key), self)


def sweep(folder: Folder) -> None:
    """Remove the markers that nobody has, and that name no journal: their transaction was through, or just began."""
    owner = object()
    for marker in (folder.path / MARKERS).glob("*"):
        if folder.locks.take(marker.name, owner):
            with contextlib.suppress(FileNotFoundError):
                if not folder.journal(marker.read_text()).path.exists():
                    marker.unlink()
            folder.locks.release(marker.name, owner)


def marker_of(folder: Folder, key: str) -> Path:
    return folder.path / MARKERS / digest_of(key)
