"""What people read of a job: the word for its state, what it says of itself, and times."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from .catalogue import COUNTED, READY, Known
from .queues import Unserved, alive

LABELS = {
    "ready": gettext_lazy("Waiting for a worker"),
    "running": gettext_lazy("Running"),
    "stopping": gettext_lazy("Stopping …"),
    "successful": gettext_lazy("Done"),
    "failed": gettext_lazy("Failed"),
    "stopped": gettext_lazy("Stopped"),
    "forgotten": gettext_lazy("Nothing is known of it any more"),
    "unknown": gettext_lazy("Not known: the queue does not answer"),
}


def label(job: Known) -> str:
    if job.word != "later":
        return str(LABELS[job.word])
    text = _("Will try again at %(time)s") if job.put_off else _("Will begin at %(time)s")
    return text % {"time": moment(job.run_after, today=True)}


def message(job: Known, for_staff: bool = False) -> str:
    """The last that the job has said; else what it waits for. That nobody runs it is for those who could."""
    if job.was_stopped and job.words:
        return job.words
    if job.state == READY and job.put_off:
        return job.put_off.reason
    if job.word == "ready" and (for_staff or settings.DEBUG) and job.unserved is not None:
        return _nobody(job.unserved)
    if job.word == "ready" and (ahead := job.ahead):
        text = ngettext("%(count)d job is before it", "%(count)d jobs are before it", ahead)
        return (text if ahead < COUNTED else _("%(count)d jobs or more are before it")) % {"count": ahead}
    said = "" if job.progress is None else job.progress.message
    return _("after: %(message)s") % {"message": said} if said and job.word == "failed" else said


def _nobody(queue: Unserved) -> str:
    if queue.command.startswith("jobs run") and not alive():
        return _("Nobody runs jobs, as far as is known. Start a worker: %(command)s") % {
            "command": "manage.py jobs run"
        }
    return _("Nobody runs the queue “%(queue)s”, as far as is known. Start a worker: %(command)s") % {
        "queue": queue.name,
        "command": f"manage.py {queue.command}",
    }


def error(job: Known) -> str:
    """What went wrong, for those who may know what is inside."""
    if job.state == READY and job.put_off:
        return job.put_off.error
    return "" if job.was_stopped else job.error


def moment(value: datetime | None, today: bool = False) -> str:
    """To the second; with `today`, without the date if that is today's."""
    if value is None:
        return ""
    local = here(value)
    now = timezone.localtime() if timezone.is_aware(value) else datetime.now()
    time = f"{local:%H:%M:%S}"
    return time if today and local.date() == now.date() else f"{date_format(local, 'DATE_FORMAT')}, {time}"


def here(value: datetime) -> datetime:
    """By the clock of the current time zone."""
    return timezone.localtime(value) if timezone.is_aware(value) else value


def as_json(job: Known, for_staff: bool) -> dict[str, Any]:
    progress = job.progress
    return {
        "id": job.id,
        "state": job.word,
        "label": label(job),
        "done": None if progress is None else progress.done,
        "total": None if progress is None else progress.total,
        "message": message(job, for_staff),
        "error": error(job) if for_staff else "",
        "started": moment(job.started_at),
        "ended": moment(job.finished_at),
        "attempts": job.attempts,
    }
