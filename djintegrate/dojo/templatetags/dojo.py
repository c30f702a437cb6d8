"""`{% dojo request.dojo %}`, inside <head>: the theme's stylesheet, Dojo, and what this page wants of it.

`{% dojo_grid grid %}`, where it is to be: the rows of a StoreView.
`{% dojo_fragment request.dojo %}`, in HTML that the page fetches later: the dijits of the forms in it.
"""

from __future__ import annotations

import logging
from typing import Any

from django import template
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.safestring import SafeString, mark_safe

from ..middleware import MIDDLEWARE, dojo_of
from ..page import writing
from ..page.page import Dojo
from ..rows import gridpage

register = template.Library()

SPECIFICATION, FRAGMENT = "djintegrate-dojo", "djintegrate-dojo-fragment"


logger = logging.getLogger("djintegrate.dojo")


@register.inclusion_tag("djintegrate/dojo/head.html", takes_context=True)
def dojo(context: Any, page: Any) -> dict[str, Any]:
    page = _page_of(context, page, "dojo")
    if page is None:
        return {"enabled": False, "stylesheets": [], "nonce": ""}
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


@register.simple_tag(takes_context=True)
def dojo_fragment(context: Any, page: Any) -> SafeString:
    """`{% dojo_fragment request.dojo %}`, within the HTML that a page fetches later: what this part of it wants."""
    page = _page_of(context, page, "dojo_fragment")
    if page is None:
        return SafeString("")
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


def _page_of(context: Any, page: Any, tag: str) -> Dojo | None:
    """What the tag was given. None where there is no request at all: so Django renders a 500.html."""
    if isinstance(page, Dojo):
        return page
    request = getattr(context, "request", None) or context.get("request")
    if request is None:
        logger.debug("{%% %s %%} writes nothing, since its template is rendered without a request.", tag)
        return None
    if not hasattr(request, "dojo") and MIDDLEWARE in settings.MIDDLEWARE:
        # A middleware before ours has answered, with a page that says what is wrong: nobody has asked for a dijit.
        return Dojo(request)
    dojo_of(request)
    raise ImproperlyConfigured(
        f"{{% {tag} %}} was given {page!r}. Write {{% {tag} request.dojo %}}, and add "
        "'django.template.context_processors.request' to the template's context processors."
    )
