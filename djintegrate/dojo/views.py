"""DojoFormMixin: a generic view's form, or formset, as dijits."""

from __future__ import annotations

from typing import Any

from .middleware import dojo_of
from .page.page import Dojo


class DojoFormMixin:
    """Before FormView, CreateView or UpdateView among the bases; the template has `{% dojo request.dojo %}`."""

    #: As dojo_form()'s `auto`: None is what DOJO_AUTO says.
    dojo_auto: bool | None = True

    @property
    def dojo(self) -> Dojo:
        """`request.dojo`, with its type: the generic views themselves say what `request` is."""
        return dojo_of(self.request)  # type: ignore[attr-defined]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        if "form" in context:
            self.dojo.dojo_form(context["form"], self.dojo_auto)
        return context
