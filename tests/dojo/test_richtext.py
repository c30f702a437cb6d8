"""What of a rich text is kept: a few harmless elements, and nothing that a browser would run."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django import forms
from hypothesis import given
from hypothesis import strategies as st

from djintegrate.dojo import richtext
from djintegrate.dojo.richtext import RichTextField, sanitise


@pytest.mark.parametrize(
    ("html", "clean"),
    [
        ("<p>a <b>b</b><br>c</p>", "<p>a <b>b</b><br>c</p>"),
        ("<p onclick='x()' style='a'>a</p>", "<p>a</p>"),
        ("a<script>alert(1)</script>b", "ab"),
        ("a<SCRIPT SRC=//x></SCRIPT >b", "ab"),
        ("<style>@import 'x'</style>a", "a"),
        ("<img src=x onerror=alert(1)>a", "a"),
        ("<svg><a href='javascript:x'>a</a></svg>b", "b"),
        ("<math><mtext><style><img src onerror=x></style></mtext></math>b", "b"),
        ("<noscript><p title='</noscript><img src onerror=x>'></noscript>", "'&gt;"),
        ("<a href='https://a.de/?x=1&amp;y=\"2'>a</a>",
         '<a href="https://a.de/?x=1&amp;y=&quot;2" rel="nofollow noopener">a</a>'),
        ("<a href='/here#x'>a</a>", '<a href="/here#x" rel="nofollow noopener">a</a>'),
        ("<a href='mailto:a@b.de'>a</a>", '<a href="mailto:a@b.de" rel="nofollow noopener">a</a>'),
        ("<a href='javascript:x'>a</a>", '<a rel="nofollow noopener">a</a>'),
        ("<a href=' java\tscript\n:x'>a</a>", '<a rel="nofollow noopener">a</a>'),
        ("<a href='&#106;avascript&colon;x'>a</a>", '<a rel="nofollow noopener">a</a>'),
        ("<a href='\x01javascript:x'>a</a>", '<a rel="nofollow noopener">a</a>'),
        ("<a href='data:text/html,x'>a</a>", '<a rel="nofollow noopener">a</a>'),
        ("<a href='/a' href='javascript:x'>a</a>", '<a href="/a" rel="nofollow noopener">a</a>'),
        ("<p>a", "<p>a</p>"),
        ("<b><i>a</b>b</i>", "<b><i>a</i></b><i>b</i>"),
        ("</p>a", "<p></p>a"),
        ("<!-- x --><!DOCTYPE x><?x ?>a<![CDATA[b]]>", "a"),
        ("1 < 2 & 3 > 2", "1 &lt; 2 &amp; 3 &gt; 2"),
        ("&lt;script&gt;", "&lt;script&gt;"),
        ("a&nbsp;b", "a&nbsp;b"),
        ("<", "&lt;"),
        ("<font color=red>a</font>", "a"),
    ],
)  # fmt: skip
def test_what_is_kept(html: str, clean: str) -> None:
    assert sanitise(html) == clean


class Seen(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, Any]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, dict(attrs)))


def scheme_of(address: str) -> str | None:
    """As a browser reads it: without what is invisible before it, and without its tabs and newlines."""
    found = re.match(r"[\x00-\x20]*([a-z][a-z0-9+.-]*):", re.sub(r"[\t\n\r]", "", address), re.IGNORECASE)
    return found and found[1].lower()


PIECES = st.sampled_from(
    ["<", ">", "/", "<p>", "</p>", "<b", "<a href=", "javascript:", "'", '"', "&", "&lt;", "&#", "x", " ", "\n", "\x00",
     "=", "<script>", "</script>", "<!--", "-->",
     "<svg>", "</svg>", "<style>", "onclick", "<img src=x onerror=y>", "<br/>",
     "<![CDATA[", "]]>", "<textarea>", "</textarea>", "<a href='https://x.de'>", "</a>"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=25).map("".join))
def test_whatever_is_sent_only_the_harmless_is_left(html: str) -> None:
    clean = sanitise(html)
    for tag, attributes in Seen(clean).elements:
        assert tag in richtext.ELEMENTS
        assert set(attributes) <= {"href", "rel"}
        assert scheme_of(attributes.get("href", "")) in {None, *richtext.SCHEMES}
    assert sanitise(clean) == clean


def test_what_shows_nothing_is_empty() -> None:
    field = RichTextField()
    for nothing in ("", "<br>", "<p>&nbsp;</p>", "<script>x</script>", "<p> <b></b>\n</p>"):
        with pytest.raises(forms.ValidationError, match="required"):
            field.clean(nothing)
    assert field.clean("<hr>") == "<hr>"
    assert RichTextField(required=False).clean("<br>") == ""
    assert RichTextField(required=False, empty_value=None).clean("<br>") is None


def test_lengths_are_those_of_what_is_kept() -> None:
    assert RichTextField(max_length=8).clean("<p>a</p><script>long</script>") == "<p>a</p>"
