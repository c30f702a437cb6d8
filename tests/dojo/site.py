"""The site of the Dojo tests: one page with the forms that a test names, and what was submitted to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

STATIC = Path(__file__).parent / "static"
"""For STATICFILES_DIRS: modules of a site's own."""
TEMPLATE = """<!DOCTYPE html>
<html lang="{{ LANGUAGE_CODE }}">
<head><meta charset="utf-8"><link rel="icon" href="data:,"><title>{% if valid %}valid{% else %}a page{% endif %}</title>
{% load dojo %}{% dojo request.dojo %}</head>
<body>
<form method="post" enctype="multipart/form-data" id="the-form">
{% for form in forms %}{{ form.as_div }}{% endfor %}
<button type="submit" id="submit">Send</button>
</form>
</body></html>"""


@dataclass
class Page:
    """`forms` are called with the data and files that came, or nothing; `prepare(dojo, *forms)` is the view's work.

    `view` takes the place of all that.
    """

    forms: Sequence[Callable[..., Any]] | Callable[..., Any] = ()
    prepare: Callable[..., Any] | None = None
    template: str = TEMPLATE
    context: dict[str, Any] = field(default_factory=dict)
    view: Callable[[HttpRequest], HttpResponse] | None = None

    def factories(self) -> Sequence[Callable[..., Any]]:
        return [self.forms] if callable(self.forms) else self.forms


page = Page()
submitted: list[list[Any]] = []
"""The bound forms of each submit, validated."""


def reset() -> None:
    global page
    page = Page()
    submitted.clear()


def view(request: HttpRequest) -> HttpResponse:
    if page.view:
        return page.view(request)
    data = (request.POST, request.FILES) if request.method == "POST" else ()
    forms = [factory(*data) for factory in page.factories()]
    valid = bool(data) and not sum(not form.is_valid() for form in forms)
    if data:
        submitted.append(forms)
    if page.prepare:
        page.prepare(request.dojo, *forms)
    else:
        for form in forms:
            request.dojo.dojo_form(form)
    template = engines["django"].from_string(page.template)
    return HttpResponse(template.render({"forms": forms, "valid": valid, **page.context}, request))


urlpatterns = [path("page/", view)]
