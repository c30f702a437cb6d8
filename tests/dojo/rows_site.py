"""The site of the tests of dijits over a StoreView: the page of site.py, and rows to choose from."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import path

from djintegrate.dojo.rest import StoreView
from djintegrate.dojo.widgets import StoreSelect
from tests.apps.people.models import Person
from tests.dojo import site


class People(StoreView):
    rows = Person.objects.order_by("name")
    fields = ("name", "label")
    search = {"label": "name"}
    sort = ("name", "id")
    public = {"view"}

    def label(self, obj: Any) -> str:
        return str(obj.name)


class PersonField(forms.ModelChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(Person.objects.order_by("name"), **{"widget": StoreSelect("people"), **options})

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


class Invitation(forms.Form):
    title = forms.CharField(required=False)
    person = PersonField()


urlpatterns = [
    *site.urlpatterns,
    path("people/", People.as_view(), name="people"),
    path("people/<str:key>", People.as_view()),
]
