"""The names that the browser will be asked for: modules, functions, themes. Refuses what cannot be one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, Literal, get_args

Theme = Literal["tundra", "soria", "nihilo", "claro"]
THEMES: tuple[Theme, ...] = get_args(Theme)
RTL_APART = ("soria", "nihilo")
"""Those that have their rules for pages from right to left in a stylesheet of its own."""

CONFIGURATION = (
    "addOnLoad", "afterOnLoad", "aliases", "async", "baseUrl", "blankGif", "cache", "cacheBust", "callback", "config",
    "debugAtAllCosts", "defaultDuration", "deferredInstrumentation", "deps", "dojoBlankHtmlUrl",
    "dojoIframeHistoryUrl", "extraLocale", "gfxRenderer", "has", "hasCache", "ioPublish", "isDebug", "locale", "map",
    "modulePaths", "noGlobals", "packagePaths", "packages", "parseOnLoad", "paths", "preloadImages", "require",
    "scopeMap", "tlmSiblingOfDojo", "trace", "transparentColor", "useCommentedJson", "useXDomain", "waitSeconds",
)  # fmt: skip
"""What Dojo itself reads of its configuration. A site's own modules may read others."""

_PART = r"[A-Za-z_$][\w$-]*"
_DOTTED = re.compile(rf"{_PART}(\.{_PART})*", re.ASCII)
_SLASHED = re.compile(rf"{_PART}(/[\w$-][\w$.-]*)+", re.ASCII)
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_FUNCTION = re.compile(r"\s*(async\b\s*)?(function\b|\(|[A-Za-z_$][\w$]*\s*=>)", re.ASCII)


def module(name: Any) -> str:
    """The AMD name of a module that is called in either way: `dijit.Dialog` and `dijit/Dialog` are the latter."""
    if isinstance(name, str):
        if _DOTTED.fullmatch(name):
            return name.replace(".", "/")
        if _SLASHED.fullmatch(name):
            if name.endswith(".js"):
                # To Dojo's loader it is an address, and not the module that others ask for.
                raise ValueError(
                    f"{name!r} is the name of a file. Write {name.removesuffix('.js')!r}, the module in it."
                )
            return name
    raise ValueError(
        f"{name!r} is not the name of a module. Write it with dots or slashes, such as "
        '"dijit.Dialog" or "dijit/Dialog".'
    )


def is_dojos(name: str) -> bool:
    """Whether a module is one of those that only a build, or Dojo's sources, can give."""
    return name.partition("/")[0] in ("dojo", "dijit", "dojox", "dgrid", "dstore", "djintegrate")


def theme(name: Any) -> Theme:
    for known in THEMES:
        if name == known:
            return known
    raise ValueError(f"{name!r} is not a theme. Use one of {', '.join(map(repr, THEMES))}.")


def slips(given: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """Of the names in a configuration, those that are nearly one of Dojo's, each with that one."""
    known = {name.lower(): name for name in CONFIGURATION}
    for name in map(str, given):
        near = [] if name in CONFIGURATION else get_close_matches(name.lower(), known, n=1, cutoff=0.8)
        if near:
            yield name, known[near[0]]


def form_function(value: Any) -> tuple[str, str] | None:
    """A module and the name of a function in it; None is djintegrate's own."""
    if value is None:
        return None
    shape = 'Make it a module and a function in it, ("app.forms", "dijitize"), or None.'
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ValueError(f"form_function cannot be {value!r}. {shape}")
    try:
        name = module(value[0])
    except ValueError as error:
        raise ValueError(f"form_function cannot be {value!r}: {error} {shape}") from error
    if not isinstance(value[1], str) or not _IDENTIFIER.fullmatch(value[1]):
        raise ValueError(f"form_function cannot be {value!r}: {value[1]!r} is not the name of a function. {shape}")
    return name, value[1]


def function(source: Any) -> str:
    """The source text of one JavaScript function, as append_aol() takes it."""
    if not isinstance(source, str) or not _FUNCTION.match(source):
        raise ValueError(f'{source!r} is not a JavaScript function. Write one out: "function() {{ … }}".')
    return source.strip()
