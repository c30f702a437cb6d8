"""The page that shows what one transaction means: it writes a row with each ORM, and then commits, or fails on purpose.

Other views leave the end of the transaction to the middleware. This one ends it itself, to tell what was left. What it
tells is kept in the session and shown by a page of its own: to load that again writes nothing.
"""

from __future__ import annotations

import inspect
from dataclasses import asdict, dataclass
from typing import Any

import transaction
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods
from storm.locals import Desc

from djintegrate.storm_backend import get_store

from . import actions, roles, timeline
from .models import Activity
from .storm_models import Session, Sprint

KEPT = "one-transaction"
"""What of the session is this page's."""


class FailedOnPurpose(Exception):
    """Raised after both rows were written."""


@dataclass
class Counts:
    when: str
    sessions: int
    activities: int


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _try(request)
    kept = request.session.get(KEPT) if "tried" in request.GET else None
    return _show(request, **(kept or {"seen": [_count("Now")], "events": timeline.PLAN}))


@login_required
def _try(request: HttpRequest) -> HttpResponse:
    roles.need(request.user, roles.PROPOSE)
    fail = "fail" in request.POST
    seen = [_count("Before")]
    sprint = _open_sprint()
    if sprint is None:
        raise PermissionDenied("There is no sprint to come that a session could be proposed for.")
    with timeline.recording() as recorded:
        recorded.note(timeline.TRANSACTION, timeline.BEGUN)
        try:
            actions.propose(sprint, request.user, **SAMPLE)
            seen.append(_count("After both wrote"))
            if fail:
                recorded.note(timeline.TRANSACTION, "An exception is raised. Both rows are written, and not committed.")
                raise FailedOnPurpose
            transaction.commit()
            recorded.note(timeline.TRANSACTION, "The transaction commits: both rows stay.", "COMMIT")
        except FailedOnPurpose:
            transaction.abort()  # as the middleware does, when an exception leaves a view
            recorded.note(timeline.TRANSACTION, "The transaction is rolled back: neither row is left.", "ROLLBACK")
    transaction.begin()
    seen.append(_count("After the failure" if fail else "After the commit"))
    request.session[KEPT] = {
        "seen": [asdict(count) for count in seen],
        "events": [asdict(event) for event in recorded.events],
        "outcome": "failed" if fail else "committed",
    }
    return redirect(f"{reverse('one-transaction')}?tried")


SAMPLE = {
    "title": "Written to show what one transaction means",
    "track": "engine",
    "description": "<p>You may withdraw it again.</p>",
    "minutes": 30,
    "seats": 10,
}


def _open_sprint() -> Sprint | None:
    last: Sprint | None = get_store("main").find(Sprint).order_by(Desc(Sprint.last_day)).first()
    return None if last is None or last.is_over else last


def _count(when: str) -> Counts:
    return Counts(when, get_store("main").find(Session).count(), Activity.objects.count())


def _show(request: HttpRequest, **context: Any) -> HttpResponse:
    context |= {
        "source": inspect.getsource(actions.propose) + "\n\n" + inspect.getsource(actions._log),
        "written": get_store("main").find(Session, title=SAMPLE["title"]).order_by(Desc(Session.id)).first(),
        "provider": settings.OPENID_SSO_SERVER_URL,
        "may_try": request.user.has_perm(roles.PROPOSE) and _open_sprint() is not None,
    }
    return render(request, "sprints/one_transaction.html", context)
