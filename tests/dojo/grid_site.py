"""Grids over the same samples by either ORM, for test_grid.py; the pages are those of site.py."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import path

from djintegrate.dojo.grid import Column, Grid
from djintegrate.dojo.rest import StoreView
from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.mapping import storm_class
from tests.apps.people.models import Sample
from tests.dojo import rows_site, site

StormSample: Any = storm_class(Sample)
TEMPLATE = """<!DOCTYPE html>
{% load i18n %}{% get_current_language as LANGUAGE_CODE %}
<html lang="{{ LANGUAGE_CODE }}"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>A grid</title>
{% load dojo %}{% dojo request.dojo %}</head>
<body><main><h1>Samples</h1>{% for grid in grids %}{% dojo_grid grid %}{% endfor %}</main></body></html>"""


class Samples(StoreView):
    rows = Sample.objects.order_by("id")
    fields = ("text", "flag", "number", "amount", "day", "moment", "clock", "url")
    search = {"text": "text"}
    sort = ("text", "number")
    public = {"view"}

    def url(self, obj: Any) -> str:
        return f"/samples/{obj.id}" if obj.flag else "java\tscript:window.broken=1"


class StormSamples(Samples):
    search = {"text": StormSample.text}
    sort = {"text": StormSample.text, "number": StormSample.number}

    def get_rows(self) -> Any:
        return get_store("main").find(StormSample).order_by(StormSample.id)


class Guarded(Samples):
    public = frozenset()


COLUMNS = [
    Column("text", "What", link="url"),
    Column("number", format="number"),
    Column("amount", format="number"),
    Column("day", format="date"),
    Column("moment", format="datetime"),
    Column("clock", format="time"),
    Column("flag"),
]


def grid(url: str = "samples", columns: Any = COLUMNS, **options: Any) -> Grid:
    return Grid(url, columns, **{"caption": "All samples", "search": "text", "page_size": 10, **options})


urlpatterns = [
    *site.urlpatterns,
    *rows_site.urlpatterns,
    path("samples/", Samples.as_view(), name="samples"),
    path("storm/", StormSamples.as_view(), name="storm"),
    path("guarded/", Guarded.as_view(), name="guarded"),
    path("plain/", lambda request: HttpResponse(), name="plain"),
]
