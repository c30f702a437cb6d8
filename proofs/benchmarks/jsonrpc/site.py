"""The site of the bench: three views that add two numbers, behind all of a new project's middleware."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ZOPE = "djintegrate.storm_backend.middleware.ZopeTransactionMiddleware"
APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages"]


def configure(kind: str, folder: str) -> None:
    """`kind`: native, or engine, which has the engine's middleware on both sides."""
    database = str(Path(folder) / "bench.sqlite3")
    engine: dict[str, Any] = {
        "STORM_STORES": {"main": f"sqlite:{database}"},
        "DATABASES": {"default": {"ENGINE": "djintegrate.storm_backend", "NAME": "main"}},
        "MIDDLEWARE": [ZOPE, *MIDDLEWARE],
    }
    native: dict[str, Any] = {
        "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
        "MIDDLEWARE": MIDDLEWARE,
    }
    settings.configure(
        **(engine if kind == "engine" else native),
        INSTALLED_APPS=[*APPS, "djintegrate.jsonrpc"],
        ALLOWED_HOSTS=["testserver"],
        SECRET_KEY="bench",
        USE_TZ=True,
    )


@csrf_exempt
def plain(request: HttpRequest) -> JsonResponse:
    call = json.loads(request.body)
    a, b = call["params"]
    return JsonResponse({"jsonrpc": "2.0", "result": a + b, "id": call["id"]})


def addresses() -> dict[str, tuple[Any, ...]]:
    """For each view the urlpatterns of a site that has no other."""
    from modernrpc.server import RpcServer

    from djintegrate.jsonrpc import JSONRPCSite, jsonrpc_method

    theirs = RpcServer()

    @theirs.register_procedure(name="add")
    def add(a: int, b: int) -> int:
        return a + b

    ours = JSONRPCSite()

    @jsonrpc_method("add", site=ours)
    def add_ours(request: HttpRequest, a: int, b: int) -> int:
        return a + b

    views = {"plain": plain, "modern": theirs.view, "ours": ours.dispatch}
    return {name: (path("call", view),) for name, view in views.items()}
