"""What a request of dojo/store/JsonRest asks for: which rows, in which order, of which text. Knows no database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from django.http import HttpRequest

RANGE = re.compile(r"items=(\d{1,18})-(\d{0,18})")
SORT = re.compile(r"sort\((.*)\)|sort=(.*)", re.DOTALL)


class BadRequest(Exception):
    """The request asks for what there is not. The message is for whoever wrote the page."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


@dataclass(frozen=True)
class Range:
    """The rows from `start` on, at most `count` of them."""

    start: int
    count: int


@dataclass(frozen=True)
class Order:
    """One step of an order."""

    name: str
    descending: bool


@dataclass(frozen=True)
class Pattern:
    """Text as Dojo's dijits search for it: `*` is any text, `?` any letter, a backslash takes their sense away."""

    parts: tuple[str, ...]  # "*", "?", or other text behind a "="

    @classmethod
    def parse(cls, text: str) -> Pattern:
        parts: list[str] = []
        for match in re.finditer(r"\\(.)|(.)", text, re.DOTALL):
            if match[2] in ("*", "?"):
                parts.append(match[2])
            elif parts and parts[-1].startswith("="):
                parts[-1] += match[1] or match[2]
            else:
                parts.append("=" + (match[1] or match[2]))
        return cls(tuple(parts))

    @property
    def kind(self) -> str:
        """exact, startswith or contains, where that says it all; else like."""
        shape = "".join(part[0] for part in self.parts)
        return {"": "exact", "=": "exact", "=*": "startswith", "*=*": "contains", "*": "anything"}.get(shape, "like")

    @property
    def text(self) -> str:
        """The text between the wildcards, where there is one such text."""
        return "".join(part[1:] for part in self.parts if part[0] == "=")

    def like(self, escape: str) -> str:
        """As SQL's LIKE has it."""
        special = re.compile(f"[%_{re.escape(escape)}]")
        wildcards = {"*": "%", "?": "_"}
        return "".join(
            wildcards.get(part) or special.sub(lambda match: escape + match[0], part[1:]) for part in self.parts
        )

    def regex(self) -> str:
        """As a regular expression for the whole text."""
        wildcards = {"*": ".*", "?": "."}
        return "^" + "".join(wildcards.get(part) or re.escape(part[1:]) for part in self.parts) + "$"


def wanted_range(request: HttpRequest, most: int) -> Range:
    """The rows that the header asks for, and no more than `most`: nobody gets a whole table by one request."""
    header = request.headers.get("Range", "")
    if not header.startswith("items="):
        # Another unit is one that is not understood, and HTTP has such a header left alone.
        header = request.headers.get("X-Range", "")
    if not header:
        return Range(0, most)
    found = RANGE.fullmatch(header)
    if found is None or (found[2] and int(found[2]) < int(found[1]) - 1):
        raise BadRequest(f"The range {header[:100]!r} is none. Write it as items=0-24, or items=25- for the rest.", 416)
    start = int(found[1])
    return Range(start, min(int(found[2]) - start + 1, most) if found[2] else most)


def wants_total(request: HttpRequest) -> bool:
    """Not with the header `Prefer: count=none`: counting many rows takes longer than showing a few."""
    preferences = request.headers.get("Prefer", "").lower().split(",")
    return "count=none" not in (preference.strip() for preference in preferences)


def wanted_order(request: HttpRequest) -> list[Order]:
    """From `sort(+name,-id)` or `sort=…`, where the plus sign may have been taken for a space."""
    orders = []
    for name in (name for part in _query(request) if (match := SORT.fullmatch(part)) for name in _names(match)):
        orders.append(Order(name.lstrip("+- "), name.startswith("-")))
    return orders


def wanted_filters(request: HttpRequest) -> dict[str, list[str]]:
    """The other names in the query, and their values."""
    return {name: values for name, values in request.GET.lists() if not SORT.match(name) and name != "sort"}


def _query(request: HttpRequest) -> list[str]:
    # Not request.GET: it takes `sort(+a)` for a name and the plus sign in it for a space.
    return [unquote(part) for part in request.META.get("QUERY_STRING", "").split("&") if part]


def _names(match: re.Match[str]) -> list[str]:
    return [name for name in (match[1] or match[2] or "").split(",") if name.strip("+- ")]
