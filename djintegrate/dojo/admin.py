"""DojoAdminMixin: the admin's add and change pages as dijits, with their inlines and the rows added to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.options import InlineModelAdmin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.loader import select_template

from .middleware import dojo_of


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

    def _own_add_form_template(self) -> Any:
        """Where the admin has one for adding; else adding takes that for changing, which may be a class's own."""
        return None if super().add_form_template is None else DojoAdminMixin.change_form_template  # type: ignore[misc]

    # For type checkers no property, which would not fit ModelAdmin's attribute.
    add_form_template: ClassVar[Any] = property(_own_add_form_template)

    def get_inline_instances(self, *args: Any, **kwargs: Any) -> list[InlineModelAdmin[Any, Any]]:
        """The inlines too, where they have no overrides of their own."""
        inlines: list[InlineModelAdmin[Any, Any]] = super().get_inline_instances(*args, **kwargs)  # type: ignore[misc]
        for inline in inlines:
            own = type(inline).formfield_overrides
            inline.formfield_overrides = {**inline.formfield_overrides, **DojoAdminMixin.formfield_overrides, **own}
        return inlines

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], add: bool = False, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        dojo = dojo_of(request)
        dojo.dojo_form(context["adminform"].form, auto=True)
        for inline in context["inline_admin_formsets"]:
            dojo.dojo_form(inline.formset, auto=True)
        context["djintegrate_admin_form"] = select_template(self._templates_without_dojo(add))
        response: HttpResponse = super().render_change_form(request, context, add, *args, **kwargs)  # type: ignore[misc]
        return response

    def _templates_without_dojo(self, add: bool) -> list[str]:
        """What the admin would have used, which ours extends: UserAdmin, for one, has its own for adding."""
        own = (add and super().add_form_template) or super().change_form_template  # type: ignore[misc]
        if own:
            return [own] if isinstance(own, str) else list(own)
        opts = self.opts  # type: ignore[attr-defined]
        folders = [f"admin/{opts.app_label}/{opts.model_name}", f"admin/{opts.app_label}", "admin"]
        return [f"{folder}/change_form.html" for folder in folders]
