"""DojoFormMixin: a generic view's form, or formset, as dijits."""

from __future__ import annotations

from typing import Any

from .http import DojoHttpRequest


class DojoFormMixin:
    """Before FormView, CreateView or UpdateView among the bases; the template has `{% dojo request.dojo %}`."""

    request: DojoHttpRequest
    #: As dojo_form()'s `auto`: None is what DOJO_AUTO says.
    dojo_auto: bool | None = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        if "form" in context:
            self.request.dojo.dojo_form(context["form"], self.dojo_auto)
        return context
