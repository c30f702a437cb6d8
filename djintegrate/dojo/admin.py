"""DojoAdminMixin: the admin's add and change pages as dijits, with their inlines and the rows added to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django import forms
from django.contrib.admin.options import InlineModelAdmin
from django.db import models
from django.http import HttpRequest, HttpResponse

from .http import DojoHttpRequest


class DojoAdminMixin:
    """Before ModelAdmin among the bases.

    What the admin has scripts of its own for, such as two lists side by side, stays as it is.
    """

    # The type of ModelAdmin's own has no public name.
    change_form_template: ClassVar[Any] = "djintegrate/dojo/change_form.html"
    # Without the admin's own calendars and clocks beside the dijits'.
    formfield_overrides: ClassVar[Mapping[type[models.Field], Mapping[str, Any]]] = {
        models.DateTimeField: {"form_class": forms.DateTimeField, "widget": forms.DateTimeInput},
        models.DateField: {"widget": forms.DateInput},
        models.TimeField: {"widget": forms.TimeInput},
    }

    def get_inline_instances(self, *args: Any, **kwargs: Any) -> list[InlineModelAdmin[Any, Any]]:
        """The inlines too, where they have no overrides of their own."""
        inlines: list[InlineModelAdmin[Any, Any]] = super().get_inline_instances(*args, **kwargs)  # type: ignore[misc]
        for inline in inlines:
            own = type(inline).formfield_overrides
            inline.formfield_overrides = {**inline.formfield_overrides, **DojoAdminMixin.formfield_overrides, **own}
        return inlines

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        dojo = cast(DojoHttpRequest, request).dojo
        dojo.dojo_form(context["adminform"].form, auto=True)
        for inline in context["inline_admin_formsets"]:
            dojo.dojo_form(inline.formset, auto=True)
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]
        return response
