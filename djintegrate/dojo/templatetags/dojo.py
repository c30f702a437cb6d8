"""`{% dojo request.dojo %}`, inside <head>: the theme's stylesheet, Dojo, and what this page wants of it.

`{% dojo_grid grid %}`, where it is to be: the rows of a StoreView.
"""

from __future__ import annotations

from typing import Any

from django import template
from django.core.exceptions import ImproperlyConfigured
from django.utils.html import json_script
from django.utils.safestring import mark_safe

from ..page.page import Dojo, SpecificationEncoder
from ..rows import gridpage

register = template.Library()

SPECIFICATION = "djintegrate-dojo"


@register.inclusion_tag("djintegrate/dojo/head.html")
def dojo(page: Any) -> dict[str, Any]:
    if not isinstance(page, Dojo):
        raise ImproperlyConfigured(
            f"{{% dojo %}} was given {page!r}. Write {{% dojo request.dojo %}}, add "
            "'djintegrate.dojo.middleware.DojoMiddleware' to MIDDLEWARE, and "
            "'django.template.context_processors.request' to the template's context processors."
        )
    if not page.enabled:
        return {"enabled": False}
    return {
        "enabled": True,
        "page": page,
        "nonce": page.nonce,
        "functions": [mark_safe(source) for source in page.functions],
        "specification": json_script(page.specification(), SPECIFICATION, SpecificationEncoder),
    }


@register.inclusion_tag("djintegrate/dojo/grid.html", takes_context=True)
def dojo_grid(context: Any, grid: Any) -> dict[str, Any]:
    return gridpage.context(grid, context.get("request"))
