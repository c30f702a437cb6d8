"""The one World of this process: its settings, its storages and its rows, for the core that knows none of them."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from pathlib import Path

from . import identities, named
from .conf import config
from .core import unit
from .core.journal import Folder
from .core.recovery import Recovery
from .core.unit import Unit, World


def changing(using: str) -> AbstractContextManager[Unit]:
    """The files of the current transaction; or, without one, of a change that happens at once."""
    return unit.changing(current(), using)


def reading(using: str) -> Unit | None:
    """The files of the current transaction, if it has changed any."""
    return unit.reading(current(), using)


def current() -> World:
    """By the settings of now, which tests change."""
    path = config.journal
    with _lock:
        folder = _folders.get(path)
        if folder is None:
            folder = _folders[path] = Folder(path)
            _recoveries[path] = Recovery(folder, identities.place_of, named.is_named)
    return World(folder, _recoveries[path], config.lock_timeout, config.fsync)


_lock = threading.Lock()
# For each folder its locks have one file, which is never closed.
_folders: dict[Path, Folder] = {}
_recoveries: dict[Path, Recovery] = {}
