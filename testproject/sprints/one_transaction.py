"""The page that shows what one transaction means: it writes a row with each ORM, and then commits, or fails on purpose.

Other views leave the end of the transaction to the middleware. This one ends it itself, to tell what was left.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import transaction
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods
from storm.locals import Desc

from djintegrate.storm_backend import get_store

from . import actions, roles
from .models import Activity
from .storm_models import Session, Sprint


class FailedOnPurpose(Exception):
    """Raised after both rows were written."""


@dataclass
class Counts:
    when: str
    sessions: int
    activities: int


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    return _try(request) if request.method == "POST" else _show(request, [_count("Now")])


@permission_required(roles.PROPOSE)
def _try(request: HttpRequest) -> HttpResponse:
    fail = "fail" in request.POST
    seen = [_count("Before")]
    try:
        actions.propose(_some_sprint(), request.user, **SAMPLE)
        seen.append(_count("When both were written"))
        if fail:
            raise FailedOnPurpose
        transaction.commit()
    except FailedOnPurpose:
        transaction.abort()  # as the middleware does, when an exception leaves a view
    transaction.begin()
    seen.append(_count("After the failure" if fail else "After the commit"))
    return _show(request, seen, "failed" if fail else "committed")


SAMPLE = {
    "title": "Written to show what one transaction means",
    "track": "engine",
    "description": "<p>Withdraw it again.</p>",
    "minutes": 30,
    "seats": 10,
}


def _some_sprint() -> Sprint:
    return get_store("main").find(Sprint).order_by(Desc(Sprint.last_day)).first()


def _count(when: str) -> Counts:
    return Counts(when, get_store("main").find(Session).count(), Activity.objects.count())


def _show(request: HttpRequest, seen: list[Counts], outcome: str = "") -> HttpResponse:
    context = {
        "seen": seen,
        "outcome": outcome,
        "source": inspect.getsource(actions.propose) + "\n\n" + inspect.getsource(actions._log),
        "written": get_store("main").find(Session, title=SAMPLE["title"]).order_by(Desc(Session.id)).first(),
        "may_try": request.user.has_perm(roles.PROPOSE) and _some_sprint() is not None,
    }
    return render(request, "sprints/one_transaction.html", context)
