"""Hints of all kinds, each within others: one that parameters take is described, and by what it takes."""

from __future__ import annotations

import enum
import json
import typing
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Optional
from uuid import UUID

import pytest
import typing_extensions
from django.core.exceptions import ImproperlyConfigured
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from djintegrate.jsonrpc import JSONRPCSite, description, jsonrpc_method
from djintegrate.jsonrpc.console.fields import form_of, kind_of, parts_of
from djintegrate.jsonrpc.parameters.converters import Components
from djintegrate.jsonrpc.parameters.signature import Signature
from djintegrate.jsonrpc.protocol.writing import encode
from tests.apps.people.models import Person
from tests.jsonrpc.test_parameters import Colour, Minutes, Point, Room, Session, Slot, Track, Tree, convert, refused


class Rights(enum.Flag):
    READ = 1
    WRITE = 2
    SHARE = 8


class Modes(enum.IntFlag):
    A = 1
    B = 4


class Given(typing.TypedDict, total=False):
    a: typing_extensions.Required[int]
    b: typing_extensions.ReadOnly[typing_extensions.Required[str]]
    c: Annotated[typing_extensions.NotRequired[int], "words"]
    d: int


class More(Given):
    e: int
    f: typing_extensions.NotRequired[Annotated[int, "words"]]
    g: typing_extensions.ReadOnly[int]


class Extended(typing_extensions.TypedDict):
    a: int
    b: typing_extensions.NotRequired[typing_extensions.ReadOnly[int]]


def another_room() -> type:
    @dataclass
    class Room:
        stars: int

    return Room


PLAIN: list[Any] = [
    str, bool, int, float, Decimal, date, datetime, time, timedelta, UUID, bytes, None, Any, object, list, dict, tuple,
    Colour, Track, Rights, Modes, Room, Tree, Session, Slot, Point, Given, More, Extended, Minutes, Person,
    another_room(), tuple[()], Literal["a"], Literal[1, True], Literal[0, False, None, "0"], Literal[True],
]  # fmt: skip


def around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    wraps: list[Any] = [
        lambda a, b: Optional[a],  # noqa: UP045
        lambda a, b: typing.Union[a, b],  # noqa: UP007
        lambda a, b: list[a], lambda a, b: set[a], lambda a, b: tuple[a, b], lambda a, b: tuple[a, ...],
        lambda a, b: dict[str, a], lambda a, b: typing.Mapping[int, a],
        lambda a, b: Annotated[a, "words"], lambda a, b: Annotated[a, lambda value: None],
    ]  # fmt: skip
    return st.builds(lambda wrap, a, b: wrap(a, b), st.sampled_from(wraps), inner, inner)


hints = st.recursive(st.sampled_from(PLAIN), around, max_leaves=4)
plain_values = st.sampled_from(
    [None, True, False, 0, 1, 2, 3, 9, 1.5, -1, "", "a", "0", "1", "12.50", "red", "pages", "2026-01-31", "12:30",
     "2026-01-31T12:00:00Z", "P1D", "123e4567-e89b-12d3-a456-426614174000", "AAH/", [], {}]
)  # fmt: skip
names = st.sampled_from(["a", "b", "c", "name", "seats", "children", "title", "starts", "x", "y", "1", "stars"])
sent = st.recursive(plain_values, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3))


def site_of(*hints: Any) -> JSONRPCSite:
    def function(request: Any, one: Any, other: Any = None) -> Any: ...

    function.__annotations__.update(zip(["one", "other", "return"], [*hints, *hints, hints[0]], strict=False))
    site = JSONRPCSite()
    jsonrpc_method("method", site=site)(function)
    return site


OF_TYPE = {
    str: {"string"}, int: {"integer", "number"}, float: {"number"}, bool: {"boolean"}, list: {"array"},
    dict: {"object"}, type(None): {"null"},
}  # fmt: skip


def allows(schema: Any, value: Any, components: Components) -> bool:
    """Of JSON Schema, as much as is written here."""
    known = {"type", "items", "minItems", "maxItems", "uniqueItems", "additionalProperties", "enum", "anyOf", "$ref",
             "properties", "required", "format", "contentEncoding", "description", "minimum", "maximum"}  # fmt: skip
    if schema is False:
        return False
    assert set(schema) <= known
    if "$ref" in schema:
        return allows(components[schema["$ref"].removeprefix("#/components/schemas/")], value, components)
    if "anyOf" in schema:
        return any(allows(each, value, components) for each in schema["anyOf"])
    if "enum" in schema:
        return json.dumps(value) in map(json.dumps, schema["enum"])
    kinds = schema.get("type", [])
    if kinds and not {*([kinds] if isinstance(kinds, str) else kinds)} & OF_TYPE[type(value)]:
        return False
    if isinstance(value, list):
        items = schema.get("items", {})
        each_of = items if isinstance(items, list) else [items] * len(value)
        fits = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        return fits and all(allows(one, each, components) for one, each in zip(each_of, value, strict=True))
    if isinstance(value, dict):
        properties, others = schema.get("properties", {}), schema.get("additionalProperties", {})
        fields = all(allows(properties.get(name, others), each, components) for name, each in value.items())
        return fields and set(schema.get("required", ())) <= set(value)
    return not isinstance(value, int) or schema.get("minimum", value) <= value <= schema.get("maximum", value)


KINDS = {"integer": "num", "number": "num", "string": "str", "boolean": "bit", "array": "arr", "object": "obj"}


@settings(deadline=None)
@given(one=hints, other=hints)
def test_each_hint_that_is_taken_is_described_in_each_way_and_has_a_form(one: Any, other: Any) -> None:
    site = site_of(one, other)
    [method] = site.own_methods
    [service] = json.loads(description.text(description.smd(site, "/json/")))["services"].values()
    [proc] = json.loads(description.text(description.system_describe(site, "http://testserver/")))["procs"]
    for said, word in zip(service["parameters"], proc["params"], strict=True):
        assert word["type"] == {**KINDS, "null": "nil", "any": "any"}[said["type"]]
    assert json.loads(description.text(description.openrpc(site, "http://testserver/")))["methods"]
    assert str(form_of(method.signature))
    for parameter in method.signature.parameters:
        assert kind_of(parameter).name
        parts_of(parameter)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(hint=hints, value=sent)
def test_what_is_taken_is_what_the_description_allows(hint: Any, value: Any) -> None:
    if "Person" in repr(hint):
        return  # An object is looked for in the database.
    try:
        convert(hint, value)
    except Exception as error:
        assert "Invalid params" in str(error)
        return
    components = Components()

    def function(request: Any, value: Any) -> None: ...

    function.__annotations__["value"] = hint
    [parameter] = Signature(function, {}, wants_types=True).parameters
    assert allows(parameter.converter.schema(components), value, components)


@pytest.mark.parametrize(
    ("hint", "kind"),
    [(Decimal, "string"), (Decimal | None, "string"), (Decimal | str, "string"), (Decimal | float, "any"),
     (Room | None, "object"), (list[int] | None | None, "array"), (Annotated[int | None, "some"] | int, "integer"),
     (int | str, "any"), (Any, "any"), (None, "null"), (Literal["a", "b"], "string"), (Literal[1, "a"], "any"),
     (Literal["a", None], "string"), (Rights, "integer"), (Room | dict, "object")],
    ids=repr,
)  # fmt: skip
def test_the_one_type_of_a_hint_is_told(hint: Any, kind: str) -> None:
    [service] = description.smd(site_of(hint), "/json/")["services"].values()
    assert service["parameters"][0]["type"] == service["returns"]["type"] == kind


def test_two_classes_of_one_name_are_described_apart() -> None:
    described = description.openrpc(site_of(Room, another_room()), "/")
    first, second = (each["schema"]["$ref"].rpartition("/")[2] for each in described["methods"][0]["params"])
    schemas = described["components"]["schemas"]
    assert set(schemas[first]["properties"]) == {"name", "seats", "tags"}
    assert set(schemas[second]["properties"]) == {"stars"}
    assert described["methods"][0]["result"]["schema"]["$ref"].endswith(f"/{first}")


@pytest.mark.parametrize(("hint", "required"), [(Given, "ab"), (More, "abeg"), (Extended, "a")])
def test_a_field_is_required_as_its_hint_says_though_hints_are_texts(hint: Any, required: str) -> None:
    values = {name: "x" if name == "b" and hint is not Extended else 1 for name in required}
    assert convert(hint, values) == values
    for name in required:
        assert f"should have the field {name!r}" in refused(hint, {key: values[key] for key in values if key != name})
    components = Components()
    site = site_of(hint)
    site.own_methods[0].signature.parameters[0].converter.schema(components)
    assert components[hint.__name__]["required"] == list(required)


LITERALS = [None, True, False, 0, 1, 2, "", "0", "1", "true", "null", "a"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(LITERALS), min_size=1, max_size=5), st.sampled_from([*LITERALS, 1.0, 0.0, []]))
def test_a_literal_takes_a_value_of_its_own_type_alone(values: list[Any], value: Any) -> None:
    hint = Literal[tuple(values)]  # type: ignore[valid-type]
    if (type(value), value) in [(type(each), each) for each in values]:
        found = convert(hint, value)
        assert (type(found), found) == (type(value), value)
    else:
        refused(hint, value)


@settings(deadline=None)
@given(st.integers(-2, 20))
@pytest.mark.parametrize("flags", [Rights, Modes])
def test_of_flags_each_combination_comes_back_and_no_other(flags: Any, number: int) -> None:
    everything = sum(each.value for each in flags)
    if number & everything == number >= 0:
        assert convert(flags, number) is flags(number) is convert(flags, str(number), is_text=True)
        assert json.loads(encode(flags(number))) == number
    else:
        assert f"{number}, and should be a combination of the flags 1, " in refused(flags, number)


def test_an_empty_tuple_is_empty_and_one_of_any_length_is_not() -> None:
    for hint in (tuple[()], typing.Tuple[()]):  # noqa: UP006
        assert convert(hint, []) == ()
        assert "should be []" in refused(hint, [1])
    for hint in (tuple, typing.Tuple):  # noqa: UP006
        assert convert(hint, [1, "a"]) == (1, "a")


class Alike(enum.Enum):
    DAY = date(2026, 1, 31)
    TEXT = "2026-01-31"


class Nothing(enum.Enum):
    pass


@pytest.mark.parametrize("hint", [Alike, Nothing, tuple[int, typing_extensions.Unpack[tuple[int, ...]]]], ids=str)
def test_a_hint_of_which_a_value_would_be_lost_is_an_error_of_a_parameter_and_not_of_a_result(hint: Any) -> None:
    def function(request: Any, value: Any) -> None: ...

    def giving(request: Any) -> Any: ...

    function.__annotations__["value"] = giving.__annotations__["return"] = hint
    with pytest.raises(ImproperlyConfigured, match="The parameter 'value'"):
        Signature(function, {}, wants_types=True)
    assert Signature(giving, {}, wants_types=True).result.expected == "anything"


@dataclass
class Nested:
    rights: Rights = Rights.READ
    more: list[Given] = field(default_factory=list)


def test_what_a_class_has_inside_is_read_as_texts_too() -> None:
    assert convert(Nested, {"rights": 3, "more": [{"a": 1, "b": ""}]}).rights == Rights.READ | Rights.WRITE
    assert "value.more[0] is an object" in refused(Nested, {"more": [{"a": 1}]})
