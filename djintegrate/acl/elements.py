"""A small XML document as a tree whose elements know their lines.

It is read by expat. A document type, with which entities would come, is refused, and nothing outside the file is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any
from xml.parsers import expat


class NotXML(Exception):
    """The file cannot be parsed, or has what is refused."""

    def __init__(self, line: int, said: str, remedy: str) -> None:
        super().__init__(f"line {line}: {said} {remedy}")
        self.line, self.said, self.remedy = line, said, remedy


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    line: int
    children: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    text_line: int = 0
    """Of the first text that is more than space."""

    @property
    def text(self) -> str:
        return "".join(self.texts).strip()

    @property
    def has_text(self) -> bool:
        return bool(self.text_line)

    def each(self, tag: str, *further: str) -> Iterator[Element]:
        """Those below that are reached by these tags, one step each."""
        for child in self.children:
            if child.tag == tag:
                yield from child.each(*further) if further else [child]


def parse(file: str | os.PathLike[str] | IO[Any]) -> Element:
    """The outermost element."""
    if isinstance(file, str | os.PathLike):
        with open(file, "rb") as opened:
            return parse(opened)
    content = file.read()
    builder = _Builder()
    try:
        builder.parser.Parse(content, True)
    except expat.ExpatError as error:
        said = f"This is not well-formed XML: {expat.errors.messages[error.code]}."
        raise NotXML(error.lineno, said, f"Look at column {error.offset + 1}, and at what is open there.") from None
    except (LookupError, ValueError) as error:
        line = builder.parser.CurrentLineNumber
        raise NotXML(line, f"The text cannot be decoded: {error}.", "Save the file as UTF-8.") from None
    return builder.root


class _Builder:
    root: Element

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.open: list[Element] = []

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        element = Element(tag, attributes, self.parser.CurrentLineNumber)
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)

    def _end(self, tag: str) -> None:
        self.open.pop()

    def _text(self, text: str) -> None:
        element = self.open[-1]
        element.texts.append(text)
        if not element.text_line and text.strip():
            # With buffer_text expat is behind the text already: its line is that of the end.
            before = len(text) - len(text.lstrip())
            element.text_line = self.parser.CurrentLineNumber - text.count("\n", before)

    def _doctype(self, *args: Any) -> None:
        line = self.parser.CurrentLineNumber
        raise NotXML(line, "A document type, which could define entities, is refused.", "Remove <!DOCTYPE …>.")
