"""The page that shows the roles and what they may, and tells whoever reads it why they may, or may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from djintegrate import acl
from djintegrate.acl.matrix import Row, matrix
from djintegrate.acl.reasons import Reason, why

from .roles import WORDS


@dataclass(frozen=True)
class Column:
    role: str
    how: str
    """How people come by the role."""


@dataclass(frozen=True)
class Line:
    row: Row
    words: str
    name: str
    reason: Reason
    may: str


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    roles = acl.current()
    context = {
        "columns": [Column(role, _how(role)) for role in roles.roles],
        "lines": [_line(request.user, row) for row in matrix(roles)],
        "file": settings.ACL_FILE.name,
    }
    return render(request, "sprints/who_may_what.html", context)


def _line(user: Any, row: Row) -> Line:
    reason = why(user, row.resource, row.privilege)
    name = f"{row.resource}.{row.privilege}"
    may = "yes" if reason.granted else "depends" if reason.depends else "no"
    return Line(row, WORDS.get(name, name), name, reason, may)


def _how(role: str) -> str:
    if role == settings.ACL_SIGNED_IN_ROLE:
        return "anyone signed in"
    group = settings.ACL_ROLES.get(role, role)
    teams = [team for team, name in settings.OPENID_LAUNCHPAD_TEAMS_MAPPING.items() if name == group]
    return f"the team {' or '.join(teams)}" if teams else f"the group {group}"
