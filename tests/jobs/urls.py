"""The addresses of a site with jobs."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from tests.jobs import tasks


def enqueue(request: HttpRequest) -> HttpResponse:
    return HttpResponse(tasks.add.enqueue("it").id)


async def enqueue_asynchronously(request: HttpRequest) -> HttpResponse:
    return HttpResponse((await tasks.add.aenqueue("it")).id)


urlpatterns = [
    path("jobs/", include("djintegrate.jobs.urls")),
    path("enqueue/", enqueue),
    path("enqueue-asynchronously/", enqueue_asynchronously),
    path("admin/", admin.site.urls),
    path("sign-in/", HttpResponse, name="login"),
]
