"""What every converter has: it takes a value from JSON and gives what a hint asks for, or raises Wrong."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from ..errors import InvalidParams
from ..protocol.reading import ExactFloat

# Of which no error repeats the value.
SECRET = re.compile(r"pass|secret|token", re.IGNORECASE)
LONGEST_SHOWN = 80

Schema = dict[str, Any]
ANYTHING = "anything"


class Components(dict[str, Schema]):
    """The schemas that have a name, of which one may be in another, or in itself."""

    def __init__(self) -> None:
        super().__init__()
        self._names: dict[Any, str] = {}

    def name(self, described: type) -> str:
        """The class's own, with a number where another class has that already."""
        if described not in self._names:
            name, number = described.__name__, 1
            while name in self._names.values():
                number += 1
                name = f"{described.__name__}{number}"
            self._names[described] = name
        return self._names[described]


@dataclass(slots=True)
class Caller:
    """Who gives the values, and how."""

    request: Any
    # By GET every value is a text, and "5" is a number.
    is_text: bool = False
    # The parameters that have their names only here: what came said their places.
    places: frozenset[str] = frozenset()


class Converter:
    """`expected` is in words, to follow "should be". `schema` is JSON Schema's, with named objects in `components`."""

    expected = ANYTHING

    def __call__(self, value: Any, caller: Caller) -> Any:
        return value

    def schema(self, components: Components) -> Schema:
        return {}

    def wrong(self, value: Any, why: str = "") -> Wrong:
        return Wrong(value, why or f"should be {self.expected}")


class Unknown(ImproperlyConfigured):
    """A hint that no value of JSON's can be converted to."""


class Wrong(Exception):
    """A value does not fit; `path` says where in the parameter it is, and `why` continues the sentence."""

    def __init__(self, value: Any, why: str, path: str = "") -> None:
        super().__init__(why)
        self.value = value
        self.why = why
        self.path = path

    def inside(self, key: str | int) -> Wrong:
        part = f"[{key}]" if isinstance(key, int) else f".{key}"
        return Wrong(self.value, self.why, part + self.path)

    def error(self, parameter: str) -> InvalidParams:
        where = parameter + self.path
        if SECRET.search(where):
            return InvalidParams(message=f"Invalid params: {where} {self.why}", data={"parameter": where})
        return InvalidParams(
            message=f"Invalid params: {where} is {shown(self.value)}, and {self.why}",
            data={"parameter": where, "value": shown(self.value)},
        )


def shown(value: Any) -> str:
    """As JSON, and not too much of it."""
    if isinstance(value, list | dict):
        return f"{'an array' if isinstance(value, list) else 'an object'} of {len(value)}"
    if isinstance(value, str):
        text = json.dumps(value[: LONGEST_SHOWN + 1], ensure_ascii=False)
        return text if len(value) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
    text = value.written if isinstance(value, ExactFloat) else json.dumps(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
