"""The few tags of a stranger's page that discovery asks for, in time that grows with the page and no faster.

Reads the head of the page only, and there neither comments nor scripts: what visitors may have put in does not count.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

HIDDEN = (
    ("<!--", "-->"),
    ("<![cdata[", "]]>"),
    *((f"<{name}", f"</{name}") for name in ("script", "style", "title", "noscript", "template", "textarea", "xmp")),
)
MAX_HEAD = 128 * 1024
HIDING = re.compile("|".join(["</head", "<body", *(re.escape(start) for start, _ in HIDDEN)]))
TAG = re.compile(r"<(link|meta)\b([^<>]{0,2048})>", re.IGNORECASE)
ATTRIBUTE = re.compile(r"""([a-z][a-z-]{0,30})\s{0,9}=\s{0,9}("[^"]*"|'[^']*'|[^\s"'<>]+)""", re.IGNORECASE)


def head_tags(page: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    """Each `link` and `meta` in the page's head: its name, and its attributes."""
    for tag in TAG.finditer(_visible_head(page[:MAX_HEAD].decode("utf-8", "replace"))):
        attributes: dict[str, str] = {}
        for name, value in ATTRIBUTE.findall(tag[2]):
            attributes.setdefault(name.lower(), html.unescape(value.strip("\"'")))
        yield tag[1].lower(), attributes


def _visible_head(page: str) -> str:
    # lower() may change the length of other letters; these are all that matters here.
    lowered = page.translate({number: number + 32 for number in range(ord("A"), ord("Z") + 1)})
    pieces, position = [], 0
    while position < len(page):
        opening = HIDING.search(lowered, position)
        if opening is None:
            pieces.append(page[position:])
            break
        pieces.append(page[position : opening.start()])
        end = dict(HIDDEN).get(opening[0])
        closing = -1 if end is None else lowered.find(end, opening.end())
        if end is None or closing < 0:
            break
        position = closing + len(end)
    return "".join(pieces)
