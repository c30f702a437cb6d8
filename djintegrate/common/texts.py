"""Which texts a database does not keep, whatever app they are for."""

from __future__ import annotations

import re
from typing import Any

UNKEPT = re.compile("[\0\ud800-\udfff]")
"""NUL, which PostgreSQL does not keep, and the halves of a surrogate pair, which no database does."""


def kept(value: Any) -> Any:
    """What JSON says, with another character in the place of each that a database does not keep."""
    if isinstance(value, str):
        return UNKEPT.sub("\ufffd", value)
    if isinstance(value, list):
        return [kept(each) for each in value]
    if isinstance(value, dict):
        return {kept(name): kept(each) for name, each in value.items()}
    return value
