"""What takes longer than a request should. A task is a transaction of its own, with both ORMs in it."""

from __future__ import annotations

import time

from django.conf import settings

from djintegrate import jobs
from djintegrate.jobs import task
from djintegrate.storm_backend import get_store

from . import programme
from .storm_models import Session, Sprint


@task
def export_programme(slug: str, kind: str, asked_by: int) -> str:
    """The text of the file. It is the job's result, so it is there if, and only if, the job has succeeded."""
    sprint = get_store("main").find(Sprint, slug=slug).one()
    if sprint is None:
        raise LookupError(f"There is no sprint {slug!r} any more.")
    sessions = list(sprint.sessions.find(Session.starts != None).order_by(Session.starts, Session.id))  # noqa: E711
    entries = []
    for number, session in enumerate(sessions, start=1):
        if jobs.stop_requested():
            raise jobs.Stopped("As asked.")
        entries.append(programme.entry(session))
        jobs.progress(number, len(sessions), session.title)
        time.sleep(settings.EXPORT_PAUSE_SECONDS)
    jobs.progress(len(sessions), len(sessions), f"{slug}.{kind}")
    return programme.KINDS[kind].write(sprint, entries)
