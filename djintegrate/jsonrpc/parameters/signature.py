"""A function's parameters: what a call gives, by place or by name, becomes what the function is called with."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from djintegrate.common.types import did_you_mean

from ..errors import InvalidParams
from ..protocol.messages import Params
from .converters import ANYTHING, Caller, Converter, Wrong
from .hints import DEFAULT, Hints

EMPTY = inspect.Parameter.empty
BY_NAME_ALONE = inspect.Parameter.KEYWORD_ONLY
BY_PLACE_ALONE = inspect.Parameter.POSITIONAL_ONLY
VAR_POSITIONAL = inspect.Parameter.VAR_POSITIONAL


@dataclass(frozen=True)
class Parameter:
    name: str
    hint: Any
    converter: Converter
    default: Any = EMPTY
    kind: Any = inspect.Parameter.POSITIONAL_OR_KEYWORD
    description: str = ""

    @property
    def is_required(self) -> bool:
        return self.default is EMPTY


class Signature:
    """All but the first parameter, which is the request. `permissions` are the decorator's, by parameter."""

    def __init__(self, function: Callable[..., Any], permissions: Mapping[str, str | None], wants_types: bool) -> None:
        """`wants_types` is False where the hints are not looked at."""
        hints = typing.get_type_hints(function, include_extras=True) if wants_types else {}
        if not inspect.signature(function).parameters:
            raise ImproperlyConfigured("The function takes no parameter. The first one is the request.")
        request, *found = inspect.signature(function).parameters.values()
        _refuse_no_request(request, hints.get(request.name, EMPTY))
        # The name of the request, which no client can give, not even among names of all kinds.
        self._request: str | None = request.name
        if request.kind is VAR_POSITIONAL:
            # It takes the request, and whatever else comes by place.
            self._request = None
            found.insert(0, request)
        self.more: Parameter | None = None
        self.others: Parameter | None = None
        self.parameters: list[Parameter] = []
        for each in found:
            hint = hints.get(each.name, Any)
            try:
                converter = Hints(permissions.get(each.name, DEFAULT)).converter(hint)
            except ImproperlyConfigured as error:
                raise ImproperlyConfigured(f"The parameter {each.name!r}: {error}.") from None
            made = Parameter(each.name, hint, converter, each.default, each.kind, _description(hint, converter))
            if each.kind is VAR_POSITIONAL:
                self.more = made
            elif each.kind is inspect.Parameter.VAR_KEYWORD:
                self.others = made
            else:
                self.parameters.append(made)
        self.result = Hints(None).converter(hints["return"]) if _is_plain(hints.get("return", EMPTY)) else Converter()
        self._by_name = {each.name: each for each in self.parameters if each.kind is not BY_PLACE_ALONE}
        self._by_place_alone = {each.name: each for each in self.parameters if each.kind is BY_PLACE_ALONE}
        self._by_place = [each for each in self.parameters if each.kind is not BY_NAME_ALONE]
        strangers = [name for name in permissions if name not in {each.name for each in found}]
        if strangers:
            raise ImproperlyConfigured(f"permissions names {strangers[0]!r}, which is no parameter of the function.")

    @property
    def takes_anything(self) -> bool:
        """Whether it is only `*args, **kwargs`, as of a decorator that hides the function's own parameters."""
        return not self.parameters and self.more is not None and (self.others is not None or self._request is None)

    @property
    def structure(self) -> str:
        """How its parameters are given, in OpenRPC's words."""
        if self._by_place_alone:
            return "by-position"
        return "either" if len(self._by_place) == len(self.parameters) else "by-name"

    def may_be_named(self, name: str) -> bool:
        return name in self._by_name

    def bind(self, params: Params, caller: Caller) -> tuple[list[Any], dict[str, Any]]:
        """The positional and the named arguments. What does not fit is InvalidParams."""
        if isinstance(params, dict):
            return self._bind_names(params, caller)
        known = self._by_place
        if len(params) > len(known) and self.more is None:
            raise InvalidParams(message=f"Invalid params: the method takes {self._most}, {_given(len(params))}")
        values = [_converted(each, value, caller) for each, value in zip(known, params, strict=False)]
        if self.more is not None:
            values += [_converted(self.more, value, caller) for value in params[len(known) :]]
        if len(params) < len(known) or len(known) < len(self.parameters):
            self._want({each.name for each in known[: len(params)]})
        return values, {}

    def _bind_names(self, params: dict[str, Any], caller: Caller) -> tuple[list[Any], dict[str, Any]]:
        named = {}
        for name, value in params.items():
            named[name] = _converted(self._named(name, caller), value, caller, name)
        if self.others is not None or self._by_place_alone:
            self._want({name for name in named if name in self._by_name or name in caller.places})
        elif len(named) < len(self.parameters):
            self._want(named)
        return self._place_by_name(named, caller.places) if caller.places else ([], named)

    def _named(self, name: str, caller: Caller) -> Parameter:
        found = self._by_place_alone[name] if name in caller.places else self._by_name.get(name)
        if found is None and name != self._request:
            # As in Python, among others there may be one of the same name.
            found = self.others
        if found is not None:
            return found
        if name in self._by_place_alone:
            why = f"{name} is given by place, not by name"
        else:
            why = f"there is no parameter {name[:40]!r}. {did_you_mean(name[:40], self._by_name)}".rstrip(" .")
        raise InvalidParams(message=f"Invalid params: {why}", data={"parameter": name[:40]})

    def _place_by_name(self, named: dict[str, Any], places: Container[str]) -> tuple[list[Any], dict[str, Any]]:
        values: list[Any] = []
        defaults: list[Any] = []
        for name, each in self._by_place_alone.items():
            if name in places:
                values += [*defaults, named.pop(name)]
                defaults = []
            else:
                defaults.append(each.default)
        return values, named

    @property
    def _most(self) -> str:
        number = len(self._by_place)
        by_place = " by place" if number < len(self.parameters) or self.others else ""
        noun = "parameter" if number == 1 else "parameters"
        return f"{f'at most {number}' if number else 'no'} {noun}{by_place}"

    def _want(self, given: Any) -> None:
        for each in self.parameters:
            if each.is_required and each.name not in given:
                expected = each.converter.expected
                rest = "" if expected == ANYTHING else f", and should be {expected}"
                raise InvalidParams(
                    message=f"Invalid params: {each.name} is missing{rest}", data={"parameter": each.name}
                )


def _refuse_no_request(first: inspect.Parameter, hint: Any) -> None:
    """The function is called with the request first, which would else be taken for what a client is to give."""
    if first.name in ("self", "cls"):
        raise ImproperlyConfigured(
            f"The first parameter is {first.name!r}, and would be the request. Decorate a function outside of a class, "
            "or in it a static method, whose first parameter is the request."
        )
    if first.kind in (BY_NAME_ALONE, inspect.Parameter.VAR_KEYWORD):
        told = "cannot be given by place"
    elif _is_for_clients(hint):
        told = f"has the hint {inspect.formatannotation(hint)}"
    else:
        return
    raise ImproperlyConfigured(
        f"The first parameter, {first.name!r}, {told}, and the first one is the request. Write 'request' before it."
    )


def _is_for_clients(hint: Any) -> bool:
    """Whether it is a type that a client's value can become. None of these is a request."""
    return hint not in (Any, object) and (hasattr(hint, "__storm_table__") or _is_plain(hint))


def _converted(parameter: Parameter, value: Any, caller: Caller, name: str = "") -> Any:
    try:
        return parameter.converter(value, caller)
    except Wrong as wrong:
        raise wrong.error(name[:40] or parameter.name) from None


def _description(hint: Any, converter: Converter) -> str:
    """What Annotated says in words; of a Storm class that is its store."""
    if typing.get_origin(hint) is not typing.Annotated or hasattr(typing.get_args(hint)[0], "__storm_table__"):
        return ""
    return next((each for each in typing.get_args(hint)[1:] if isinstance(each, str)), "")


def _is_plain(hint: Any) -> bool:
    """Whether a result's hint can be described; whatever it is, the result is sent."""
    if hint is EMPTY:
        return False
    try:
        Hints(None).converter(hint)
    except (ImproperlyConfigured, TypeError, ValueError):
        return False
    return True


def _given(number: int) -> str:
    return "1 was given" if number == 1 else f"{number} were given"
