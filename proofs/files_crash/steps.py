"""The steps of the protocol, at each of which a process can be made to kill itself."""

from __future__ import annotations

import os
import signal
from typing import Any

from django.core.files.storage import FileSystemStorage
from django.db.backends.base.base import BaseDatabaseWrapper

from djintegrate.files.core import decisions
from djintegrate.files.core.changes import Change
from djintegrate.files.core.journal import Journal
from djintegrate.files.core.paths import Paths
from djintegrate.files.core.places import PathPlace
from djintegrate.files.core.unit import Unit

WHERE: dict[str, tuple[Any, str]] = {
    "a path is claimed": (Paths, "_settle"),
    "a journal is begun": (Journal, "begin"),
    "a change is noted": (Unit, "note"),
    "content is written": (FileSystemStorage, "_save"),
    "a file takes its name": (PathPlace, "create_from"),
    "the decision is recorded": (decisions, "record"),
    "the database commits": (BaseDatabaseWrapper, "_commit"),
    "a change is completed": (Change, "complete"),
    "a replacement is swapped in": (PathPlace, "take_from"),
    "a file is removed": (PathPlace, "remove"),
    "a change is undone": (Change, "undo"),
    "the journal is removed": (Journal, "finish"),
    "the paths are released": (Paths, "release"),
}
STEPS = [f"{when} {what}" for what in WHERE for when in ("before", "after")]


def kill_at(step: str, times: int) -> None:
    """From now on: this process ends when it comes to this step for so many times."""
    when, _, what = step.partition(" ")
    owner, name = WHERE[what]
    original = getattr(owner, name)
    left = [times]

    def passed(at: str) -> None:
        if at == when:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def watched(*args: Any, **kwargs: Any) -> Any:
        passed("before")
        result = original(*args, **kwargs)
        passed("after")
        return result

    setattr(owner, name, watched)
