"""DojoAdminMixin: the admin's add and change pages as dijits, with their inlines and the rows added to them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import models
from django.http import HttpResponse

from .http import DojoHttpRequest


class DojoAdminMixin:
    """Before ModelAdmin among the bases.

    What the admin has scripts of its own for, such as two lists side by side, stays as it is.
    """

    change_form_template = "djintegrate/dojo/change_form.html"
    # Without the admin's own calendars and clocks beside the dijits'.
    formfield_overrides = {
        models.DateTimeField: {"form_class": forms.DateTimeField, "widget": forms.DateTimeInput},
        models.DateField: {"widget": forms.DateInput},
        models.TimeField: {"widget": forms.TimeInput},
    }

    def render_change_form(
        self, request: DojoHttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        request.dojo.dojo_form(context["adminform"].form, auto=True)
        for inline in context["inline_admin_formsets"]:
            request.dojo.dojo_form(inline.formset, auto=True)
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]
        return response
