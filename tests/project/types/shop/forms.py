"""Forms: a field that becomes a dijit keeps its type."""

from __future__ import annotations

from django import forms
from django.forms import BoundField
from typing_extensions import assert_type

from djintegrate.dojo import models as dojo
from djintegrate.dojo.richtext import RichTextField
from djintegrate.dojo.widgets import StoreSelect

from .models import Receipt


class BookingForm(forms.Form):
    day = dojo.dojo_field(forms.DateField(), "dijit/form/DateTextBox", dojo_attrs={"placeHolder": "any day"})
    text = RichTextField(required=False)
    receipt = forms.ModelChoiceField(Receipt.objects.all(), widget=StoreSelect("receipts", page_size=10))


def dijits(form: BookingForm) -> None:
    assert_type(dojo.dojo_field(forms.DateField(), "dijit/form/DateTextBox"), forms.DateField)
    assert_type(dojo.dojo_field(form["day"], "dijit/form/DateTextBox"), BoundField)
    assert_type(dojo.dojo_field(form.fields["day"], "dijit/form/DateTextBox"), forms.Field)
    for bound, dijit in dojo.dijits(form):
        assert_type(bound, BoundField)
        assert_type(dijit.module, str)
