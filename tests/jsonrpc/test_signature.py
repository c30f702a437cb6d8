"""Parameters by place and by name, as Python binds them: what is missing, too much or unknown is named."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from hypothesis import given
from hypothesis import strategies as st

from djintegrate.jsonrpc.errors import InvalidParams
from djintegrate.jsonrpc.parameters.converters import Caller
from djintegrate.jsonrpc.parameters.signature import Signature
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson


def told(function: Any, params: Any) -> str:
    with pytest.raises(InvalidParams) as caught:
        Signature(function, {}, wants_types=True).bind(params, Caller(None))
    return caught.value.message


def book(request: Any, room: str, seats: int = 5, *, note: str = "") -> None: ...


def test_what_is_missing_too_much_or_unknown_is_named() -> None:
    assert told(book, []) == "Invalid params: room is missing, and should be a string"
    assert told(lambda request, whatever: None, []) == "Invalid params: whatever is missing"
    assert told(book, {"seats": 5}) == "Invalid params: room is missing, and should be a string"
    assert told(book, {"room": "a", "seets": 1}) == "Invalid params: there is no parameter 'seets'. Did you mean seats?"


@pytest.mark.parametrize(
    ("function", "number", "said"),
    [
        (lambda request: None, 1, "no parameters, 1 was given"),
        (lambda request: None, 2, "no parameters, 2 were given"),
        (lambda request, name: None, 2, "at most 1 parameter, 2 were given"),
        (lambda request, name, seats=5: None, 3, "at most 2 parameters, 3 were given"),
        (book, 3, "at most 2 parameters by place, 3 were given"),
        (lambda request, *, name: None, 1, "no parameters by place, 1 was given"),
        (lambda request, name, **others: None, 2, "at most 1 parameter by place, 2 were given"),
    ],
)
def test_of_too_many_parameters_both_numbers_are_told(function: Any, number: int, said: str) -> None:
    assert told(function, ["a"] * number) == f"Invalid params: the method takes {said}"


class Request(HttpRequest): ...


@pytest.mark.parametrize("hint", [str, int | None, list[str], dict, Person, StormPerson, Annotated[str, "a name"]])
def test_a_first_parameter_that_is_for_clients_is_no_request(hint: Any) -> None:
    def forgotten(name: Any, seats: int) -> None: ...

    forgotten.__annotations__["name"] = hint
    with pytest.raises(ImproperlyConfigured, match=r"'name', has the hint .*Write 'request' before it"):
        Signature(forgotten, {}, wants_types=True)


@pytest.mark.parametrize("hint", [HttpRequest, Request, Any, object, HttpRequest | None, Annotated[Request, "mine"]])
def test_a_first_parameter_may_have_any_hint_that_a_request_can_have(hint: Any) -> None:
    def remembered(request: Any, seats: int) -> None: ...

    remembered.__annotations__["request"] = hint
    assert [each.name for each in Signature(remembered, {}, wants_types=True).parameters] == ["seats"]


def test_a_first_parameter_of_many_has_no_hint_that_is_for_clients() -> None:
    def forgotten(*numbers: int) -> None: ...

    with pytest.raises(ImproperlyConfigured, match=r"'numbers', has the hint int.*Write 'request' before it"):
        Signature(forgotten, {}, wants_types=True)


def test_a_first_parameter_that_no_request_can_be_given_as_is_a_mistake() -> None:
    for function in (lambda *, name: None, lambda **names: None):
        with pytest.raises(ImproperlyConfigured, match="cannot be given by place, and the first one is the request"):
            Signature(function, {}, wants_types=True)
    for function in (lambda self, request: None, lambda cls, request: None):
        with pytest.raises(ImproperlyConfigured, match="Decorate a function outside of a class"):
            Signature(function, {}, wants_types=True)


def functions() -> list[Any]:
    def plain(request: Any, a: Any, b: Any = 5) -> Any:
        return a, b

    def by_place(request: Any, a: Any, b: Any = 5, /, c: Any = 6) -> Any:
        return a, b, c

    def by_name(request: Any, a: Any, *, b: Any, c: Any = 6) -> Any:
        return a, b, c

    def more(request: Any, a: Any, *rest: Any, b: Any = 5) -> Any:
        return a, rest, b

    def others(request: Any, a: Any = 1, **rest: Any) -> Any:
        return a, rest

    def everything(request: Any, a: Any, /, b: Any = 2, *rest: Any, c: Any = 3, **others: Any) -> Any:
        return a, b, rest, c, others

    def nothing(request: Any) -> Any:
        return None

    def wanted(request: Any, a: Any, *rest: Any, b: Any) -> Any:
        return a, rest, b

    def anything(*args: Any, **kwargs: Any) -> Any:
        return args, kwargs

    def by_place_alone(*args: Any) -> Any:
        return args

    def hidden(*args: Any, b: Any = 2) -> Any:
        return args, b

    return [plain, by_place, by_name, more, others, everything, nothing, wanted, anything, by_place_alone, hidden]


by_names = st.dictionaries(st.sampled_from(["a", "b", "c", "d", "request", "self", "args", ""]), st.integers())


@given(function=st.sampled_from(functions()), params=st.lists(st.integers(), max_size=6) | by_names)
def test_parameters_are_bound_as_python_binds_them(function: Any, params: Any) -> None:
    if isinstance(params, dict) and "request" in params and "request" in inspect.signature(function).parameters:
        # It is the first parameter, which no client can give.
        with pytest.raises(InvalidParams):
            Signature(function, {}, wants_types=False).bind(dict(params), Caller(None))
        return
    try:
        expected = function(None, *params) if isinstance(params, list) else function(None, **params)
    except TypeError:
        expected = TypeError
    try:
        arguments, named = Signature(function, {}, wants_types=False).bind(params, Caller(None))
    except InvalidParams:
        assert expected is TypeError
    else:
        assert function(None, *arguments, **named) == expected
