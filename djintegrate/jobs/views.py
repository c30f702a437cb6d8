"""The pages of jobs: a list of one's own, one job, and its state as JSON. Somebody else's job is a 404."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from . import catalogue

PERMISSION = "jobs.view_job"
SHOWN = 50


@login_required
@never_cache
@require_safe
def job_list(request: HttpRequest) -> HttpResponse:
    return render(request, "jobs/list.html", {"jobs": catalogue.recent(SHOWN, request.user), "shown": SHOWN})


@login_required
@never_cache
@require_safe
def detail(request: HttpRequest, job_id: object) -> HttpResponse:
    job = _job(request, job_id)
    return render(request, "jobs/detail.html", {"job": job, "shows_traceback": _is_staff(request)})


@login_required
@never_cache
@require_safe
def status(request: HttpRequest, job_id: object) -> JsonResponse:
    return JsonResponse(as_json(_job(request, job_id), _is_staff(request)))


@require_POST
def stop(request: HttpRequest, job_id: object) -> HttpResponse:
    if not request.user.is_authenticated:
        # Whoever has signed in is to come back to a page, and this address has none.
        return redirect_to_login(reverse("jobs:detail", args=[job_id]))
    job = _job(request, job_id)
    # A job that has ended in the meantime says so on its page.
    with suppress(catalogue.NotPossible):
        catalogue.stop(job)
    return redirect("jobs:detail", job.id)


def state_of(job: catalogue.Known) -> str:
    """One word: ready, running, successful, failed, stopped, forgotten or unknown."""
    return "stopped" if job.was_stopped else job.state.lower()


def as_json(job: catalogue.Known, for_staff: bool) -> dict[str, Any]:
    """The traceback's last line is for staff: it may name what is inside."""
    progress = job.progress
    return {
        "id": job.id,
        "state": state_of(job),
        "done": None if progress is None else progress.done,
        "total": None if progress is None else progress.total,
        "message": "" if progress is None else progress.message,
        "error": job.error if for_staff else "",
    }


def _job(request: HttpRequest, job_id: object) -> catalogue.Known:
    job = catalogue.find(job_id)
    if job is None or not (job.is_of(request.user) or _is_staff(request)):
        raise Http404(_("There is no such job."))
    return job


def _is_staff(request: HttpRequest) -> bool:
    user: Any = request.user
    return bool(user.is_staff and user.has_perm(PERMISSION))
