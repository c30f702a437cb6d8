"""A text with simple formatting: a form field whose value is HTML of a few harmless elements, and nothing else.

What was sent is parsed, and written anew from the elements and attributes named here. Everything else goes: scripts and
styles with their text, other elements without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from html.parser import HTMLParser
from typing import Any

from django import forms

ELEMENTS = frozenset({
    "a", "b", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "ins",
    "li", "ol", "p", "pre", "s", "span", "strike", "strong", "sub", "sup", "u", "ul",
})  # fmt: skip
"""What the dijit's buttons make, and what they are beside when text is pasted."""
SCHEMES = ("http:", "https:", "mailto:", "tel:")
PLUGINS = [
    "undo", "redo", "|", "bold", "italic", "underline", "strikethrough", "|", "insertOrderedList",
    "insertUnorderedList", "indent", "outdent", "removeFormat",
]  # fmt: skip

_EMPTY = {"br", "hr"}
_DROPPED_WITH_TEXT = {"script", "style", "title", "textarea", "iframe", "noscript", "template", "svg", "math", "head",
                      "object", "select", "xmp", "noembed", "noframes", "plaintext"}  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x20\x7f-\xa0\u2000-\u200f\u2028-\u202f\ufeff]")


def sanitise(html: str) -> str:
    """The harmless part of some HTML. Every element that is opened is closed; done twice it changes nothing more."""
    writer = _Writer()
    writer.feed(html)
    writer.close()
    return writer.result()


class RichTextarea(forms.Textarea):
    """A textarea of HTML, which becomes dijit/Editor."""


class RichTextField(forms.CharField):
    """Its value is sanitised HTML, empty if nothing can be seen of it. Show it with `|safe`."""

    widget = RichTextarea

    def to_python(self, value: Any) -> Any:
        html = super().to_python(value)
        if html in self.empty_values:
            return html
        clean = sanitise(html).strip()
        return clean if is_visible(clean) else self.empty_value


def is_visible(html: str) -> bool:
    return "<hr>" in html or bool(re.sub(r"<[^>]*>|&nbsp;|\s", "", html))


def editor_attributes(widget: forms.Widget) -> Iterator[tuple[str, Any]]:
    yield "plugins", list(PLUGINS)
    yield "height", ""
    yield "minHeight", f"{int(widget.attrs.get('rows', 10))}em"


class _Writer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._open: list[str] = []
        self._dropped: list[str] = []

    def result(self) -> str:
        return "".join(self._parts) + "".join(f"</{tag}>" for tag in reversed(self._open))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED_WITH_TEXT:
            self._dropped.append(tag)
        if self._dropped or tag not in ELEMENTS:
            return
        written = "".join(f' {name}="{escape(value)}"' for name, value in _kept(tag, attrs))
        self._parts.append(f"<{tag}{written}>")
        if tag not in _EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # In HTML the slash says nothing.
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._dropped:
            if tag == self._dropped[-1]:
                self._dropped.pop()
            return
        if tag not in self._open:
            return
        while True:
            last = self._open.pop()
            self._parts.append(f"</{last}>")
            if last == tag:
                return

    def handle_data(self, data: str) -> None:
        if not self._dropped:
            self._parts.append(escape(data, quote=False).replace("\xa0", "&nbsp;"))


def _kept(tag: str, attrs: list[tuple[str, str | None]]) -> Iterator[tuple[str, str]]:
    for name, value in attrs:
        if tag == "a" and name == "href" and value and _is_harmless(value):
            yield name, value
            yield "rel", "nofollow noopener"
            return


def _is_harmless(url: str) -> bool:
    bare = _CONTROL.sub("", url).lower()
    scheme = re.match(r"[^/?#:]*:", bare)
    return scheme is None or scheme[0] in SCHEMES
