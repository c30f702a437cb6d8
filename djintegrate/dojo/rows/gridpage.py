"""What `{% dojo_grid %}` writes: the table of a page of a grid, its links, and the specification of the dgrid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import json_script
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from ..grid import Column, Grid, Page, Wanted
from ..page import names
from ..page.page import Dojo
from ..page.writing import SpecificationEncoder

SPECIFICATION = "djintegrate-grid"
"""The end of the specifications' ids, by which the script start.js finds them."""


def context(grid: Any, request: HttpRequest | None) -> dict[str, Any]:
    """For the template grid.html."""
    if not isinstance(grid, Grid):
        raise ImproperlyConfigured(
            f"{{% dojo_grid %}} was given {grid!r}. Give it a djintegrate.dojo.grid.Grid, which the view puts into "
            "the template's context."
        )
    dojo = getattr(request, "dojo", None)
    if request is None or not isinstance(dojo, Dojo):
        raise ImproperlyConfigured(
            f"{{% dojo_grid %}} finds no request.dojo for the grid {grid.prefix!r}. Add "
            "'djintegrate.dojo.middleware.DojoMiddleware' to MIDDLEWARE, and "
            "'django.template.context_processors.request' to the template's context processors."
        )
    dojo.own_grid(grid.prefix)
    page = grid.page(request)
    is_live = dojo.enabled and page.allowed
    wanted, size = page.wanted, grid.page_size
    return {
        "grid": grid,
        "page": page,
        "name": str(grid.caption) or grid.prefix,
        "nonce": dojo.nonce,
        "stylesheets": dojo.grid_stylesheets if is_live else [],
        "others": list(_others(grid, request)),
        "heads": [_head(grid, column, request, wanted) for column in grid.columns] if page.allowed else [],
        "previous": _link(
            grid, request, Wanted(max(wanted.start - size, 0), wanted.sort, wanted.text), wanted.start > 0
        ),
        "next": _link(grid, request, Wanted(page.last, wanted.sort, wanted.text), page.last < page.total),
        "texts": {"empty": _("There are no rows.")},
        "status": _("%(first)s to %(last)s of %(total)s")
        % {"first": page.first, "last": page.last, "total": page.total},
        "specification": (
            json_script(_specification(page), f"{grid.prefix}-{SPECIFICATION}", SpecificationEncoder) if is_live else ""
        ),
    }


def _specification(page: Page) -> dict[str, Any]:
    grid, wanted = page.grid, page.wanted
    return {
        "id": grid.prefix,
        "name": str(grid.caption) or grid.prefix,
        "url": grid.url,
        "idProperty": grid.view.id_field,
        "columns": [
            {
                "field": column.name,
                "label": column.title,
                "sortable": grid.is_sortable(column),
                "link": column.link,
                "format": column.format,
                "formatter": names.form_function(column.formatter),
            }
            for column in grid.columns
        ],
        "search": grid.search,
        "text": wanted.text,
        "queryExpr": grid.query_expr,
        "sort": wanted.sort,
        "start": wanted.start,
        "total": page.total,
        "pageSize": grid.page_size,
        "timeZone": timezone.get_current_timezone_name() if settings.USE_TZ else "",
        "grouping": settings.USE_THOUSAND_SEPARATOR,
        "texts": {
            "empty": _("There are no rows."),
            "failed": _("The rows could not be loaded. Try again."),
            "page": _("Page"),
            "yesNo": [text.capitalize() for text in _("yes,no,maybe").split(",")[:2]],
        },
    }


def _head(grid: Grid, column: Column, request: HttpRequest, wanted: Wanted) -> dict[str, str]:
    if not grid.is_sortable(column):
        return {"title": column.title, "query": "", "order": ""}
    is_sorted = wanted.sort.removeprefix("-") == column.name
    is_down = is_sorted and wanted.sort.startswith("-")
    to = f"-{column.name}" if is_sorted and not is_down else column.name
    order = ("descending" if is_down else "ascending") if is_sorted else ""
    return {"title": column.title, "query": _link(grid, request, Wanted(0, to, wanted.text)), "order": order}


def _link(grid: Grid, request: HttpRequest, wanted: Wanted, there_is: bool = True) -> str:
    """To the same page of the site, where all but this grid's part of the query stays."""
    if not there_is:
        return ""
    return "?" + urlencode([*_others(grid, request), *grid.query(wanted).items()])


def _others(grid: Grid, request: HttpRequest) -> Iterator[tuple[str, str]]:
    own = {f"{grid.prefix}-{name}" for name in ("start", "sort", "search")}
    for name, values in request.GET.lists():
        if name not in own:
            yield from ((name, value) for value in values)
