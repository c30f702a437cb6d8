"""The page for those who write programs: what they may call, and how."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from djintegrate.jsonrpc import conf, jsonrpc_site
from djintegrate.storm_backend import get_store

from . import roles
from .storm_models import Sprint

WHO = {roles.PROPOSE: "proposers and schedulers", roles.SCHEDULE: "schedulers"}


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    sprint = get_store("main").find(Sprint).order_by(Sprint.first_day).last()
    context = {
        "methods": [(method, _who(method)) for method in jsonrpc_site.own_methods],
        "slug": sprint.slug if sprint else "lisbon",
        "has_console": conf.has_console(),
    }
    return render(request, "sprints/programs.html", context)


def _who(method: Any) -> str:
    """Those who may call it, in words."""
    if method.permission:
        return WHO.get(method.permission, method.permission)
    return "anyone signed in" if method.authenticated else "everybody"
