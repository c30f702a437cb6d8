"""The site of the benchmarks: its views, and what joins ZStorm to a site without the engine."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import transaction
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from storm.store import Store
from storm.zope.zstorm import global_zstorm

from proofs.benchmarks.models import Entry, Item, StormEntry, Upload

numbers = itertools.count()


@csrf_exempt
def look(request: HttpRequest) -> HttpResponse:
    """Hardly more than that a store is used."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("done")


@csrf_exempt
def read_and_write(request: HttpRequest) -> HttpResponse:
    """Reads one row and writes one."""
    number = next(numbers)
    item = Item.objects.get(pk=number % 5000 + 1)
    Entry.objects.create(text=item.name, number=number)
    return HttpResponse("done")


@csrf_exempt
def write_with_both(request: HttpRequest) -> HttpResponse:
    """Writes one row with each ORM."""
    number = next(numbers)
    Entry.objects.create(text="by Django", number=number)
    store().add(StormEntry("by Storm", number))
    return HttpResponse("done")


@csrf_exempt
def write_with_django(request: HttpRequest) -> HttpResponse:
    """Writes the same two rows, both with Django."""
    number = next(numbers)
    Entry.objects.create(text="by Django", number=number)
    Entry.objects.create(text="by Django", number=number)
    return HttpResponse("done")


@csrf_exempt
def save_a_file(request: HttpRequest) -> HttpResponse:
    """Writes one row, and the small file that it names."""
    Upload.objects.create(file=ContentFile(b"small " * 200, f"{next(numbers)}.txt"))
    return HttpResponse("done")


def store() -> Store:
    """This thread's Storm store, from the engine or, on the side without it, from ZStorm."""
    uri = getattr(settings, "BENCHMARK_ZSTORM_URI", None)
    if uri is None:
        from djintegrate.storm_backend import get_store

        return get_store(getattr(settings, "BENCHMARK_STORE", "main"))
    return global_zstorm.get("main", uri)


class ZStormMiddleware:
    """A Zope transaction around each request, as sites with ZStorm have it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with transaction.manager:
            return self.get_response(request)


urlpatterns = [
    path("look/", look),
    path("read-and-write/", read_and_write),
    path("save-a-file/", save_a_file),
    path("write-with-both/", write_with_both),
    path("write-with-django/", write_with_django),
]
