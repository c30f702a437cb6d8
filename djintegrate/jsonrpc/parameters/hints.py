"""From a type hint to its converter. A hint that there is none for is an error where the method is declared."""

from __future__ import annotations

import collections.abc
import dataclasses
import types
import typing
from enum import Enum, Flag
from typing import Any

from django import forms
from django.db import models

from .containers import Choice, Fixed, Many, OneOf, Record, Table, Validated
from .converters import Converter, Unknown
from .instances import ModelInstance, StormInstance, view_permission
from .scalars import SCALARS, Flags

DEFAULT: Any = object()
"""The permission of an instance where the decorator says none: the model's `view`."""
SEQUENCES: dict[Any, Any] = {
    list: list, tuple: tuple, set: set, frozenset: frozenset, collections.abc.Sequence: list, collections.abc.Set: set,
    collections.abc.Iterable: list, collections.abc.Collection: list, collections.abc.MutableSequence: list,
}  # fmt: skip
TABLES = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
UNIONS = (typing.Union, types.UnionType)
QUALIFIERS: dict[str, bool | None] = {"Required": True, "NotRequired": False, "ReadOnly": None, "Final": None}
"""What may stand around a field's type, and whether it is then required. By name: typing_extensions has its own."""


class Hints:
    """The converters of one parameter, or of one result. Names that appear in themselves are known."""

    def __init__(self, permission: Any = DEFAULT) -> None:
        self._permission = permission
        self._records: dict[Any, Record] = {}

    def converter(self, hint: Any, about: tuple[Any, ...] = ()) -> Converter:
        """`about` is what Annotated says besides the type."""
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is typing.Annotated:
            return self._annotated(arguments[0], (*arguments[1:], *about))
        if hint in (Any, object):
            return Converter()
        if isinstance(hint, typing.NewType):
            return self.converter(hint.__supertype__, about)
        if type(hint).__name__ == "TypeAliasType":
            return self.converter(hint.__value__, about)
        if origin in UNIONS:
            return OneOf([self.converter(each, about) for each in arguments])
        if origin is typing.Literal:
            return Choice((value, value) for value in arguments)
        if _qualifier(origin):
            return self.converter(arguments[0], about)
        if getattr(hint, "__unpacked__", False):
            raise Unknown(f"{hint!r} is no type that a parameter can have")
        if origin is tuple and not arguments and hasattr(hint, "__args__"):
            return Fixed([])  # tuple[()], which has no arguments, as tuple alone has none
        return self._class(hint if origin is None else origin, arguments, about)

    def _annotated(self, hint: Any, about: tuple[Any, ...]) -> Converter:
        inner = self.converter(hint, about)
        clean = [each.clean if isinstance(each, forms.Field) else each for each in about if is_validator(each)]
        return Validated(inner, clean) if clean else inner

    def _class(self, hint: Any, arguments: tuple[Any, ...], about: tuple[Any, ...]) -> Converter:
        if hint in SCALARS:
            return SCALARS[hint]
        if hint is None:
            return SCALARS[type(None)]
        if hint in SEQUENCES:
            return self._sequence(hint, arguments)
        if hint in TABLES:
            key, item = arguments or (str, Any)
            return Table(self.converter(key), self.converter(item))
        if not isinstance(hint, type):
            raise Unknown(f"{hint!r} is no type that a parameter can have")
        if issubclass(hint, Flag):
            return Flags(hint)
        if issubclass(hint, Enum):
            return Choice((member.value, member) for member in hint)
        if issubclass(hint, models.Model):
            permission = view_permission(hint) if self._permission is DEFAULT else self._permission
            return ModelInstance(hint, permission)
        if hasattr(hint, "__storm_table__"):
            return self._storm(hint, about)
        if _is_typed_dict(hint) or dataclasses.is_dataclass(hint):
            return self._record(hint)
        if issubclass(hint, tuple) and hasattr(hint, "_fields"):
            return self._named_tuple(hint)
        raise Unknown(
            f"{hint.__name__} is no type that a parameter can have. Take one of the types in the reference, a "
            "dataclass or a TypedDict"
        )

    def _sequence(self, hint: Any, arguments: tuple[Any, ...]) -> Converter:
        if hint is tuple and arguments and arguments[-1] is not ...:
            return Fixed([self.converter(each) for each in arguments if each != ()])
        make = SEQUENCES[hint]
        return Many(self.converter(arguments[0] if arguments else Any), make, unique=make in (set, frozenset))

    def _storm(self, hint: type, about: tuple[Any, ...]) -> Converter:
        store = next((each for each in about if isinstance(each, str)), None)
        if store is None:
            raise Unknown(f'{hint.__name__} is a Storm class. Say its store: Annotated[{hint.__name__}, "main"]')
        if self._permission is DEFAULT:
            raise Unknown(
                f"{hint.__name__} is a Storm class. Say who may name its objects: permissions={{parameter: "
                '"app.view_thing"}, or None for everybody'
            )
        return StormInstance(hint, store, self._permission)

    def _record(self, hint: Any) -> Converter:
        if hint in self._records:
            return self._records[hint]
        record = self._records[hint] = Record(hint)
        hints = typing.get_type_hints(hint, include_extras=True)
        if dataclasses.is_dataclass(hint):
            fields = [field for field in dataclasses.fields(hint) if field.init]
            required = [
                field.name
                for field in fields
                if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            ]
            names = [field.name for field in fields]
        else:
            names, required = list(hints), [name for name in hints if _is_required(hint, name, hints[name])]
        record.fill({name: self.converter(hints[name]) for name in names}, required)
        return record

    def _named_tuple(self, hint: Any) -> Converter:
        hints = typing.get_type_hints(hint, include_extras=True)
        record = self._records[hint] = Record(hint)
        fields = {name: self.converter(hints.get(name, Any)) for name in hint._fields}
        record.fill(fields, [name for name in hint._fields if name not in hint._field_defaults])
        return record


def _is_typed_dict(hint: type) -> bool:
    # typing.is_typeddict() does not know those of typing_extensions.
    return issubclass(hint, dict) and hasattr(hint, "__required_keys__")


def _is_required(typed_dict: Any, name: str, hint: Any) -> bool:
    """Python itself, where all hints are texts, goes by `total` alone: what the hint says comes first."""
    while origin := typing.get_origin(hint):
        qualifier = _qualifier(origin)
        if qualifier and QUALIFIERS[qualifier] is not None:
            return bool(QUALIFIERS[qualifier])
        if not qualifier and origin is not typing.Annotated:
            break
        hint = typing.get_args(hint)[0]
    return name in typed_dict.__required_keys__


def _qualifier(origin: Any) -> str:
    """Its name, if it is one."""
    found = getattr(origin, "_name", "")
    return found if found in QUALIFIERS and not isinstance(origin, type) else ""


def is_validator(about: Any) -> bool:
    """Whether what Annotated says is a form field, or a function that looks at the value."""
    return isinstance(about, forms.Field) or (callable(about) and not isinstance(about, type))
