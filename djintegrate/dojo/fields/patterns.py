"""Python's regular expressions written for JavaScript, or not at all where the meaning would change.

Knows nothing of Django. It walks what Python's own parser makes of a pattern. static/djintegrate/dojo/patterns.js is
the other half, in the browser.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from itertools import count
from typing import Any

# The same module, which moved. Its trees have been the same since Python 3.8, but for what newer syntax adds.
_parser = importlib.import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")

_SPACE = "".join(c for c in map(chr, range(0x3001)) if c.isspace())
_ASCII_SPACE = " \t\n\r\f\v"
_WORD = r"\p{L}\p{N}_"
_SHORT = {r"\d", r"\D", r"\w", r"\W", r"\p{Nd}", r"\P{Nd}"}
_SYNTAX = set("^$\\.*+?()[]{}|")
_ONE_CHARACTER = {"LITERAL", "NOT_LITERAL", "IN", "ANY"}
# Those that are one piece in the source, to which a quantifier may be put.
_ONE_PIECE = {*_ONE_CHARACTER, "SUBPATTERN", "BRANCH", "ATOMIC_GROUP", "POSSESSIVE_REPEAT", "GROUPREF"}


@lru_cache(maxsize=512)
def to_javascript(pattern: str, flags: int = 0) -> str | None:
    r"""The source of a JavaScript RegExp, for `new RegExp(source, "u")`; None leaves the check to the server.

    `new RegExp(source, "u").test(text)` is true where `re.compile(pattern, flags).search(text)` finds something: a
    search, as Django's RegexValidator does it, and not a match of the whole text, as dijit's own attribute `pattern`
    means it. What is not a Python regular expression raises re.error, as re.compile() does.

    All of Python's own flags are worked into the source. None stands for what JavaScript cannot say:
    docs/reference/dojo.md has the list. The letters and digits of `\w`, `\d` and `\b` are those of the browser's
    Unicode, which may know of other scripts than the server's.
    """
    tree = _parser.parse(str(pattern), flags & ~re.DEBUG)
    try:
        source = _Writer().sequence(tree, _Place(tree.state.flags))
    except _CannotBeSaid:
        return None
    # Browsers look for an empty match within a character beyond the BMP as well, for it is two to them; [^] takes both.
    return f"^[^]*?(?:{source})" if tree.getwidth()[0] == 0 and not source.startswith("^") else source


class _CannotBeSaid(Exception):
    """JavaScript has nothing with this meaning."""


@dataclass
class _Place:
    """Where in the pattern the writer is."""

    flags: int
    known: set[int] = field(default_factory=set)
    """The groups that have matched whenever this place is reached."""
    behind: bool = False
    """In a lookbehind, which JavaScript goes through from right to left."""
    once: bool = False
    """Only the first way to match counts, as in an atomic group."""

    def has(self, flag: int) -> bool:
        return bool(self.flags & flag)

    def aside(self, **changes: Any) -> _Place:
        """For a part that may not match: the groups in it are not known after it."""
        return replace(self, known=set(self.known), **changes)


class _Writer:
    """A method for each of the parser's operations, of the same name."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._groups: dict[int, int] = {}

    def sequence(self, items: Iterable[Any], at: _Place) -> str:
        return "".join(self._item(operation.name, operand, at) for operation, operand in items)

    def _item(self, name: str, operand: Any, at: _Place) -> str:
        write: Callable[[Any, _Place], str] | None = getattr(self, f"_{name.lower()}", None)
        if write is None:
            raise _CannotBeSaid(name)
        return write(operand, at)

    # Characters

    def _literal(self, code: int, at: _Place) -> str:
        ranges = [(code, code), *_other_cases([(code, code)], at)]
        return _character(code) if len(ranges) == 1 else f"[{_ranges(ranges)}]"

    def _not_literal(self, code: int, at: _Place) -> str:
        return f"[^{_ranges([(code, code), *_other_cases([(code, code)], at)])}]"

    def _any(self, operand: None, at: _Place) -> str:
        return "[^]" if at.has(re.DOTALL) else r"[^\n]"

    def _in(self, items: Sequence[Any], at: _Place) -> str:
        ranges: list[tuple[int, int]] = []
        classes, complements = "", []
        for operation, operand in items:
            if operation.name == "LITERAL":
                ranges.append((operand, operand))
            elif operation.name == "RANGE":
                ranges.append(operand)
            elif operation.name == "CATEGORY":
                inside, is_complement = _category(operand.name, at)
                if is_complement:
                    complements.append(f"[^{inside}]")
                else:
                    classes += inside
        inside = _ranges([*ranges, *_other_cases(ranges, at)]) + classes
        negated = items[0][0].name == "NEGATE"
        if inside in _SHORT and not negated and not complements:
            return inside
        if not complements:
            return f"[{'^' * negated}{inside}]"
        if not inside and len(complements) == 1:
            return complements[0].replace("[^", "[", 1) if negated else complements[0]
        # Within the brackets there is no way to say "and all that is no such character".
        union = "|".join([f"[{inside}]"] * bool(inside) + complements)
        return f"(?:(?!{union})[^])" if negated else f"(?:{union})"

    # Places

    def _at(self, operation: Any, at: _Place) -> str:
        name = operation.name
        if name in ("AT_BOUNDARY", "AT_NON_BOUNDARY"):
            return _boundary(name == "AT_BOUNDARY", at)
        if name == "AT_BEGINNING" and at.has(re.MULTILINE):
            return r"(?<![^\n])"
        if name == "AT_END":
            return r"(?![^\n])" if at.has(re.MULTILINE) else r"(?=\n?$)"
        return {"AT_BEGINNING": "^", "AT_BEGINNING_STRING": "^", "AT_END_STRING": "$"}[name]

    def _assert(self, operand: tuple[int, Any], at: _Place) -> str:
        direction, items = operand
        if direction < 0:
            return f"(?<={self.sequence(items, at.aside(behind=True))})"
        return f"(?={self.sequence(items, replace(at, behind=False, once=True))})"

    def _assert_not(self, operand: tuple[int, Any], at: _Place) -> str:
        direction, items = operand
        return f"(?{'<' * (direction < 0)}!{self.sequence(items, at.aside(behind=direction < 0))})"

    def _failure(self, operand: Any, at: _Place) -> str:
        return "(?!)"

    # Groups

    def _branch(self, operand: tuple[None, Sequence[Any]], at: _Place) -> str:
        places = [at.aside() for _ in operand[1]]
        ways = [self.sequence(way, place) for way, place in zip(operand[1], places, strict=True)]
        at.known |= set.intersection(*(place.known for place in places))
        return f"(?:{'|'.join(ways)})"

    def _subpattern(self, operand: tuple[int | None, int, int, Any], at: _Place) -> str:
        group, added, taken, items = operand
        inner = replace(at, flags=_combined(at.flags, added, taken))
        if group is None:
            return f"(?:{self.sequence(items, inner)})"
        self._groups[group] = next(self._numbers)
        source = f"({self.sequence(items, inner)})"
        at.known.add(group)
        return source

    def _groupref(self, group: int, at: _Place) -> str:
        # JavaScript takes one to a group that has not matched for an empty text, Python for a failure.
        if group not in at.known or at.has(re.IGNORECASE):
            raise _CannotBeSaid("GROUPREF")
        return rf"(?:\{self._groups[group]})"

    def _atomic_group(self, items: Any, at: _Place) -> str:
        if len(items) == 1 and items[0][0].name in _ONE_CHARACTER:
            return self.sequence(items, at)
        return self._atomic(lambda inner: self.sequence(items, inner), at)

    def _atomic(self, write: Callable[[_Place], str], at: _Place) -> str:
        # A lookahead is not entered again, and what it found is then taken as it is.
        if at.behind:
            raise _CannotBeSaid("ATOMIC_GROUP")
        number = next(self._numbers)
        return rf"(?:(?=({write(replace(at, once=True))}))\{number})"

    # Repetitions

    def _max_repeat(self, operand: tuple[int, int, Any], at: _Place) -> str:
        return self._rounds(operand, at, self.sequence)

    def _min_repeat(self, operand: tuple[int, int, Any], at: _Place) -> str:
        return self._max_repeat(operand, at) + "?"

    def _possessive_repeat(self, operand: tuple[int, int, Any], at: _Place) -> str:
        # Python tries no other way for a round that is over, not even where the next one fails.
        return self._atomic(lambda inner: self._rounds(operand, inner, self._atomic_group), at)

    def _rounds(self, operand: tuple[int, int, Any], at: _Place, write: Callable[[Any, _Place], str]) -> str:
        low, high, items = operand
        if at.once and high > 1 and items.getwidth()[0] == 0:
            # The engines differ in how often they go round without getting on, and so in which way comes first.
            raise _CannotBeSaid("MAX_REPEAT")
        # What a group found in an earlier round is forgotten in JavaScript, and kept in Python.
        source = write(items, at if low == high == 1 else at.aside())
        if len(items) != 1 or items[0][0].name not in _ONE_PIECE:
            source = f"(?:{source})"
        return source + _quantifier(int(low), None if high == _parser.MAXREPEAT else int(high))


def _quantifier(low: int, high: int | None) -> str:
    short = {(0, None): "*", (1, None): "+", (0, 1): "?"}.get((low, high))
    return short or (f"{{{low}}}" if low == high else f"{{{low},{'' if high is None else high}}}")


def _combined(flags: int, added: int, taken: int) -> int:
    """As `(?a-i:…)` changes them. ASCII and UNICODE take each other's place."""
    if added & (re.ASCII | re.UNICODE):
        flags &= ~(re.ASCII | re.UNICODE)
    return (flags | added) & ~taken


def _category(name: str, at: _Place) -> tuple[str, bool]:
    """What stands for it within brackets, and whether all other characters are meant."""
    is_complement = "_NOT_" in name
    kind, ascii_only = name.rpartition("_")[2], at.has(re.ASCII)
    if kind == "SPACE":
        return _ranges([(ord(c), ord(c)) for c in (_ASCII_SPACE if ascii_only else _SPACE)]), is_complement
    if kind == "WORD" and not ascii_only:
        return _WORD, is_complement
    if kind == "WORD":
        return (r"\W" if is_complement else r"\w"), False
    digit, no_digit = (r"\d", r"\D") if ascii_only else (r"\p{Nd}", r"\P{Nd}")
    return (no_digit if is_complement else digit), False


def _boundary(wanted: bool, at: _Place) -> str:
    word = "\\w" if at.has(re.ASCII) else _WORD
    before, after, not_before, not_after = (f"({sign}[{word}])" for sign in ("?<=", "?=", "?<!", "?!"))
    if wanted:
        return f"(?:{before}{not_after}|{not_before}{after})"
    # Before Python 3.14, an empty text has no \B either.
    some = "" if re.search(r"\B", "") else "(?!^$)"
    return f"{some}(?:{before}{after}|{not_before}{not_after})"


def _other_cases(ranges: Sequence[tuple[int, int]], at: _Place) -> list[tuple[int, int]]:
    """What else they match without regard to case. Python is asked, for the two languages' rules differ."""
    if not at.has(re.IGNORECASE) or not ranges:
        return []
    inside = "".join(rf"\U{first:08x}-\U{last:08x}" for first, last in ranges)
    found = re.findall(f"[{inside}]", _with_case(), re.IGNORECASE | (re.ASCII if at.has(re.ASCII) else 0))
    if any(c > "\uffff" for c in found):
        # There Python heeds the case in some sets, and in others it does not.
        raise _CannotBeSaid("IGNORECASE")
    return [(ord(c), ord(c)) for c in found if not any(first <= ord(c) <= last for first, last in ranges)]


@cache
def _with_case() -> str:
    """Every character that has another case. There are none beyond the first two planes of Unicode."""
    return "".join(c for c in map(chr, range(0x20000)) if c.lower() != c or c.upper() != c)


def _ranges(ranges: Sequence[tuple[int, int]]) -> str:
    """For within brackets; what follows on each other is put together."""
    joined: list[tuple[int, int]] = []
    for first, last in ranges:
        if joined and first == joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    texts = ([_in_brackets(end) for end in (first, last)[: 1 + (last > first)]] for first, last in joined)
    return "".join("-".join(ends) for ends in texts)


def _in_brackets(code: int) -> str:
    character = chr(code)
    if "!" <= character <= "~":
        return f"\\{character}" if character in "\\[]^-" else character
    return _character(code)


def _character(code: int) -> str:
    character = chr(code)
    if character in _SYNTAX:
        return f"\\{character}"
    if " " <= character <= "~":
        return character
    short = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(character)
    return short or (rf"\x{code:02x}" if code < 0x100 else rf"\u{{{code:x}}}")
