"""The types that a setting may have. None of them coerces: "False" is not a boolean.

A type is a function that takes what the site's settings say, and gives what the app works with, or raises Unfit. Most
types are made by a function that takes in words what the value should be.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from django.utils.module_loading import import_string

from .passwords import without_password

T = TypeVar("T")
Type = Callable[[Any], T]

NAMES = {
    str: "a string", bytes: "a byte string", int: "a whole number", float: "a number", dict: "a dictionary",
    list: "a list", tuple: "a tuple", set: "a set", frozenset: "a frozenset",
}  # fmt: skip


class Unfit(Exception):
    """The value of a setting does not fit. Its text is what follows the setting's name."""

    def __init__(self, said: str, where: str = "") -> None:
        super().__init__(said)
        self.said = said
        self.where = where

    def __str__(self) -> str:
        return f"{self.where} {self.said}"

    def inside(self, key: object) -> Unfit:
        """The same, where the value is one of those in a dictionary or a list."""
        return Unfit(self.said, f"[{key!r}]{self.where}")


def unfit(value: object, should_be: str, why: str | None = None, question: str = "") -> Unfit:
    """`why` follows the value; where it is not said, the value's type is wrong, and is named."""
    reason = NAMES.get(type(value), "") if why is None else why
    said = [f"is {without_password(repr(value))}{', ' if reason else ''}{reason}.", question, f"Make it {should_be}."]
    return Unfit(" ".join(filter(None, said)))


def did_you_mean(name: object, known: Collection[str], prefix: str = "") -> str:
    """The question after the one of `known` that is most like `name`, or nothing. The prefix is in all of them."""
    rests = {each.removeprefix(prefix): each for each in known}
    near = get_close_matches(str(name).removeprefix(prefix), rests, n=1)
    return f"Did you mean {rests[near[0]]}?" if near else ""


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise unfit(value, "True or False")
    return value


def optional(type_: Type[T]) -> Type[T | None]:
    """None passes; the other type's words should say so."""
    return lambda value: None if value is None else type_(value)


def text(should_be: str) -> Type[str]:
    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise unfit(value, should_be)
        return value

    return read


def one_of(*choices: str) -> Type[str]:
    should_be = f"{', '.join(map(repr, choices[:-1]))} or {choices[-1]!r}"

    def read(value: Any) -> str:
        if text(should_be)(value) not in choices:
            raise unfit(value, should_be, "")
        return str(value)

    return read


def whole_number(should_be: str, least: int) -> Type[int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise unfit(value, should_be)
        if value < least:
            raise unfit(value, should_be, "")
        return value

    return read


def number(should_be: str, least: float = 0, above: float | None = None) -> Type[float]:
    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise unfit(value, should_be)
        if not (least <= value < math.inf and (above is None or value > above)):
            raise unfit(value, should_be, "")
        return value

    return read


def texts(should_be: str) -> Type[tuple[str, ...]]:
    """A list, tuple or set of strings. One string, which has letters for its items, is not."""

    def read(value: Any) -> tuple[str, ...]:
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Collection):
            raise unfit(value, should_be)
        for item in value:
            if not isinstance(item, str):
                raise unfit(value, should_be, f"with {item!r} in it")
        return tuple(value)

    return read


def pair(should_be: str, least: int) -> Type[tuple[int, int]]:
    """Two whole numbers."""

    def read(value: Any) -> tuple[int, int]:
        if not isinstance(value, tuple | list):
            raise unfit(value, should_be)
        try:
            first, second = map(whole_number("", least), value)
        except (Unfit, ValueError):
            raise unfit(value, should_be, "") from None
        return first, second

    return read


def sequence(should_be: str, items: Type[T]) -> Type[tuple[T, ...]]:
    """A list or tuple; what is said of a wrong item names its place."""

    def read(value: Any) -> tuple[T, ...]:
        if not isinstance(value, list | tuple):
            raise unfit(value, should_be)
        return tuple(_inside(value, place, items) for place in range(len(value)))

    return read


def record(should_be: str, required: Mapping[str, Type[Any]], **further: Type[Any]) -> Type[dict[str, Any]]:
    """A dictionary with keys that are known, each with its own type."""
    known = {**required, **further}

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise unfit(value, should_be)
        for key in value:
            if key not in known:
                question = did_you_mean(key, known)
                raise unfit(value, should_be, f"with the unknown key {key!r}", question)
        for key in required:
            if key not in value:
                raise unfit(value, should_be, f"without the key {key!r}")
        return {key: _inside(value, key, known[key]) for key in value}

    return read


def anything(value: Any) -> Any:
    return value


def dictionary(should_be: str, keys: Type[Any] = anything, values: Type[T] = anything) -> Type[dict[Any, T]]:
    """Its values are looked at one by one: what is said of a wrong one names its key."""

    def read(value: Any) -> dict[Any, T]:
        if not isinstance(value, Mapping):
            raise unfit(value, should_be)
        for key in value:
            try:
                keys(key)
            except Unfit:
                raise unfit(value, should_be, f"with the key {key!r} in it") from None
        return {key: _inside(value, key, values) for key in value}

    return read


def folder(should_be: str) -> Type[Path]:
    def read(value: Any) -> Path:
        if not isinstance(value, str | os.PathLike) or not str(value):
            raise unfit(value, should_be)
        return Path(value)

    return read


def function(should_be: str, only_path: bool = False) -> Type[Callable[..., Any]]:
    """A dotted path, which is imported, or the function itself unless `only_path`."""

    def read(value: Any) -> Callable[..., Any]:
        if only_path and not isinstance(value, str):
            raise unfit(value, should_be)
        try:
            found = import_string(value) if isinstance(value, str) else value
        except Exception as error:  # whatever the module does when it is imported
            raise unfit(value, should_be, f"which cannot be imported ({type(error).__name__}: {error})") from error
        if not callable(found):
            raise unfit(value, should_be, "which is not a function")
        return found

    return read


def _inside(container: Any, key: Any, type_: Type[T]) -> T:
    try:
        return type_(container[key])
    except Unfit as wrong:
        raise wrong.inside(key) from wrong.__cause__
