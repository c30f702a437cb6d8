"""The pages. A view finds, asks who may, and shows; what changes anything is in actions.py."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.transaction import atomic
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from storm.locals import Desc

from djintegrate.storm_backend import get_store

from . import actions, forms, roles, session_rows, timetable
from .finding import of_session, of_sprint
from .models import Activity
from .storm_models import Attendance, Session, Sprint

LOG_LINES = 8
# Beside a field, which is where Dijit shows them, there is no room on a phone.
MESSAGES_BELOW = """function () {
    require(["dijit/Tooltip"], function (Tooltip) { Tooltip.defaultPosition = ["below-centered", "above-centered"]; });
}"""


@require_safe
def sprints(request: HttpRequest) -> HttpResponse:
    found = list(get_store("main").find(Sprint).order_by(Desc(Sprint.first_day)))
    today = timezone.localdate()
    context = {
        "coming": [sprint for sprint in reversed(found) if sprint.last_day >= today],
        "past": [sprint for sprint in found if sprint.last_day < today],
        "activities": Activity.objects.select_related("person").prefetch_related("session")[:LOG_LINES],
    }
    return render(request, "sprints/sprints.html", context)


@require_safe
def people(request: HttpRequest) -> HttpResponse:
    found = forms.people().prefetch_related("groups")
    store = get_store("main")
    proposed = Counter(store.find(Session).values(Session.proposer_id))
    attended = Counter(store.find(Attendance).values(Attendance.person_id))
    rows = [{"person": each, "proposes": proposed[each.pk], "attends": attended[each.pk]} for each in found]
    return render(request, "sprints/people.html", {"rows": rows})


@require_safe
@of_sprint
def sprint(request: HttpRequest, sprint: Sprint) -> HttpResponse:
    day = _day(request, sprint)
    context = {
        "day": day,
        "sessions": timetable.shown(timetable.of_day(sprint, day), request.user),
        "proposals": timetable.shown(timetable.proposals(sprint), request.user),
    }
    return _sprint_page(request, sprint, "day", context)


@require_safe
@of_sprint
def grid(request: HttpRequest, sprint: Sprint) -> HttpResponse:
    day = _day(request, sprint)
    sessions = timetable.shown(timetable.of_day(sprint, day), request.user)
    return _sprint_page(request, sprint, "grid", {"day": day, "grid": timetable.grid(sprint, day, sessions)})


@require_safe
@of_sprint
def sessions(request: HttpRequest, sprint: Sprint) -> HttpResponse:
    return _sprint_page(request, sprint, "sessions", {"grid": session_rows.grid(sprint)})


@login_required
@of_sprint
def propose(request: HttpRequest, sprint: Sprint) -> HttpResponse:
    if not request.user.has_perm(roles.PROPOSE):
        return _team_page(request, sprint, "sprint-proposers")
    form = _proposal_form(request)
    if form.is_valid():
        session = actions.propose(sprint, request.user, **form.cleaned_data)
        get_store("main").flush()  # which gives it its key
        messages.success(request, "Proposed. Somebody who schedules will find it a room and a time.")
        return redirect(session.get_absolute_url())
    return _form_page(request, form, "sprints/proposal.html", {"sprint": sprint})


@require_safe
@of_session
def session(request: HttpRequest, session: Session) -> HttpResponse:
    context = {
        "session": session,
        "sprint": session.sprint,
        "people": list(session.people()),
        "is_attending": actions.is_attending(session, request.user),
        "may_edit": _may_edit(request.user, session),
        "may_schedule": request.user.has_perm(roles.SCHEDULE),
        "activities": session.activities.select_related("person"),
    }
    return render(request, "sprints/session.html", context)


@login_required
@of_session
def edit(request: HttpRequest, session: Session) -> HttpResponse:
    if not _may_edit(request.user, session):
        raise PermissionDenied("Only its proposer, and those who schedule, may change a session.")
    form = _proposal_form(request, session)
    if form.is_valid() and _done(form, actions.edit, session, request.user, **form.cleaned_data):
        messages.success(request, "Changed.")
        return redirect(session.get_absolute_url())
    return _form_page(request, form, "sprints/proposal.html", {"sprint": session.sprint, "session": session})


@login_required
@of_session
def schedule(request: HttpRequest, session: Session) -> HttpResponse:
    if not request.user.has_perm(roles.SCHEDULE):
        return _team_page(request, session.sprint, "sprint-schedulers")
    starts = session.starts and timezone.localtime(session.starts)
    initial = {"room": session.room_id, "day": starts.date(), "time": starts.time()} if starts else {}
    initial = initial or {"day": session.sprint.first_day}
    form = forms.ScheduleForm(request.POST or None, sprint=session.sprint, initial=initial)
    if form.is_valid():
        chosen = form.cleaned_data["room"], form.cleaned_data["starts"]
        if _done(form, actions.schedule, session, request.user, *chosen):
            messages.success(request, "On the schedule.")
            return redirect(session.get_absolute_url())
    return _form_page(request, form, "sprints/schedule.html", {"sprint": session.sprint, "session": session})


@require_POST
@login_required
@of_session
def act(request: HttpRequest, session: Session, what: str) -> HttpResponse:
    """What takes a button and no form."""
    following = session.get_absolute_url()
    try:
        if what == "attend":
            actions.attend(session, request.user)
        elif what == "leave":
            actions.leave(session, request.user)
        elif what == "unschedule" and request.user.has_perm(roles.SCHEDULE):
            actions.unschedule(session, request.user)
        elif what == "withdraw" and _may_edit(request.user, session):
            following = session.sprint.get_absolute_url()
            actions.withdraw(session, request.user)
            messages.success(request, f"“{session.title}” is withdrawn.")
        elif what in ("unschedule", "withdraw"):
            raise PermissionDenied(f"You may not {what} this session.")
        else:
            raise Http404(f"Nobody can {what} a session.")
    except actions.Refused as refused:
        for reason in refused.reasons:
            messages.error(request, reason)
    return redirect(following)


def _day(request: HttpRequest, sprint: Sprint) -> date:
    """The day that was asked for; else today, if the sprint is on; else its first."""
    asked = request.GET.get("day") or f"{timezone.localdate()}"
    return next((day for day in sprint.days if f"{day}" == asked), sprint.first_day)


def _may_edit(user: Any, session: Session) -> bool:
    return user.has_perm(roles.SCHEDULE) or (user.pk is not None and user.pk == session.proposer_id)


def _proposal_form(request: HttpRequest, session: Session | None = None) -> forms.ProposalForm:
    may_choose = request.user.has_perm(roles.SCHEDULE)
    initial = {"proposer": request.user}
    return forms.ProposalForm(request.POST or None, session=session, initial=initial, may_choose_proposer=may_choose)


def _done(form: Any, action: Any, *args: Any, **values: Any) -> bool:
    """Whether the action was; if it was refused, the form says why, and what it had begun is taken back."""
    try:
        with atomic():  # a savepoint of the request's transaction, for both ORMs
            action(*args, **values)
    except actions.Refused as refused:
        form.add_error(None, list(refused.reasons))
        return False
    return True


def _team_page(request: HttpRequest, sprint: Sprint, team: str) -> HttpResponse:
    context = {"sprint": sprint, "team": team, "provider": settings.OPENID_SSO_SERVER_URL}
    return render(request, "sprints/join.html", context, status=403)


def _sprint_page(request: HttpRequest, sprint: Sprint, tab: str, context: dict[str, Any]) -> HttpResponse:
    return render(request, f"sprints/{tab}.html", {"sprint": sprint, "tab": tab, **context})


def _form_page(request: HttpRequest, form: Any, template: str, context: dict[str, Any]) -> HttpResponse:
    request.dojo.append_aol(MESSAGES_BELOW)
    request.dojo.dojo_form(form, auto=True)
    return render(request, template, {"form": form, **context}, status=400 if form.is_bound else 200)
