"""The pages. A view finds, asks who may, and shows; what changes anything is in actions.py."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.db.transaction import atomic
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_time
from django.views.decorators.http import require_http_methods, require_safe
from storm.locals import Desc

from djintegrate.storm_backend import get_store
from testproject.errors import missing

from . import actions, conflicts, forms, roles, session_rows, timetable
from .finding import of_session, of_sprint, while_open
from .models import Activity
from .storm_models import Attendance, Session, Sprint

LOG_LINES = 8
BUTTONS = ("attend", "leave", "unschedule")
# Beside a field, which is where Dijit shows them, there is no room on a phone.
MESSAGES_BELOW = """function () {
    require(["dijit/Tooltip"], function (Tooltip) { Tooltip.defaultPosition = ["below-centered", "above-centered"]; });
}"""


@require_safe
def sprints(request: HttpRequest) -> HttpResponse:
    found = list(get_store("main").find(Sprint).order_by(Desc(Sprint.first_day)))
    coming = [sprint for sprint in reversed(found) if not sprint.is_over]
    context = {
        "coming": coming,
        "past": [sprint for sprint in found if sprint.is_over],
        "waiting": timetable.proposals(coming[0]).first() if coming else None,
        "taken": _taken_slot(coming[0]) if coming else "",
        "provider": _sample_provider(),
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
@while_open
def propose(request: HttpRequest, sprint: Sprint) -> HttpResponse:
    roles.need(request.user, roles.PROPOSE)
    form = _proposal_form(request)
    if form.is_valid() and _is_new(form, sprint, request.user):
        session = actions.propose(sprint, request.user, **form.cleaned_data)
        get_store("main").flush()  # which gives it its key
        messages.success(request, "Proposed. A scheduler will give it a room and a time.")
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
        "may_edit": request.user.has_perm(roles.EDIT, session),
        "may_withdraw": request.user.has_perm(roles.WITHDRAW, session),
        "may_schedule": request.user.has_perm(roles.SCHEDULE),
        "activities": session.activities.select_related("person"),
    }
    return render(request, "sprints/session.html", context)


@login_required
@of_session
@while_open
def edit(request: HttpRequest, session: Session) -> HttpResponse:
    roles.need(request.user, roles.EDIT, session)
    form = _proposal_form(request, session)
    if form.is_valid() and _done(form, actions.edit, session, request.user, **form.cleaned_data):
        messages.success(request, "The session is saved.")
        return redirect(session.get_absolute_url())
    return _form_page(request, form, "sprints/proposal.html", {"sprint": session.sprint, "session": session})


@login_required
@of_session
@while_open
def schedule(request: HttpRequest, session: Session) -> HttpResponse:
    roles.need(request.user, roles.SCHEDULE)
    form = forms.ScheduleForm(request.POST or None, sprint=session.sprint, initial=_slot(request, session))
    if form.is_valid():
        chosen = form.cleaned_data["room"], form.cleaned_data["starts"]
        if _done(form, actions.schedule, session, request.user, *chosen):
            messages.success(request, "The session is on the schedule.")
            return redirect(session.get_absolute_url())
    context = {"sprint": session.sprint, "session": session, **_free_slots(request, session, form)}
    return _form_page(request, form, "sprints/schedule.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@of_session
@while_open
def slides(request: HttpRequest, session: Session) -> HttpResponse:
    roles.need(request.user, roles.EDIT, session)
    if "remove" in request.POST:
        actions.remove_slides(session, request.user)
        messages.success(request, "The slides are removed.")
        return redirect(session.get_absolute_url())
    sent = request.method == "POST"
    form = forms.SlidesForm(request.POST if sent else None, request.FILES if sent else None, label_suffix="")
    if form.is_valid():
        actions.put_slides(session, request.user, form.cleaned_data["slides"])
        messages.success(request, "The slides are there for everybody.")
        return redirect(session.get_absolute_url())
    return _form_page(request, form, "sprints/slides.html", {"sprint": session.sprint, "session": session})


@require_safe
@of_session
def slides_file(request: HttpRequest, session: Session) -> FileResponse:
    """To keep, not to show: what somebody uploaded is not to run as a page of this site."""
    if not session.slides:
        raise missing(request, "This session has no slides.", **_to(session))
    try:
        content = session.slides.open()
    except FileNotFoundError:
        raise missing(request, "The slides of this session are gone.", **_to(session)) from None
    return FileResponse(content, as_attachment=True, filename=session.slides.name.rpartition("/")[2])


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@of_session
@while_open
def withdraw(request: HttpRequest, session: Session) -> HttpResponse:
    roles.need(request.user, roles.WITHDRAW, session)
    if request.method != "POST":
        context = {"session": session, "sprint": session.sprint, "attending": session.attendances.count()}
        return render(request, "sprints/withdraw.html", context)
    sprint, title = session.sprint, session.title
    actions.withdraw(session, request.user)
    messages.success(request, f"“{title}” is withdrawn.")
    return redirect(sprint.get_absolute_url())


@of_session
@while_open
def act(request: HttpRequest, session: Session, what: str) -> HttpResponse:
    """What takes a button and no form."""
    if what not in BUTTONS:
        raise missing(request, f"A session has no button called “{what}”.", **_to(session))
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if request.user.is_anonymous:
        # Whoever has signed in is to come back to a page, and this address has none.
        return redirect_to_login(session.get_absolute_url())
    try:
        if what == "attend":
            actions.attend(session, request.user)
        elif what == "leave":
            actions.leave(session, request.user)
        else:
            roles.need(request.user, roles.SCHEDULE)
            actions.unschedule(session, request.user)
    except actions.Refused as refused:
        for reason in refused.reasons:
            messages.error(request, reason)
    return redirect(session.get_absolute_url())


def _to(session: Session) -> dict[str, str]:
    return {"back": session.get_absolute_url(), "back_to": "the session"}


def _day(request: HttpRequest, sprint: Sprint) -> date:
    """The day that was asked for; else today, if the sprint is on; else its first."""
    asked = request.GET.get("day") or f"{timezone.localdate()}"
    return next((day for day in sprint.days if f"{day}" == asked), sprint.first_day)


def _taken_slot(sprint: Sprint) -> str:
    """The query by which _slot() begins with a room and a time that another session has; nothing if there is none."""
    taken = sprint.sessions.find(Session.starts != None).order_by(Session.starts, Session.id).first()  # noqa: E711
    if taken is None:
        return ""
    starts = timezone.localtime(taken.starts, sprint.zone)
    return "?" + urlencode({"room": taken.room_id, "day": f"{starts:%Y-%m-%d}", "time": f"{starts:%H:%M}"})


def _slot(request: HttpRequest, session: Session) -> dict[str, Any]:
    """The room, the day and the time that the form begins with: the free slot that was clicked, else the session's."""
    starts = session.starts and timezone.localtime(session.starts)
    slot = {"room": session.room_id, "day": starts.date(), "time": starts.time()} if starts else {}
    slot.setdefault("day", session.sprint.first_day)
    clicked: dict[str, Any] = {"room": request.GET.get("room"), "day": None, "time": None}
    for name, parse in (("day", parse_date), ("time", parse_time)):
        with suppress(ValueError):
            clicked[name] = parse(request.GET.get(name, ""))
    return slot | {name: value for name, value in clicked.items() if value}


def _free_slots(request: HttpRequest, session: Session, form: Any) -> dict[str, Any]:
    """The day that the form is about, with what is free there."""
    sprint = session.sprint
    asked = getattr(form, "cleaned_data", {}).get("day") or form.initial["day"]
    day = asked if asked in sprint.days else sprint.first_day
    sessions = timetable.shown(timetable.of_day(sprint, day), request.user)
    hours, free = (conflicts.OPENS, conflicts.CLOSES), conflicts.free_slots(session, day)
    return {"day": day, "grid": timetable.grid(sprint, day, sessions, hours, free)}


def _sample_provider() -> str:
    """The address of the sample provider, if people sign in there. It is a part of this site, at /provider/."""
    address: str = settings.OPENID_SSO_SERVER_URL
    return address if address.endswith("/provider/") else ""


def _proposal_form(request: HttpRequest, session: Session | None = None) -> forms.ProposalForm:
    may_choose = request.user.has_perm(roles.SCHEDULE)
    initial = {"proposer": request.user}
    return forms.ProposalForm(request.POST or None, session=session, initial=initial, may_choose_proposer=may_choose)


def _is_new(form: Any, sprint: Sprint, user: Any) -> bool:
    """Whether this is not what has been proposed already; else the form says so."""
    proposer = form.cleaned_data.get("proposer", user)
    for reason in conflicts.of_proposal(sprint, proposer, form.cleaned_data["title"]):
        form.add_error("title", reason)
    return form.is_valid()


def _done(form: Any, action: Any, *args: Any, **values: Any) -> bool:
    """Whether the action was; if it was refused, the form says why, and what it had begun is taken back."""
    try:
        with atomic():  # a savepoint of the request's transaction, for both ORMs
            action(*args, **values)
    except actions.Refused as refused:
        form.add_error(None, list(refused.reasons))
        return False
    return True


def _sprint_page(request: HttpRequest, sprint: Sprint, tab: str, context: dict[str, Any]) -> HttpResponse:
    return render(request, f"sprints/{tab}.html", {"sprint": sprint, "tab": tab, **context})


def _form_page(request: HttpRequest, form: Any, template: str, context: dict[str, Any]) -> HttpResponse:
    request.dojo.append_aol(MESSAGES_BELOW)
    request.dojo.dojo_form(form, auto=True)
    return render(request, template, {"form": form, **context}, status=400 if form.is_bound else 200)
