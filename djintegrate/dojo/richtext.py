"""A text with simple formatting: a form field whose value is HTML of a few harmless elements, and nothing else.

nh3 parses what was sent as a browser does, and writes it anew from the elements and attributes that are named here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.exceptions import ImproperlyConfigured

from .fields import numbers

ELEMENTS = frozenset({
    "a", "b", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "ins",
    "li", "ol", "p", "pre", "s", "span", "strike", "strong", "sub", "sup", "u", "ul",
})  # fmt: skip
"""What the dijit's buttons make, and what they are beside when text is pasted."""
SCHEMES = frozenset({"http", "https", "mailto", "tel"})
PLUGINS = [
    "undo", "redo", "|", "bold", "italic", "underline", "strikethrough", "|", "insertOrderedList",
    "insertUnorderedList", "indent", "outdent", "removeFormat",
]  # fmt: skip

_DROPPED_WITH_TEXT = {"script", "style", "title", "textarea", "iframe", "noscript", "template", "svg", "math", "head",
                      "object", "select", "xmp", "noembed", "noframes", "plaintext"}  # fmt: skip


def sanitise(html: str) -> str:
    """The harmless part of some HTML. Every element that is opened is closed; done twice it changes nothing more."""
    try:
        import nh3
    except ImportError as error:
        raise ImproperlyConfigured(
            "RichTextField cleans its HTML with nh3, which is not installed. Run `pip install djintegrate[dojo]`."
        ) from error
    return nh3.clean(
        html,
        tags=set(ELEMENTS),
        clean_content_tags=_DROPPED_WITH_TEXT,
        attributes={"a": {"href"}},
        url_schemes=set(SCHEMES),
        link_rel="nofollow noopener",
    )


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
    yield "minHeight", f"{numbers.step(widget.attrs.get('rows')) or 10:g}em"
