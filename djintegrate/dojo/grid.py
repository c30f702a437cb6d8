"""Grid: columns over the rows of a StoreView. `{% dojo_grid %}` writes a page of them as a table, then a dgrid.

The table has links to its other pages, to its orders and a search of its own, so it works without JavaScript.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, QueryDict
from django.shortcuts import resolve_url
from django.urls import Resolver404, get_script_prefix, resolve
from django.utils.functional import cached_property

from .page import names
from .rest import StoreView
from .rows import formats

MODULES = ("djintegrate/grid", "dgrid/Grid", "dstore/Rest")
STYLESHEETS = ("dgrid/css/dgrid.css", *(f"dgrid/css/skins/{theme}.css" for theme in names.THEMES))

_IDENTIFIER = re.compile(r"[A-Za-z][\w-]*", re.ASCII)
_ANY_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True)
class Column:
    """What the view's items show under `name`. `link` names what they show of an address, to which the cell leads.

    `format` is one of formats.FORMATS; `formatter` a module and a function in it, which gets the value and the item in
    the browser, and returns a text or an element. A text is never taken for HTML.
    """

    name: str
    label: Any = ""
    _: KW_ONLY
    link: str = ""
    format: str = ""
    formatter: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        if self.format and self.format not in formats.FORMATS:
            raise ValueError(
                f"The column {self.name!r} has the format {self.format!r}. Use one of "
                f"{', '.join(map(repr, formats.FORMATS))}, or a formatter."
            )
        if self.formatter is not None:
            names.form_function(self.formatter)

    @property
    def title(self) -> str:
        return str(self.label) or self.name.replace("_", " ").capitalize()


class Grid:
    """One may be made for all requests: it holds none of their rows."""

    def __init__(
        self,
        url: Any,
        columns: Sequence[Column],
        *,
        prefix: str = "grid",
        caption: Any = "",
        search: str = "",
        query_expr: str = "${0}*",
        sort: str = "",
        page_size: int = 25,
    ) -> None:
        """`url` is the StoreView's address, or the name of its URL pattern; `search` one of its searches.

        `sort` is the order at first, such as `name` or `-name`; without it the rows come as the view has them. The
        `prefix` is that of the ids and of the names in the page's address: two grids of a page need two.
        """
        if not columns or not all(isinstance(column, Column) for column in columns):
            raise TypeError(f"A Grid was given the columns {columns!r}. Give it a list of Column(…), at least one.")
        if not _IDENTIFIER.fullmatch(prefix):
            raise ValueError(
                f"A Grid was given the prefix {prefix!r}. Make it letters, digits, - and _, a letter first."
            )
        if page_size < 1 or "${0}" not in query_expr:
            raise ValueError(
                f"A Grid was given the page_size {page_size!r} and the query_expr {query_expr!r}. Make the first at "
                "least 1, and say in the second with ${0} where the text goes."
            )
        self._url, self.columns, self.prefix, self.caption = url, list(columns), prefix, caption
        self.search, self.query_expr, self.sort, self.page_size = search, query_expr, sort, page_size

    @property
    def url(self) -> str:
        return str(resolve_url(self._url))

    @cached_property
    def view(self) -> type[StoreView]:
        """The StoreView at the address; what the grid asks of it is checked once."""
        view = getattr(self._match().func, "view_class", None)
        if view is None or not issubclass(view, StoreView):
            raise ImproperlyConfigured(
                f"At {self.url} is not a StoreView, which {{% dojo_grid %}} needs. Give Grid the address of one, or "
                "the name of its URL pattern."
            )
        shown = {view.id_field, *view.fields}
        for column in self.columns:
            for name in filter(None, (column.name, column.link)):
                if name not in shown:
                    raise ImproperlyConfigured(self._unknown(view, "show", name, sorted(shown), "fields"))
        if self.search and self.search not in view.search:
            raise ImproperlyConfigured(self._unknown(view, "search", self.search, sorted(view.search), "search"))
        if self.sort and self.sort.lstrip("-") not in view.sort:
            raise ImproperlyConfigured(self._unknown(view, "sort by", self.sort, sorted(view.sort), "sort"))
        if self.page_size > view.max_items:
            raise ImproperlyConfigured(
                f"The grid {self.prefix!r} has the page_size {self.page_size}, and {view.__name__} gives at most "
                f"{view.max_items} rows at once. Make the first less or its max_items more."
            )
        return view

    def is_sortable(self, column: Column) -> bool:
        return column.name in self.view.sort

    def page(self, request: HttpRequest) -> Page:
        """The rows that this request's query asks for, by the view's own answer."""
        wanted = self.wanted(request.GET)
        answer = self._ask(request, wanted)
        if answer.status_code in (301, 302, 401, 403):
            return Page(self, wanted, [], 0, allowed=False)
        rows = json.loads(answer.content)
        if answer.status_code not in (200, 206):
            raise ImproperlyConfigured(f"{self.view.__name__} answered {answer.status_code} to the grid: {rows}")
        total = answer["Content-Range"].rpartition("/")[2]
        if not rows and wanted.start and int(total):
            # Somebody kept an address, and rows are gone since.
            return self.page_of(request, Wanted(0, wanted.sort, wanted.text))
        return Page(self, wanted, rows, int(total))

    def page_of(self, request: HttpRequest, wanted: Wanted) -> Page:
        again = copy.copy(request)
        again.GET = QueryDict(urlencode(self.query(wanted)))
        return self.page(again)

    def wanted(self, query: Mapping[str, Any]) -> Wanted:
        """What cannot be is left aside: an address is anybody's to write."""
        start, sort = query.get(f"{self.prefix}-start", ""), query.get(f"{self.prefix}-sort", "")
        known = {column.name for column in self.columns if self.is_sortable(column)}
        return Wanted(
            int(start) if _ANY_NUMBER.fullmatch(start) else 0,
            sort if sort.removeprefix("-") in known else self.sort,
            query.get(f"{self.prefix}-search", "")[:200] if self.search else "",
        )

    def query(self, wanted: Wanted) -> dict[str, Any]:
        """The query that asks for this."""
        made = {"start": wanted.start, "sort": wanted.sort if wanted.sort != self.sort else "", "search": wanted.text}
        return {f"{self.prefix}-{name}": value for name, value in made.items() if value}

    def _ask(self, request: HttpRequest, wanted: Wanted) -> Any:
        match, view = self._match(), self.view
        parts = [f"sort({'-' if wanted.sort.startswith('-') else '+'}{wanted.sort.lstrip('-')})"] if wanted.sort else []
        if wanted.text:
            text = re.sub(r"([\\*?])", r"\\\1", wanted.text)
            parts.insert(0, urlencode({self.search: self.query_expr.replace("${0}", text)}))
        asked = copy.copy(request)
        asked.__dict__.pop("headers", None)
        asked.method = "GET"
        asked.META = {
            **{name: value for name, value in request.META.items() if name not in ("HTTP_X_RANGE", "HTTP_PREFER")},
            "REQUEST_METHOD": "GET",
            "QUERY_STRING": "&".join(parts),
            "HTTP_RANGE": f"items={wanted.start}-{wanted.start + min(self.page_size, view.max_items) - 1}",
        }
        asked.GET = QueryDict(asked.META["QUERY_STRING"])
        return match.func(asked, *match.args, **match.kwargs)

    def _match(self) -> Any:
        path = "/" + self.url.partition("?")[0].removeprefix(get_script_prefix()).lstrip("/")
        try:
            return resolve(path)
        except Resolver404 as error:
            raise ImproperlyConfigured(
                f"There is nothing at {path}, where the grid {self.prefix!r} looks for a StoreView. Correct the "
                "address of the Grid, or the URLconf."
            ) from error

    def _unknown(self, view: type[StoreView], does: str, name: str, known: Sequence[str], attribute: str) -> str:
        there = ", ".join(map(repr, known)) or "none"
        return (
            f"The grid {self.prefix!r} wants to {does} {name!r}, which {view.__name__} does not. There is: {there}. "
            f"Add it to the view's `{attribute}`."
        )


@dataclass(frozen=True)
class Wanted:
    """Which rows a request asks for."""

    start: int
    sort: str
    text: str


@dataclass(frozen=True)
class Page:
    """Some rows of a grid, as the view showed them."""

    grid: Grid
    wanted: Wanted
    rows: list[dict[str, Any]]
    total: int
    allowed: bool = True

    @property
    def first(self) -> int:
        return self.wanted.start + 1 if self.rows else 0

    @property
    def last(self) -> int:
        return self.wanted.start + len(self.rows)

    @property
    def cells(self) -> list[list[dict[str, str]]]:
        return [
            [
                {
                    "text": formats.text(row.get(column.name), column.format),
                    "url": formats.safe_url(row.get(column.link)) if column.link else "",
                }
                for column in self.grid.columns
            ]
            for row in self.rows
        ]
