"""The pages of jobs: a list of one's own, one job, and its state as JSON. Somebody else's job is a 404."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from . import catalogue, wording
from .owners import is_staff

SHOWN = 50


@login_required
@never_cache
@require_safe
def job_list(request: HttpRequest) -> HttpResponse:
    context = {"jobs": catalogue.recent(SHOWN, request.user), "shown": SHOWN, "is_staff": is_staff(request)}
    return render(request, "jobs/list.html", context)


@login_required
@never_cache
@require_safe
def detail(request: HttpRequest, job_id: object) -> HttpResponse:
    return _page(request, _job(request, job_id))


@login_required
@never_cache
@require_safe
def status(request: HttpRequest, job_id: object) -> JsonResponse:
    # What went wrong is for staff: it may name what is inside.
    return JsonResponse(wording.as_json(_job(request, job_id), is_staff(request)))


@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, job_id: object) -> HttpResponse:
    if request.method != "POST":
        # Somebody has kept the address, or loads it again. Only the button stops a job.
        return redirect("jobs:detail", job_id)
    if not request.user.is_authenticated:
        # Whoever has signed in is to come back to a page, and this address has none.
        return redirect_to_login(reverse("jobs:detail", args=[job_id]))
    job = _job(request, job_id)
    try:
        catalogue.stop(job)
    except catalogue.NotHeard:
        return _page(request, job, status=503)
    except catalogue.NotPossible:
        pass  # A job that has ended in the meantime says so on its page.
    return redirect("jobs:detail", job.id)


def _page(request: HttpRequest, job: catalogue.Known, status: int = 200) -> HttpResponse:
    context = {"job": job, "is_staff": is_staff(request), "was_not_heard": status == 503}
    return render(request, "jobs/detail.html", context, status=status)


def _job(request: HttpRequest, job_id: object) -> catalogue.Known:
    job = catalogue.find(job_id)
    if job is None or not (job.is_of(request.user) or is_staff(request)):
        raise Http404(_("There is no such job."))
    return job
