"""`{% job_progress result %}`: how far a job is, kept up to date; without JavaScript, as it was with the page."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from djintegrate.common import csp

from .. import catalogue, views

register = template.Library()


@register.inclusion_tag("jobs/progress.html", takes_context=True)
def job_progress(context: Any, job: Any) -> dict[str, Any]:
    """`job` is what `enqueue()` gave, or a job's id."""
    if not isinstance(job, catalogue.Known):
        found = catalogue.find(getattr(job, "id", job))
        if found is None:
            return {"job": None}
        job = found
    request = context.get("request")
    dojo = getattr(request, "dojo", None)
    has_dojo = dojo is not None and dojo.enabled
    if dojo is not None and has_dojo:
        dojo.append_module("dijit.ProgressBar")
    return {
        "job": job,
        "progress": job.progress,
        "state": state(job),
        "status_url": reverse("jobs:status", args=[job.id]),
        "detail_url": reverse("jobs:detail", args=[job.id]),
        "has_dojo": has_dojo,
        "nonce": csp.nonce(request) if request is not None else "",
    }


LABELS = {
    "ready": _("Waiting for a worker"),
    "running": _("Running"),
    "successful": _("Done"),
    "failed": _("Failed"),
    "stopped": _("Stopped"),
    "forgotten": _("Nothing is known of it any more"),
    "unknown": _("Not known: the queue does not answer"),
}


@register.filter
def label(state: str) -> Any:
    """What people read of a state."""
    return LABELS[state]


@register.filter
def state(job: catalogue.Known) -> str:
    return views.state_of(job)
