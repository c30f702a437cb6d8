"""StoreViews over every type of column, whose ModelForms write all of them: see test_round_trip.py."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Model
from django.forms.models import modelform_factory
from django.urls import path

from djintegrate.dojo.rest import StoreView
from tests.apps.fields.models import Club, Every, Filled, Referring, StringKey
from tests.apps.people.models import Person
from tests.dojo import site

EVERY = [
    field.name
    for field in Every._meta.fields
    # A form has no field for the first; the next wants a folder, the last a text of its own; a key is no field.
    if field.name not in ("binary", "file_path", "colour", "id")
]


def view_of(model: type[Model], fields: list[str], **options: Any) -> type[StoreView]:
    form = options.pop("form", None) or modelform_factory(model, fields=options.pop("written", fields))
    made = {
        "rows": model._default_manager.order_by("pk"),
        "fields": fields,
        "form_class": form,
        "public": {"view", "add", "change", "delete"},
    }
    return type(f"{model.__name__}s", (StoreView,), {**made, **options})


class Optional(forms.ModelForm):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.required = False


class EveryForm(Optional):
    # Django asks which scheme the field is to assume.
    url = forms.URLField(assume_scheme="https", empty_value=None)

    class Meta:
        model = Every
        fields = EVERY


class Localized(EveryForm):
    class Meta(EveryForm.Meta):
        localized_fields = "__all__"


class InParts(Optional):
    """Fields that a site chose itself: the moment in two boxes, choices for numbers, another key of a row."""

    moment = forms.SplitDateTimeField()
    floating = forms.TypedChoiceField(choices=[(1.0, "one"), (2.5, "more")], coerce=float, empty_value=None)
    char = forms.CharField(empty_value="nothing")

    class Meta:
        model = Every
        fields = ("moment", "floating", "char", "text")


class ByCode(Optional):
    string_key = forms.ModelChoiceField(StringKey.objects.all(), to_field_name="number")
    by_number = forms.ModelChoiceField(StringKey.objects.all())

    class Meta:
        model = Referring
        fields = ("string_key", "by_number", "alone", "uuid_key")


class Lax(forms.ModelForm):
    tags = forms.JSONField(required=False)
    number = forms.IntegerField(required=False)

    class Meta:
        model = Filled
        fields = ("name", "note", "number", "price", "tags")


VIEWS = {
    "every": view_of(Every, EVERY, form=EveryForm),
    "localized": view_of(Every, EVERY, form=Localized),
    "parts": view_of(Every, ["moment", "floating", "char", "text"], form=InParts),
    "referring": view_of(Referring, ["string_key", "by_number", "alone", "uuid_key"]),
    "by-code": view_of(Referring, ["string_key", "by_number", "alone", "uuid_key"], form=ByCode),
    "club": view_of(Club, ["name", "members"]),
    "filled": view_of(Filled, ["name"], form=Lax),
    "keys": view_of(StringKey, ["number"], written=["code", "number"], id_field="code"),
    "colours": view_of(Every, ["colour"]),
    "people": view_of(
        Person, ["name", "label"], written=["name"], search={"label": "name"}, label=lambda view, obj: obj.name
    ),
}

urlpatterns = [
    *site.urlpatterns,
    *(path(f"{name}/", view.as_view(), name=name) for name, view in VIEWS.items()),
    *(path(f"{name}/<str:key>", view.as_view()) for name, view in VIEWS.items()),
]
