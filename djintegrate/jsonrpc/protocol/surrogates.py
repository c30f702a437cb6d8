"""Halves of surrogate pairs: texts of Python's may have them, as may escapes in JSON. They are no characters.

Readers differ in what they make of one, so none is read and none is sent.
"""

from __future__ import annotations

import re

# Escapes in JSON. The group is a half without its other half.
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F])|\\.", re.DOTALL)


def has_half(text: str) -> bool:
    """Whether the escapes in this text of JSON's name one."""
    return ("\\ud" in text or "\\uD" in text) and any(found[1] for found in _ESCAPE.finditer(text))


def without_halves(text: str) -> str:
    """The text with a question mark for each."""
    return text.encode(errors="replace").decode()
