"""The one World of this process: its settings, its storages and its rows, for the core that knows none of them."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

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
    """By the settings of now."""
    if not _current:
        _current.append(World(recovery_of(config.journal), config.lock_timeout, config.fsync))
    return _current[-1]


def settings_changed(setting: str, **kwargs: Any) -> None:
    """As tests do; connected by the AppConfig."""
    if setting.startswith("FILES_"):
        _current.clear()


def recovery_of(path: Path) -> Recovery:
    with _lock:
        if path not in _recoveries:
            _recoveries[path] = Recovery(Folder(path), identities.place_of, named.is_named)
        return _recoveries[path]


_lock = threading.Lock()
_current: list[World] = []
# For each folder its locks have one file, which is never closed.
_recoveries: dict[Path, Recovery] = {}
