"""What has parts: lists, objects with named fields, and hints that allow one of several."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import ValidationError

from djintegrate.common.types import did_you_mean

from ..errors import JSONRPCError
from ..protocol.reading import loads
from ..protocol.writing import encode
from .converters import ANYTHING, Caller, Components, Converter, Schema, Unknown, Wrong, shown

DEEPEST_TEXT = 16
MISSING: Any = object()


class Many(Converter):
    """An array whose items are of one kind; `make` makes a list, a set or a tuple of them."""

    def __init__(self, item: Converter, make: Callable[[Iterable[Any]], Any] = list, unique: bool = False) -> None:
        self.item = item
        self._make = make
        self._unique = unique
        self.expected = "an array" if item.expected == ANYTHING else f"an array, each item {item.expected}"

    def __call__(self, value: Any, caller: Caller) -> Any:
        if caller.is_text and isinstance(value, str):
            # One value for the name in the address, or JSON.
            value = _from_text(value) if value.startswith("[") else [value]
        if not isinstance(value, list):
            raise self.wrong(value)
        item = self.item
        found = []
        for number, each in enumerate(value):
            try:
                found.append(item(each, caller))
            except Wrong as wrong:
                raise wrong.inside(number) from None
        try:
            return self._make(found)
        except TypeError:
            raise self.wrong(value, "should have items that a set can have") from None

    def schema(self, components: Components) -> Schema:
        more = {"uniqueItems": True} if self._unique else {}
        return {"type": "array", "items": self.item.schema(components), **more}


class Fixed(Converter):
    """An array of so many items, each of its own kind."""

    def __init__(self, items: list[Converter]) -> None:
        self._items = items
        self.expected = f"an array of {len(items)}: {', '.join(item.expected for item in items)}" if items else "[]"

    def __call__(self, value: Any, caller: Caller) -> tuple[Any, ...]:
        if caller.is_text and isinstance(value, str):
            value = _from_text(value)
        if not isinstance(value, list) or len(value) != len(self._items):
            raise self.wrong(value)
        found = []
        for number, (item, each) in enumerate(zip(self._items, value, strict=True)):
            try:
                found.append(item(each, caller))
            except Wrong as wrong:
                raise wrong.inside(number) from None
        return tuple(found)

    def schema(self, components: Components) -> Schema:
        items = [item.schema(components) for item in self._items]
        # As draft 7 says it, which is OpenRPC's.
        return {"type": "array", "items": items, "minItems": len(items), "maxItems": len(items)}


class Table(Converter):
    """An object with any names."""

    expected = "an object"

    def __init__(self, key: Converter, item: Converter) -> None:
        self._key = key
        self._item = item

    def __call__(self, value: Any, caller: Caller) -> dict[Any, Any]:
        if caller.is_text and isinstance(value, str):
            value = _from_text(value)
        if not isinstance(value, dict):
            raise self.wrong(value)
        found: dict[Any, Any] = {}
        # The names of an object are texts, whatever they stand for.
        as_text = Caller(caller.request, is_text=True)
        for name, each in value.items():
            try:
                key = self._key(name, as_text)
                made = self._item(each, caller)
            except Wrong as wrong:
                raise wrong.inside(name[:40]) from None
            if key in found:
                # One of the two would be lost.
                same = next(other for other in value if self._key(other, as_text) == key)
                raise Wrong(each, f"has the same key as {shown(same)}", f".{name[:40]}")
            found[key] = made
        return found

    def schema(self, components: Components) -> Schema:
        return {"type": "object", "additionalProperties": self._item.schema(components)}


class Record(Converter):
    """An object with the fields of a dataclass or a TypedDict."""

    def __init__(self, make: type) -> None:
        self.name = make.__name__
        self._make = make
        self.fields: dict[str, Converter] = {}
        self.required: list[str] = []
        self.expected = f"an object ({self.name})"

    def fill(self, fields: dict[str, Converter], required: Iterable[str]) -> None:
        """Apart from making it, since a field may be of the same kind."""
        self.fields.update(fields)
        self.required += [name for name in fields if name in set(required)]

    def __call__(self, value: Any, caller: Caller) -> Any:
        if caller.is_text and isinstance(value, str):
            value = _from_text(value)
        if not isinstance(value, dict):
            raise self.wrong(value)
        found = {}
        for name, each in value.items():
            field = self.fields.get(name)
            if field is None:
                question = did_you_mean(name[:40], self.fields)
                raise Wrong(each, f"is no field of {self.name}. {question}".rstrip(" ."), f".{name[:40]}")
            try:
                found[name] = field(each, caller)
            except Wrong as wrong:
                raise wrong.inside(name) from None
        for name in self.required:
            if name not in found:
                raise self.wrong(value, f"should have the field {name!r}")
        try:
            return self._make(**found)
        except (ValueError, TypeError) as error:
            raise self.wrong(value, f"should be another: {error}") from None
        except ValidationError as error:
            raise self.wrong(value, f"should be another: {' '.join(error.messages)}") from None

    def schema(self, components: Components) -> Schema:
        name = components.name(self._make)
        if name not in components:
            described: Schema = {"type": "object", "properties": {}, "additionalProperties": False}
            components[name] = described
            described["properties"] = {field: each.schema(components) for field, each in self.fields.items()}
            if self.required:
                described["required"] = list(self.required)
        return {"$ref": f"#/components/schemas/{name}"}


class Choice(Converter):
    """One of the values of an enumeration, or of a Literal."""

    def __init__(self, members: Iterable[tuple[Any, Any]]) -> None:
        """`members`: the value, as Python has it, and what the function gets."""
        # By the JSON, for to Python 1 and True are one.
        self._by_json: dict[str, Any] = {}
        self._by_text: dict[str, str] = {}
        for value, member in members:
            text = encode(value)
            if text in self._by_json:
                raise Unknown(f"{self._by_json[text]!r} and {member!r} are both {text} in JSON")
            self._by_json[text] = member
            self._by_text[value if isinstance(value, str) else text] = text
        if not self._by_json:
            raise Unknown("There is no value to choose")
        self.expected = ("one of " if len(self._by_json) > 1 else "") + ", ".join(self._by_json)

    @property
    def values(self) -> list[Any]:
        """As JSON has them."""
        return [json.loads(text) for text in self._by_json]

    def __call__(self, value: Any, caller: Caller) -> Any:
        text = json.dumps(value)
        if text not in self._by_json and caller.is_text and isinstance(value, str):
            text = self._by_text.get(value, text)
        found = self._by_json.get(text, MISSING)
        if found is MISSING:
            raise self.wrong(value)
        return found

    def schema(self, components: Components) -> Schema:
        return {"enum": self.values}


class OneOf(Converter):
    """The first of several that takes the value; one that takes it as it stands comes before one that changes it."""

    def __init__(self, members: list[Converter]) -> None:
        self.members = members
        self.expected = " or ".join(dict.fromkeys(member.expected for member in members))

    def __call__(self, value: Any, caller: Caller) -> Any:
        first = MISSING
        inner: Wrong | None = None
        for member in self.members:
            try:
                found = member(value, caller)
            except Wrong as wrong:
                # Of what has parts, the one that came further says more.
                if wrong.path and inner is None:
                    inner = wrong
                continue
            if found is value:
                return value
            if first is MISSING:
                first = found
        if first is MISSING:
            raise inner or self.wrong(value)
        return first

    def schema(self, components: Components) -> Schema:
        return {"anyOf": [member.schema(components) for member in self.members]}


class Validated(Converter):
    """A value that further functions look at, such as Django's validators: they raise ValidationError."""

    def __init__(self, inner: Converter, clean: Iterable[Callable[[Any], Any]]) -> None:
        self.inner = inner
        self._clean = list(clean)
        self.expected = inner.expected

    def __call__(self, value: Any, caller: Caller) -> Any:
        found = self.inner(value, caller)
        for clean in self._clean:
            try:
                cleaned = clean(found)
            except ValidationError as error:
                raise self.wrong(value, f"should be another: {' '.join(error.messages)}") from None
            # A form field's clean() gives the value, a validator nothing.
            found = found if cleaned is None else cleaned
        return found

    def schema(self, components: Components) -> Schema:
        return self.inner.schema(components)


def _from_text(text: str) -> Any:
    """By GET, what has parts is written as JSON."""
    try:
        return loads(text, DEEPEST_TEXT)
    except JSONRPCError:
        raise Wrong(text, "should be JSON, of a few levels") from None
