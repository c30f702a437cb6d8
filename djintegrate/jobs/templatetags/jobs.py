"""`{% job_progress result %}`: how far a job is, kept up to date; without JavaScript, as it was with the page."""

from __future__ import annotations

from typing import Any

from django import template
from django.conf import settings
from django.urls import reverse

from djintegrate.common import csp

from .. import catalogue, wording
from ..owners import is_staff

register = template.Library()


@register.inclusion_tag("jobs/progress.html", takes_context=True)
def job_progress(context: Any, job: Any) -> dict[str, Any]:
    """`job` is what `enqueue()` gave, or a job's id."""
    if not isinstance(job, catalogue.Known):
        found = catalogue.find(getattr(job, "id", job))
        if found is None:
            # With None a view says that there is no job; anything else is more likely a slip.
            return {"job": None, "missing": repr(job) if settings.DEBUG and job is not None else ""}
        job = found
    request = context.get("request")
    dojo = getattr(request, "dojo", None)
    has_dojo = dojo is not None and dojo.enabled
    if dojo is not None and has_dojo:
        dojo.append_module("dijit.ProgressBar")
    return {
        "job": job,
        "progress": job.progress,
        "said": wording.message(job, is_staff(request)),
        "status_url": reverse("jobs:status", args=[job.id]),
        "detail_url": reverse("jobs:detail", args=[job.id]),
        "has_dojo": has_dojo,
        "nonce": csp.nonce(request) if request is not None else "",
    }


@register.filter
def label(job: catalogue.Known) -> str:
    """What people read of its state."""
    return wording.label(job)


@register.filter
def said(job: catalogue.Known) -> str:
    """What the job has said last, or what it waits for."""
    return wording.message(job)


@register.filter
def moment(value: Any) -> str:
    """A time to the second."""
    return wording.moment(value)
