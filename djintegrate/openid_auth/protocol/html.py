"""The few tags of a stranger's page that discovery asks for: the links and meta tags that a browser finds in its head.

Reads by the tokenizer and tree builder of HTML 5 (lexbor's), never by patterns: what stands in an attribute, a comment,
a script or the body is not in the head. Reads so much of a page that its cost is bounded, and no more.
"""

from __future__ import annotations

from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser

MAX_BYTES = 128 * 1024
MAX_TAGS = 600
"""HTML's rules for elements that were not closed cost the square of the tags, so the tags are counted first."""


def head_tags(page: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    """Each `link` and `meta` in the page's head: its name, and its attributes."""
    head = LexborHTMLParser(_beginning(page).decode("utf-8-sig", "replace")).head
    if head is None:
        return
    for node in head.iter():
        if node.tag in ("link", "meta"):
            yield node.tag, {name: value or "" for name, value in node.attributes.items()}


def _beginning(page: bytes) -> bytes:
    """The page up to the first tag that is one too many."""
    tags = page[:MAX_BYTES].split(b"<", MAX_TAGS)
    return b"<".join(tags[:MAX_TAGS])
