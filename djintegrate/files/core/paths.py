"""The paths that a transaction has for itself, until it ends. Those of one thread share a path: one would wait forever.

A marker beside each lock says whose it is: whoever finds a marker after getting the lock knows that its owner has died,
and that what the owner's journal says comes first. A marker is the journal itself by another name: to link a file costs
a disk less than to make one.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from typing import Any

from ..exceptions import PathLocked
from .journal import MARKERS, Folder, Journal, journal_in
from .locks import digest_of


class Paths:
    """Those of one transaction, which may have a journal. `recover` ends the journal of a name, or raises Undecided."""

    def __init__(self, folder: Folder, journal: Callable[[], Journal | None], recover: Callable[[str], None]) -> None:
        self._folder = folder
        self._journal = journal
        self._recover = recover
        # The digest of each place's key.
        self._keys: dict[str, str] = {}
        # Those that another transaction of this thread had already, with its marker.
        self._shared: set[str] = set()
        self._owner = _owner()

    def take(self, place: Any) -> bool:
        """Whether the place is this transaction's now. Never waits."""
        if place.key in self._keys:
            return True
        digest = digest_of(place.key)
        times = self._folder.locks.take(digest, self._owner)
        if times:
            self._settle(place, digest, times)
        return bool(times)

    def wait(self, place: Any, seconds: float) -> None:
        if place.key in self._keys:
            return
        digest = digest_of(place.key)
        times = self._folder.locks.wait(digest, self._owner, seconds)
        if not times:
            raise PathLocked(
                f"{place!r} is used by another transaction, which did not end within {seconds:g} seconds "
                "(FILES_LOCK_TIMEOUT)."
            )
        self._settle(place, digest, times)

    def give_back(self, place: Any) -> None:
        """Nothing was noted for it."""
        self._release(place.key)
        del self._keys[place.key]
        self._shared.discard(place.key)

    def release(self) -> None:
        """The transaction is through."""
        for key in self._keys:
            self._release(key)
        self._keys.clear()

    def leave(self) -> None:
        """The same, but the journal is left to others. The markers stay, for whoever takes a path next."""
        for digest in self._keys.values():
            self._folder.locks.release(digest, self._owner)
        self._keys.clear()

    def _settle(self, place: Any, digest: str, times: int) -> None:
        if times == 1:
            self._mark(digest)
        else:
            self._shared.add(place.key)
        self._keys[place.key] = digest

    def _mark(self, digest: str) -> None:
        marker = _marker_of(self._folder, digest)
        try:
            journal = self._journal()
            if journal is None:
                self._take_over(marker)
            elif not journal.link(marker):
                self._take_over(marker)
                journal.link(marker)
        except BaseException:
            self._folder.locks.release(digest, self._owner)
            raise

    def _take_over(self, marker: str) -> None:
        found = journal_in(marker)
        if found:
            self._recover(found)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(marker)

    def _release(self, key: str) -> None:
        digest = self._keys[key]
        if key not in self._shared:
            with contextlib.suppress(OSError):
                # One that stays names a journal that is gone: the next to take the path finds nothing to do.
                os.unlink(_marker_of(self._folder, digest))
        self._folder.locks.release(digest, self._owner)


def unmark(folder: Folder, digest: str, name: str) -> None:
    """Remove the marker, if it is that of the journal of this name. To be called with the lock."""
    marker = _marker_of(folder, digest)
    if journal_in(marker) == name:
        os.unlink(marker)


def sweep(folder: Folder) -> None:
    """Remove the markers that nobody has, and that name no journal: their transaction was through, or just began."""
    owner = object()
    for marker in (folder.path / MARKERS).glob("*"):
        if folder.locks.take(marker.name, owner):
            if not folder.journal(journal_in(str(marker))).exists():
                marker.unlink(missing_ok=True)
            folder.locks.release(marker.name, owner)


def _marker_of(folder: Folder, digest: str) -> str:
    return f"{folder.path}/{MARKERS}/{digest}"


def _owner() -> object:
    try:
        return _local.owner
    except AttributeError:
        _local.owner = object()
        return _local.owner


_local = threading.local()
