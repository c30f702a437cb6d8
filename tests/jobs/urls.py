"""The addresses of a site with jobs."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

from tests.jobs import tasks


def enqueue(request: HttpRequest) -> HttpResponse:
    return HttpResponse(tasks.add.enqueue("it").id)


async def enqueue_asynchronously(request: HttpRequest) -> HttpResponse:
    return HttpResponse((await tasks.add.aenqueue("it")).id)


WITH_DOJO = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A job</title><link rel="icon" href="data:,">
{% load dojo jobs %}{% dojo request.dojo %}</head>
<body><main><h1>A job</h1>{% job_progress job %}</main></body></html>"""


def with_dojo(request: HttpRequest, job_id: object) -> HttpResponse:
    return HttpResponse(engines["django"].from_string(WITH_DOJO).render({"job": job_id}, request))


urlpatterns = [
    path("with-dojo/<uuid:job_id>/", with_dojo),
    path("jobs/", include("djintegrate.jobs.urls")),
    path("enqueue/", enqueue),
    path("enqueue-asynchronously/", enqueue_asynchronously),
    path("admin/", admin.site.urls),
    path("sign-in/", HttpResponse, name="login"),
]
