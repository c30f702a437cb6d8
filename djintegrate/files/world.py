"""The one World of this process: its settings, its storages and its rows, for the core that knows none of them."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from . import identities, named
from .conf import FilesSettings, config
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
    given = FilesSettings.journal.given, FilesSettings.lock_timeout.given, FilesSettings.fsync.given
    try:
        return _worlds[given]
    except KeyError:
        world = _worlds[given] = World(recovery_of(config.journal), config.lock_timeout, config.fsync)
        return world


def recovery_of(path: Path) -> Recovery:
    with _lock:
        if path not in _recoveries:
            _recoveries[path] = Recovery(Folder(path), identities.place_of, named.is_named)
        return _recoveries[path]


_lock = threading.Lock()
# What was read and found to fit, by what stands in the settings.
_worlds: dict[Any, World] = {}
# For each folder its locks have one file, which is never closed.
_recoveries: dict[Path, Recovery] = {}
