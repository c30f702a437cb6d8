"""What a task's arguments and its result may be: what JSON can say, and gives back as it was.

A tuple becomes a list; nothing else comes back as something else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from inspect import Signature, signature
from math import isfinite
from typing import Any

from djintegrate.common.texts import UNKEPT

ALLOWED = "text, whole numbers, finite numbers, True, False, None, and lists and dictionaries of these"
ENDLESS = "contains itself, or too many lists and dictionaries in one another: JSON has an end"


def arguments(task: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """As they are kept. A TypeError or ValueError says which of them does not fit, or is missing, or unknown."""
    taken = (None, *args) if task.takes_context else args
    try:
        bound = _signature(task.func).bind(*taken, **kwargs)
    except TypeError as error:
        raise TypeError(f"{task.module_path}.enqueue(): {error}.") from None
    try:
        return {"args": [plain(each) for each in args], "kwargs": {name: plain(kwargs[name]) for name in kwargs}}
    except (TypeError, ValueError, RecursionError) as error:
        fault = next(filter(None, (_fault(value, name) for name, value in bound.arguments.items())), error)
        raise _kind(error)(f"{task.module_path}.enqueue(): {fault}") from None


def result(value: Any) -> Any:
    """As it is kept."""
    try:
        return plain(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise _kind(error)(f"What the task returns cannot be kept: {_fault(value, 'the result') or error}") from None


def plain(value: Any) -> Any:
    """The value in types that JSON knows."""
    kind = type(value)
    if kind is str:
        return _text(value)
    if kind is int or kind is bool or value is None:
        return value
    if kind is list or kind is tuple:
        return [plain(each) for each in value]
    if kind is dict:
        return {_key(key): plain(value[key]) for key in value}
    return _of_another_type(value)


def _of_another_type(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        if isfinite(value):
            return value
        raise ValueError(f"is {value!r}, which JSON does not know: send None, or text")
    if isinstance(value, bytes | bytearray | memoryview):
        raise TypeError(f"is {type(value).__name__}, which JSON does not know: decode() it, or encode it as text")
    if isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [plain(each) for each in value]
    if hasattr(type(value), "_meta"):
        raise TypeError(f"is a {type(value).__name__}, an object of the database: give its id, and load it by that")
    raise TypeError(f"is a {type(value).__name__}, which JSON does not know. It may be {ALLOWED}")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"has the key {key!r}, which JSON would make text: give it as text")
    return _text(key)


def _text(text: str) -> str:
    # Some databases would keep it and others not; so an argument that arrives here arrives everywhere.
    if (not text.isascii() or "\0" in text) and (found := UNKEPT.search(text)):
        what = "a NUL" if found[0] == "\0" else "half of a surrogate pair"
        raise ValueError(f"has {found[0]!a} in it, {what}, which a database does not keep: take it out, or escape it")
    return text


def _kind(error: Exception) -> type[Exception]:
    return ValueError if isinstance(error, RecursionError) else type(error)


def _fault(value: Any, place: str) -> str | None:
    """What is wrong first, with its place; None where nothing is."""
    try:
        plain(value)
        return None
    except RecursionError:
        return f"{place} {ENDLESS}."
    except (TypeError, ValueError) as error:
        wrong = f"{place} {error}."
    if isinstance(value, Mapping):
        inside = ((item, f"{place}[{key!r}]") for key, item in value.items())
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray | memoryview):
        inside = ((item, f"{place}[{number}]") for number, item in enumerate(value))
    else:
        return wrong
    # Where each of the values fits, it is a key of this one that does not.
    return next(filter(None, (_fault(item, where) for item, where in inside)), wrong)


@cache
def _signature(function: Callable[..., Any]) -> Signature:
    # A decorator's own: what it gives the function by itself is no argument of the task's.
    return signature(function, follow_wrapped=False)
