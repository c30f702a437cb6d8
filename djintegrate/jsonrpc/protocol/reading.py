"""JSON from strangers: read strictly, within limits, at a cost that grows with its length alone."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

from ..errors import InvalidRequest, ParseError
from .surrogates import has_half

# Strings, of which brackets are no part, and brackets. A string that never ends goes to the end: looked for from each
# of its quotes anew, it would take time that grows with the square of its length.
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)
_FORM = re.compile(r"[\w.~%+*-]+=|--[^\r\n]+\r?\nContent-Disposition:", re.IGNORECASE)
# Python takes time that grows with the square of a number's length.
LONGEST_NUMBER = 400
_LONG_NUMBER = re.compile(rf"[0-9]{{{LONGEST_NUMBER + 1}}}")


class ExactFloat(float):
    """A number with a fraction that remembers how it was written, so that a Decimal can be made of it."""

    written: str = ""


def read(body: bytes, least_depth: int, max_depth: Callable[[], int]) -> Any:
    """What the text says. Anything but JSON, as RFC 8259 has it, is a ParseError that says what is wrong.

    `max_depth` is asked for where the text may be nested more deeply than `least_depth`.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise ParseError(message=f"Parse error: the text is not UTF-8, at byte {error.start}") from None
    return loads(text, least_depth if text.count("[") + text.count("{") <= least_depth else max_depth())


def loads(text: str, max_depth: int) -> Any:
    if text.count("[") + text.count("{") > max_depth and _depth(text) > max_depth:
        raise InvalidRequest(message=f"Invalid Request: it is nested more than {max_depth} levels deep")
    has_long_number = len(text) > LONGEST_NUMBER and _LONG_NUMBER.search(text) is not None
    reader = _short_numbers if has_long_number else _strict
    try:
        value = reader.decode(text)
    except ParseError:
        raise
    except json.JSONDecodeError as error:
        raise ParseError(message=f"Parse error: {_not_json(text, error)}") from None
    except (ValueError, RecursionError):
        raise ParseError from None
    if has_half(text):
        raise ParseError(message="Parse error: a string has half of a surrogate pair in it")
    return value


def _not_json(text: str, error: json.JSONDecodeError) -> str:
    """What is there instead. No more of it than one character: a form may have a password in it."""
    if not text.strip():
        return "the body is empty"
    if text.startswith("\ufeff"):
        return "the text begins with a byte order mark, which JSON has not. Send it without one"
    if _FORM.match(text):
        return "the body is a form's, and should be JSON"
    there = repr(text[error.pos]) if error.pos < len(text) else ""
    return f"{error}, where {f'there is {there}' if there else 'the text ends'}"


def _depth(text: str) -> int:
    depth = deepest = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        first = text[found.start()]
        if first in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in "]}":
            depth -= 1
    return deepest


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ParseError(message=f"Parse error: the key {json.dumps(twice(pairs)[:100])} is there twice in one object")
    return found


def twice(pairs: list[tuple[str, Any]]) -> str:
    """The first key that is there again; the empty text where there is none."""
    seen: set[str] = set()
    return next((key for key, _ in pairs if key in seen or seen.add(key)), "")  # type: ignore[func-returns-value]


def _float(written: str) -> float:
    number = ExactFloat(written) if len(written) <= LONGEST_NUMBER else math.inf
    if not math.isfinite(number):
        raise ParseError(message="Parse error: a number is too large")
    assert isinstance(number, ExactFloat)
    number.written = written
    return number


def _constant(name: str) -> Any:
    raise ParseError(message=f"Parse error: {name} is not a number that JSON has")


def _short_integer(written: str) -> int:
    if len(written) > LONGEST_NUMBER:
        raise ParseError(message="Parse error: a number is too long")
    return int(written)


_strict = json.JSONDecoder(object_pairs_hook=_pairs, parse_float=_float, parse_constant=_constant)
_short_numbers = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=_float, parse_int=_short_integer, parse_constant=_constant
)
