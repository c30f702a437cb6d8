"""StoreViews over the same people by either ORM, for test_rest.py."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.urls import path

from djintegrate.dojo import conf
from djintegrate.dojo.rest import StoreView
from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson


class PersonForm(forms.ModelForm):
    class Meta:
        model = Person
        fields = ("name",)


class StormPersonForm(forms.Form):
    name = forms.CharField(max_length=100)

    def __init__(self, data: Any, instance: StormPerson | None = None) -> None:
        super().__init__(data)
        self.instance = instance

    def save(self) -> StormPerson:
        if self.instance is None:
            self.instance = get_store("main").add(StormPerson(self.cleaned_data["name"]))
        self.instance.name = self.cleaned_data["name"]
        get_store("main").flush()
        return self.instance


class People(StoreView):
    rows = Person.objects.order_by("name")
    fields = ("name", "shout")
    search = {"name": "name", "label": ["name"]}
    filters = {"exactly": "name", "key": "id"}
    sort = ("name", "id")
    form_class = PersonForm
    public = {"view", "add", "change", "delete"}
    max_items = 50

    def shout(self, obj: Any) -> str:
        return obj.name.upper()


class StormPeople(People):
    search = {"name": StormPerson.name, "label": [StormPerson.name]}
    filters = {"exactly": StormPerson.name, "key": StormPerson.id}
    sort = {"name": StormPerson.name, "id": StormPerson.id}
    form_class = StormPersonForm

    def get_rows(self) -> Any:
        return get_store("main").find(StormPerson).order_by(StormPerson.name)


class Guarded(People):
    public = frozenset()


class Counted(People):
    max_total = 3


def page(request: Any) -> HttpResponse:
    """With dojo.js, and the token that a page's scripts need to write."""
    head = f'<script src="{conf.url()}/dojo.js"></script><link rel="icon" href="data:,">'
    return HttpResponse(f'<!DOCTYPE html><html data-token="{get_token(request)}"><head>{head}</head></html>')


urlpatterns = [
    path("page/", page),
    *(
        path(f"{name}/{key}", view.as_view())
        for name, view in {"django": People, "storm": StormPeople, "guarded": Guarded, "counted": Counted}.items()
        for key in ("", "<str:key>")
    ),
]
