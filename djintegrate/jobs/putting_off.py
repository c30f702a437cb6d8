"""A job that is put off: the same job runs again after a pause. How often, and why, is kept beside its arguments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from .errors import PutOff
from .texts import error_line, path_of, readable, traceback_of

KEY = "put_off"


def moment(error: PutOff, kept: dict[str, Any]) -> datetime | None:
    """When the job is to run again; None if it has been put off as often as it may be."""
    done = times(kept)
    return timezone.now() + error.pauses[done] if done < len(error.pauses) else None


def noted(error: PutOff, kept: dict[str, Any], begun: int = 1) -> dict[str, Any]:
    """What is kept from now on. `begun` is how often the job was begun since it was put off last."""
    cause = error.__cause__ or error
    said = error_line(path_of(cause), traceback_of(cause))
    noted = {"times": times(kept) + 1, "begun": times_begun(kept) + begun, "reason": readable(error.reason)}
    return {**kept, KEY: {**noted, "error": said}}


def times(kept: dict[str, Any]) -> int:
    return int(kept.get(KEY, {}).get("times", 0))


def times_begun(kept: dict[str, Any]) -> int:
    """How often the job was begun until it was put off last."""
    return int(kept.get(KEY, {}).get("begun", 0))
