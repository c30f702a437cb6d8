"""The programme as a file: a button enqueues a job, a page shows how far it is, and then has the file."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from djintegrate.jobs.tasks import Status, TaskResultDoesNotExist, TaskResultMismatch
from testproject.errors import missing

from . import programme
from .finding import of_sprint
from .storm_models import Sprint
from .tasks import export_programme


@of_sprint
def begin(request: HttpRequest, sprint: Sprint, kind: str) -> HttpResponse:
    if kind not in programme.KINDS:
        reason = f"A programme is not exported as “{kind}”, but as {' or '.join(programme.KINDS)}."
        raise missing(request, reason, **_to(sprint))
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if request.user.is_anonymous:
        # Whoever has signed in is to come back to a page, and this address has none.
        return redirect_to_login(sprint.get_absolute_url())
    job = export_programme.enqueue(slug=sprint.slug, kind=kind, asked_by=request.user.pk)
    return redirect("exported", sprint.slug, job.id)


@require_safe
@never_cache
@login_required
@of_sprint
def page(request: HttpRequest, sprint: Sprint, job: UUID) -> HttpResponse:
    found = _export(request, sprint, job)
    context = {
        "sprint": sprint,
        "job": found,
        "kind": programme.KINDS[found.kwargs["kind"]].name,
        "is_finished": found.is_finished,
        "is_ready": found.status == Status.SUCCESSFUL,
    }
    return render(request, "sprints/export.html", context)


@require_safe
@login_required
@of_sprint
def file(request: HttpRequest, sprint: Sprint, job: UUID) -> HttpResponse:
    found = _export(request, sprint, job)
    if found.status != Status.SUCCESSFUL:
        raise missing(request, "This export has no file: it is not done, or it has failed.", **_to(sprint))
    kind = found.kwargs["kind"]
    content_type = f"{programme.KINDS[kind].content_type}; charset=utf-8"
    name = f'attachment; filename="{sprint.slug}.{kind}"'
    return HttpResponse(found.return_value, content_type, headers={"Content-Disposition": name})


def _to(sprint: Sprint) -> dict[str, str]:
    return {"back": sprint.get_absolute_url(), "back_to": "the sprint"}


def _export(request: HttpRequest, sprint: Sprint, job: UUID) -> Any:
    """The job, if it is an export of this sprint that the one who asks has begun."""
    try:
        found = export_programme.get_result(str(job))
    except (TaskResultDoesNotExist, TaskResultMismatch):
        found = None
    if found is None or (found.kwargs["slug"], found.kwargs["asked_by"]) != (sprint.slug, request.user.pk):
        raise missing(request, "There is no such export, or it is not yours.", **_to(sprint))
    return found
