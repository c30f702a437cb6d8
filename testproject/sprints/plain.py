"""Plain text: a description for what shows no HTML, such as JSON and calendars, and what a title may be of."""

from __future__ import annotations

import re
from html import unescape

from django.core.validators import RegexValidator
from django.utils.html import strip_tags

_LINE_ENDS = re.compile(
    r"(?:<(?:br|hr|ul|ol)\b[^>]*>\s*|</(?:p|div|li|ul|ol|pre|blockquote|h[1-6])>\s*)+", re.IGNORECASE
)


def plain(html: str) -> str:
    """A line for each paragraph, item and broken line."""
    return unescape(strip_tags(_LINE_ENDS.sub("\n", html))).strip()


in_order = RegexValidator(
    "[\u202a-\u202e\u2066-\u2069]",
    "The title has an invisible character in it that changes the order of the letters. Type it anew.",
    inverse_match=True,
)
"""Such a character would turn around what follows the title as well: on the pages, in mail and in files."""
