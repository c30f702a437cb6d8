"""A description as plain text, for what shows no HTML: JSON, a calendar."""

from __future__ import annotations

import re
from html import unescape

from django.utils.html import strip_tags

_LINE_ENDS = re.compile(
    r"(?:<(?:br|hr|ul|ol)\b[^>]*>\s*|</(?:p|div|li|ul|ol|pre|blockquote|h[1-6])>\s*)+", re.IGNORECASE
)


def plain(html: str) -> str:
    """A line for each paragraph, item and broken line."""
    return unescape(strip_tags(_LINE_ENDS.sub("\n", html))).strip()
