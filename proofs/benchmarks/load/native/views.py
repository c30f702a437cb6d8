"""The pages that the load asks for, as testproject.sprints has them: the same queries, locks, checks and templates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from testproject.sprints import roles
from testproject.sprints.forms import ProposalForm
from testproject.sprints.timetable import Shown

from .models import Activity, Attendance, Session, Sprint


def of_sprint(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def found(request: HttpRequest, slug: str, **others: Any) -> HttpResponse:
        sprint = get_object_or_404(Sprint, slug=slug)
        with timezone.override(sprint.zone):
            return view(request, sprint, **others)

    return found


def of_session(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @of_sprint
    @wraps(view)
    def found(request: HttpRequest, sprint: Sprint, key: int, **others: Any) -> HttpResponse:
        return view(request, get_object_or_404(sprint.sessions, pk=key), **others)

    return found


@require_safe
@of_sprint
def sprint(request: HttpRequest, sprint: Sprint) -> HttpResponse:
    asked = request.GET.get("day") or f"{timezone.localdate()}"
    day = next((day for day in sprint.days if f"{day}" == asked), sprint.first_day)
    context = {
        "sprint": sprint,
        "tab": "day",
        "day": day,
        "sessions": shown(of_day(sprint, day), request.user),
        "proposals": shown(sprint.sessions.filter(starts=None).order_by("title"), request.user),
    }
    return render(request, "sprints/day.html", context)


@require_safe
@of_session
def session(request: HttpRequest, session: Session) -> HttpResponse:
    may_schedule = request.user.has_perm(roles.SCHEDULE)
    context = {
        "session": session,
        "sprint": session.sprint,
        "people": list(session.people()),
        "is_attending": is_attending(session, request.user),
        "may_edit": may_schedule or request.user.pk == session.proposer_id,
        "may_schedule": may_schedule,
        "activities": session.activities.select_related("person"),
    }
    return render(request, "sprints/session.html", context)


@login_required
@of_sprint
def propose(request: HttpRequest, sprint: Sprint) -> HttpResponse:
    if not request.user.has_perm(roles.PROPOSE):
        raise PermissionDenied
    form = ProposalForm(request.POST or None, may_choose_proposer=request.user.has_perm(roles.SCHEDULE))
    if form.is_valid():
        proposed = Session.objects.create(sprint=sprint, **{"proposer": request.user, **form.cleaned_data})
        log(proposed, request.user, "proposed")
        messages.success(request, "Proposed. Somebody who schedules will find it a room and a time.")
        return redirect(proposed.get_absolute_url())
    request.dojo.dojo_form(form, auto=True)
    context = {"form": form, "sprint": sprint}
    return render(request, "sprints/proposal.html", context, status=400 if form.is_bound else 200)


@require_POST
@login_required
@of_session
def act(request: HttpRequest, session: Session, what: str) -> HttpResponse:
    if what == "attend":
        attend(session, request.user)
    elif what == "leave":
        leave(session, request.user)
    else:
        raise Http404
    return redirect(session.get_absolute_url())


def shown(sessions: Any, user: Any) -> list[Shown]:
    found = list(sessions.prefetch_related("proposer", "room", "sprint"))
    here = Attendance.objects.filter(session__in=[session.id for session in found])
    numbers = dict(here.values_list("session_id").annotate(Count("person_id")))
    mine = set(here.filter(person=user).values_list("session_id", flat=True)) if user.pk else set()
    return [Shown(session, numbers.get(session.id, 0), session.id in mine) for session in found]


def of_day(sprint: Sprint, day: date) -> Any:
    begins = datetime.combine(day, time.min, sprint.zone)
    ends = datetime.combine(day + timedelta(days=1), time.min, sprint.zone)
    return sprint.sessions.filter(starts__gte=begins, starts__lt=ends).order_by("starts", "room_id")


def attend(session: Session, person: Any) -> None:
    Sprint.objects.select_for_update().get(pk=session.sprint_id)
    session.refresh_from_db()
    # The load attends proposals, which have no time that another session could be at.
    if not is_attending(session, person) and session.attendances.count() < session.seats:
        Attendance.objects.create(session=session, person=person)
        log(session, person, "joined")


def leave(session: Session, person: Any) -> None:
    if Attendance.objects.filter(session=session, person=person).delete()[0]:
        log(session, person, "left")


def is_attending(session: Session, person: Any) -> bool:
    return bool(Attendance.objects.filter(session=session, person=person).exists())


def log(session: Session, person: Any, what: str) -> None:
    Activity.objects.create(session=session, person=person, what=what, title=session.title)


def elsewhere(request: HttpRequest, **values: Any) -> HttpResponse:
    """For the addresses that the templates link to, and no load asks for."""
    raise Http404
