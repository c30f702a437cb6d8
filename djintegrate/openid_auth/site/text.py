"""Which text from outside is fit to be read, stored and written into a line of a log."""

from __future__ import annotations

import re

UNFIT = re.compile("[\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff]")
"""What ends a line, commands a terminal, or is half a character. No line of OpenID's key-value form holds any of it."""


def is_plain(text: str) -> bool:
    return UNFIT.search(text) is None


def one_line(text: str) -> str:
    """`text` with each of those characters escaped."""
    return UNFIT.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
