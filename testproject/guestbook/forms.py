"""The one form of the guest book."""

from __future__ import annotations

from django import forms


class EntryForm(forms.Form):
    text = forms.CharField(
        label="Your line",
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True, "placeholder": "Write a line…"}),
    )
