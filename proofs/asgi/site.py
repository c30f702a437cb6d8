"""The site under load: settings, addresses and views. The environment says where its database is."""

from __future__ import annotations

import asyncio
import json
import os
import time

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.urls import path

STORM_STORES = {"main": json.loads(os.environ["ASGI_PROOF_STORE"])}
DATABASES = {"default": {"ENGINE": "djintegrate.storm_backend", "NAME": "main"}}
INSTALLED_APPS = ["djintegrate.storm_backend", "proofs.asgi"]
MIDDLEWARE = ["djintegrate.storm_backend.middleware.ZopeTransactionMiddleware"]
ROOT_URLCONF = __name__
SECRET_KEY = "of no site"
ALLOWED_HOSTS = ["*"]
# How long a request holds its connection beside what the work takes.
SECONDS = float(os.environ.get("ASGI_PROOF_SECONDS", "0.02"))


def synchronous(request: HttpRequest, number: int) -> HttpResponse:
    _write_by_django(number)
    time.sleep(SECONDS)
    _write_by_storm(number)
    return HttpResponse("done")


async def asynchronous(request: HttpRequest, number: int) -> HttpResponse:
    await sync_to_async(_write_by_django)(number)
    await asyncio.sleep(SECONDS)
    await sync_to_async(_write_by_storm)(number)
    return HttpResponse("done")


def _write_by_django(number: int) -> None:
    from proofs.asgi.models import Row

    Row.objects.create(number=number)


def _write_by_storm(number: int) -> None:
    from djintegrate.storm_backend import get_store
    from proofs.asgi.models import StormRow

    get_store("main").add(StormRow(number))


urlpatterns = [path("sync/<int:number>", synchronous), path("async/<int:number>", asynchronous)]
