"""A page that uses both ORMs, with django-debug-toolbar's addresses. Only for where that is installed."""

from __future__ import annotations

from debug_toolbar.toolbar import debug_toolbar_urls
from django.http import HttpRequest, HttpResponse
from django.urls import path

from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson


def both(request: HttpRequest) -> HttpResponse:
    get_store("main").find(StormPerson, name="by Storm").count()
    count = Person.objects.filter(name="by Django").count()
    return HttpResponse(f"<html><body>{count}</body></html>")


def always(request: HttpRequest) -> bool:
    return True


urlpatterns = [path("both/", both), *debug_toolbar_urls()]
