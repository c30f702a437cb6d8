"""`{% dojo request.dojo %}`, inside <head>: the theme's stylesheet, Dojo, and what this page wants of it.

`{% dojo_grid grid %}`, where it is to be: the rows of a StoreView.
`{% dojo_fragment request.dojo %}`, in HTML that the page fetches later: the dijits of the forms in it.
"""

from __future__ import annotations

from typing import Any

from django import template
from django.core.exceptions import ImproperlyConfigured
from django.utils.safestring import SafeString, mark_safe

from ..page import writing
from ..page.page import Dojo
from ..rows import gridpage

register = template.Library()

SPECIFICATION, FRAGMENT = "djintegrate-dojo", "djintegrate-dojo-fragment"


@register.inclusion_tag("djintegrate/dojo/head.html")
def dojo(page: Any) -> dict[str, Any]:
    if not isinstance(page, Dojo):
        raise ImproperlyConfigured(
            f"{{% dojo %}} was given {page!r}. Write {{% dojo request.dojo %}}, add "
            "'djintegrate.dojo.middleware.DojoMiddleware' to MIDDLEWARE, and "
            "'django.template.context_processors.request' to the template's context processors."
        )
    if not page.enabled:
        # The forms are plain, and look as DijitRenderer means them.
        return {"enabled": False, "stylesheets": page.stylesheets, "nonce": page.nonce}
    return {
        "enabled": True,
        "page": page,
        "stylesheets": page.stylesheets,
        "nonce": page.nonce,
        "functions": [mark_safe(source) for source in page.functions],
        "specification": writing.script(page, page.specification(), SPECIFICATION),
    }


@register.simple_tag
def dojo_fragment(page: Any) -> SafeString:
    """`{% dojo_fragment request.dojo %}`, within the HTML that a page fetches later: what this part of it wants."""
    if not isinstance(page, Dojo):
        raise ImproperlyConfigured(
            f"{{% dojo_fragment %}} was given {page!r}. Write {{% dojo_fragment request.dojo %}}."
        )
    if page.functions:
        raise ImproperlyConfigured(
            "append_aol() and prepend_aol() have no place in a fragment: a browser runs no script in HTML that arrives "
            "later. Put the function into the page, or into a module that append_module() names."
        )
    if not page.enabled:
        return SafeString("")
    return writing.script(page, page.fragment(), FRAGMENT)


@register.inclusion_tag("djintegrate/dojo/grid.html", takes_context=True)
def dojo_grid(context: Any, grid: Any) -> dict[str, Any]:
    return gridpage.context(grid, context.get("request"))
