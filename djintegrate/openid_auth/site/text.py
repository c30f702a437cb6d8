"""Which text from outside is fit to be read, stored and written into a line of a log."""

from __future__ import annotations

import re

import regex

MAX_VALUE = 254
SPACES = re.compile(r"\s+")
INVISIBLE = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{C}]+")
"""What Unicode's data says shows nothing, and its controls, formats and unassigned characters."""
UNFIT = re.compile("[\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff]")
"""What ends a line, commands a terminal, or is half a character. No line of OpenID's key-value form holds any of it."""


def is_plain(text: str) -> bool:
    return UNFIT.search(text) is None


def clean(value: str | None) -> str | None:
    """`value` on one line, without characters that do not show, and cut to a length. For names; never for addresses."""
    if value is None:
        return None
    return INVISIBLE.sub("", SPACES.sub(" ", value[: 4 * MAX_VALUE])).strip()[:MAX_VALUE] or None


def one_line(text: str) -> str:
    """`text` with each of those characters escaped."""
    return UNFIT.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
