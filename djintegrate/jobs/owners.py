"""Whose job it is that is enqueued now: who is signed in, as JobsMiddleware knows; or whom JOBS_OWNER names.

And who may see the jobs of others.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from . import conf

PERMISSION = "jobs.view_job"

request: ContextVar[Any] = ContextVar("request", default=None)
"""The request that this code runs for."""


def current_key() -> str | None:
    """The primary key of the owner, as text; None where there is none."""
    owner = _owner()
    if owner is None or owner.pk is None:
        return None
    return str(owner.pk)


def _owner() -> Any:
    named = conf.owner()
    if named is not None:
        return named()
    user = getattr(request.get(), "user", None)
    return user if user is not None and user.is_authenticated else None


def is_staff(request: Any) -> bool:
    """Whether whoever asks may see the jobs of others, and what is inside of an error."""
    user = getattr(request, "user", None)
    return bool(user is not None and user.is_staff and user.has_perm(PERMISSION))
