"""Type hints to parameters and back: each type, from JSON, from an address, into JSON; and each wrong value."""

from __future__ import annotations

import enum
import ipaddress
import json
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, TypedDict
from uuid import UUID

import pytest
from django import forms
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import MinValueValidator, validate_slug
from django.db import models
from django.utils.timezone import override

from djintegrate.jsonrpc.errors import InvalidParams
from djintegrate.jsonrpc.parameters.converters import Caller
from djintegrate.jsonrpc.parameters.signature import Signature
from djintegrate.jsonrpc.protocol.reading import loads
from djintegrate.jsonrpc.protocol.writing import encode

UTC = timezone.utc


class Colour(enum.Enum):
    RED = "red"
    BLUE = 2
    SOON = date(2026, 1, 31)


class Size(models.IntegerChoices):
    SMALL = 1, "small"
    LARGE = 2, "large"


class Track(models.TextChoices):
    ENGINE = "engine"
    PAGES = "pages"


@dataclass
class Room:
    name: str
    seats: int = 20
    tags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.seats < 1:
            raise ValueError("a room has a seat at least")


@dataclass
class Tree:
    name: str
    children: list[Tree] = field(default_factory=list)


class Session(TypedDict):
    title: str
    starts: datetime


class Slot(TypedDict, total=False):
    room: Room
    minutes: int


class Point(NamedTuple):
    x: int
    y: int = 0


Minutes = NewType("Minutes", int)


def even(value: int) -> None:
    if value % 2:
        raise ValidationError("It is odd.")


def convert(hint: Any, value: Any, is_text: bool = False) -> Any:
    """What a function with this hint gets for the value; the value goes through a text of JSON, as a client's does."""

    def function(request: Any, value: Any) -> None: ...

    function.__annotations__["value"] = hint
    signature = Signature(function, {}, wants_types=True)
    [found], _ = signature.bind([loads(json.dumps(value), 64)], Caller(None, is_text))
    return found


def refused(hint: Any, value: Any, is_text: bool = False) -> str:
    with pytest.raises(InvalidParams) as caught:
        convert(hint, value, is_text)
    assert caught.value.code == -32602
    message = caught.value.message
    assert caught.value.data["parameter"].startswith("value")
    assert message.startswith(f"Invalid params: {caught.value.data['parameter']} is ")
    return message


MOMENT = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
TAKEN: list[tuple[Any, Any, Any]] = [
    (str, "", ""), (str, "ä\0", "ä\0"), (bool, True, True), (bool, False, False), (int, 5, 5),
    (int, -(10**30), -(10**30)),
    (float, 1.5, 1.5), (float, 2, 2.0), (Decimal, "12.50", Decimal("12.50")), (Decimal, 3, Decimal(3)),
    (Decimal, 1.1, Decimal("1.1")), (Decimal, "-1e3", Decimal("-1e3")),
    (date, "2026-01-31", date(2026, 1, 31)), (date, "0001-01-01", date(1, 1, 1)),
    (date, "9999-12-31", date(9999, 12, 31)),
    (datetime, "2026-01-31T12:00:00Z", MOMENT), (datetime, "2026-01-31 14:00+02:00", MOMENT),
    (datetime, "2026-01-31T12:00:00.000001Z", MOMENT.replace(microsecond=1)),
    (time, "12:30", time(12, 30)), (time, "12:30:15.5", time(12, 30, 15, 500000)),
    (datetime, "2026-01-31T12:00:00.000001000Z", MOMENT.replace(microsecond=1)),
    (timedelta, "P1DT2H", timedelta(days=1, hours=2)), (timedelta, "1 02:00:00", timedelta(days=1, hours=2)),
    (timedelta, "-P1DT0.1S", -timedelta(days=1, milliseconds=100)), (timedelta, "PT0,00000001H", timedelta(0, 0, 36)),
    (timedelta, "P0.5D", timedelta(hours=12)), (timedelta, "PT9007199254.740993S", timedelta(0, 9007199254, 740993)),
    (timedelta, "00:00:00.100000000", timedelta(milliseconds=100)),
    (UUID, "123e4567-e89b-12d3-a456-426614174000", UUID(int=0x123E4567E89B12D3A456426614174000)),
    (bytes, "AAH/", b"\0\1\xff"), (bytes, "", b""),
    (None, None, None), (Optional[int], None, None), (Optional[int], 5, 5), (int | None, None, None),  # noqa: UP045
    (int | str, "5", "5"), (int | str, 5, 5), (float | int, 5, 5), (date | str, "soon", "soon"),
    (date | None, "2026-01-31", date(2026, 1, 31)), (list[int] | int, 5, 5), (list[int] | int, [5], [5]),
    (Colour, "red", Colour.RED), (Colour, 2, Colour.BLUE), (Colour, "2026-01-31", Colour.SOON),
    (Size, 2, Size.LARGE), (Track, "pages", Track.PAGES), (Literal["a", 1, None], 1, 1),
    (Literal["a", 1, None], None, None),
    (list, [1, "a"], [1, "a"]), (list[date], ["2026-01-31"], [date(2026, 1, 31)]), (typing.List[int], [1], [1]),  # noqa: UP006
    (tuple[int, ...], [1, 2], (1, 2)), (tuple[int, str], [1, "a"], (1, "a")), (tuple[()], [], ()),
    (set[int], [1, 1, 2], {1, 2}), (frozenset[str], ["a"], frozenset("a")), (Sequence[int], [1], [1]),
    (Iterable[int], [1], [1]), (dict[str, int], {"a": 1}, {"a": 1}),
    (dict[int, date], {"1": "2026-01-31"}, {1: date(2026, 1, 31)}),
    (Mapping[str, Any], {"a": [1]}, {"a": [1]}), (dict, {"a": 1}, {"a": 1}), (Any, {"a": [None]}, {"a": [None]}),
    (object, 5, 5), (Room, {"name": "a"}, Room("a")),
    (Room, {"name": "a", "seats": 5, "tags": ["x"]}, Room("a", 5, ["x"])),
    (Tree, {"name": "a", "children": [{"name": "b"}]}, Tree("a", [Tree("b")])),
    (Session, {"title": "a", "starts": "2026-01-31T12:00:00Z"}, {"title": "a", "starts": MOMENT}),
    (Slot, {}, {}), (Slot, {"room": {"name": "a"}}, {"room": Room("a")}), (Point, {"x": 1}, Point(1)),
    (list[Room], [{"name": "a"}], [Room("a")]), (Minutes, 5, 5), (Annotated[int, "how long"], 5, 5),
    (Annotated[int, MinValueValidator(1)], 1, 1), (Annotated[str, validate_slug], "a-b", "a-b"),
    (Annotated[int, even], 2, 2),
    (Annotated[str, forms.EmailField()], "a@example.com", "a@example.com"),
    (Annotated[str, forms.CharField(max_length=3)], " ab ", "ab"), (Annotated[list[int], "some"] | None, [1], [1]),
]  # fmt: skip


@pytest.mark.parametrize(("hint", "sent", "got"), TAKEN, ids=repr)
def test_a_value_becomes_what_the_hint_asks_for(hint: Any, sent: Any, got: Any) -> None:
    found = convert(hint, sent)
    assert found == got
    assert type(found) is type(got) or isinstance(found, float)


ONE_WAY = (timedelta, str, bool)
BACK = [
    (hint, sent, got)
    for hint, sent, got in TAKEN
    if not isinstance(got, (set, frozenset, Point)) and typing.get_origin(hint) is not Annotated
]


@pytest.mark.parametrize(("hint", "sent", "got"), BACK, ids=repr)
def test_a_result_is_sent_in_a_form_that_is_read_as_the_same(hint: Any, sent: Any, got: Any) -> None:
    assert convert(hint, json.loads(encode(got))) == got


REFUSED: list[tuple[Any, Any, str]] = [
    (str, 5, "value is 5, and should be a string"), (str, None, "is null"), (bool, 1, "should be true or false"),
    (bool, "true", "true or false"), (int, "5", 'value is "5", and should be a whole number'), (int, 5.0, "is 5.0"),
    (int, True, "is true"), (int, None, "whole number"), (float, "1.5", "should be a number"),
    (float, True, "a number"),
    (float, 10**400 - 1, "smaller"), (Decimal, "x", 'a decimal number, such as "12.50"'), (Decimal, "NaN", "decimal"),
    (Decimal, "Infinity", "decimal"), (Decimal, "1_0", "decimal"), (Decimal, True, "decimal"),
    (Decimal, "٣", "decimal"),
    (Decimal, "1e99999999", "decimal"),
    (date, "2026-02-30", "should be a date, such as"), (date, "31.01.2026", "a date"), (date, 20260131, "a date"),
    (date, "2026-01-31T12:00", "a date"), (datetime, "2026-01-31", "a date and time"),
    (datetime, "yesterday", "a date and"),
    (datetime, "2026-01-31T25:00", "a date and"), (datetime, "0001-01-01T00:00+14:00", "a date and time"),
    (datetime, "9999-12-31T23:59-12:00", "a date and time"),
    (datetime, "2026-01-31T12:00:00.0000001Z", "it is finer than a microsecond"),
    (datetime, "2026-01-31T12:00:00.1234567", "finer"), (time, "12:30:15.12345678", "finer"),
    (timedelta, "PT0.0000001S", "finer"), (timedelta, "-P0.0000000000001D", "finer"),
    (timedelta, "0:00:00.0000001", "finer"), (timedelta, "1 02:00:00.1234567", "finer"),
    (timedelta, "P9999999990D", "a duration"),
    (time, "12:30+02:00", "a time has no zone"), (time, "12:30:00Z", "no zone"), (time, "12:30z", "no zone"),
    (time, "12:30:15.5 -0330", "no zone"), (time, "24:00", "a time, such as"), (time, "12:30\n", "a time, such as"),
    (time, "12:30 and more", "a time, such as"),
    (time, "25:00", "a time"), (timedelta, "long", "a duration"), (timedelta, "P" + "9" * 50 + "D", "a duration"),
    (UUID, "123", "a UUID"), (bytes, "a", "base64"), (bytes, "ä===", "base64"), (None, 5, "should be null"),
    (int | None, "a", "should be a whole number or null"), (Colour, "green", 'should be one of "red", 2, "2026-01-31"'),
    (Size, "1", "one of 1, 2"), (Size, True, "one of 1, 2"), (Literal["a"], "b", 'should be "a"'),
    (Colour, [1], "one of"),
    (list[int], 5, "should be an array, each item a whole number"),
    (list[int], [1, "a"], 'value[1] is "a", and should be a whole'),
    (list[list[int]], [[1], [2, None]], "value[1][1] is null"), (tuple[int, str], [1], "should be an array of 2"),
    (set[Any], [[1]], "items that a set can have"), (dict[str, int], {"a": "x"}, 'value.a is "x"'),
    (dict, [], "an object"),
    (dict[int, int], {"a": 1}, 'value.a is "a", and should be a whole number'),
    (Room, {}, "should have the field 'name'"), (Room, {"name": 5}, "value.name is 5"), (Room, "x", "an object (Room)"),
    (Room, {"name": "a", "seets": 1}, "value.seets is 1, and is no field of Room. Did you mean seats?"),
    (Room, {"name": "a", "seats": 0}, "a room has a seat at least"), (Session, {"title": "a"}, "the field 'starts'"),
    (Tree, {"name": "a", "children": [{"name": "b", "children": [{}]}]}, "value.children[0].children[0] is an object"),
    (Session, {"title": "a", "starts": "x"}, 'value.starts is "x", and should be a date and time'),
    (Annotated[int, MinValueValidator(1)], 0, "greater than or equal to 1"), (Annotated[int, even], 3, "It is odd."),
    (Annotated[str, forms.EmailField()], "a", "valid email"), (Room | None, {"name": 5}, "value.name is 5"),
    (str, ["a"] * 1000, "is an array of 1000"), (int, "a" * 1000, "…, and"),
]  # fmt: skip


@pytest.mark.parametrize(("hint", "sent", "told"), REFUSED, ids=lambda value: repr(value)[:40])
def test_a_wrong_value_is_one_error_that_names_parameter_value_and_what_was_expected(
    hint: Any, sent: Any, told: str
) -> None:
    message = refused(hint, sent)
    assert told in message
    assert len(message) < 400


BY_GET: list[tuple[Any, Any, Any]] = [
    (int, "5", 5), (int, "-5", -5), (bool, "true", True), (bool, "0", False), (bool, "ON", True),
    (float, "1.5e3", 1500.0),
    (float, ".5", 0.5), (Decimal, "1.10", Decimal("1.10")), (str, "5", "5"), (Any, "5", "5"),
    (date, "2026-01-31", date(2026, 1, 31)),
    (Optional[int], "", None), (Optional[str], "", ""), (Optional[int], "5", 5), (int | str, "a", "a"),  # noqa: UP045
    (Size, "2", Size.LARGE),
    (Colour, "2", Colour.BLUE), (Colour, "red", Colour.RED), (list[int], "5", [5]), (list[int], ["5", "6"], [5, 6]),
    (list[int], "[5, 6]", [5, 6]), (Room, '{"name": "a", "seats": 3}', Room("a", 3)),
    (dict[str, int], '{"a": 1}', {"a": 1}),
    (tuple[int, str], ["1", "a"], (1, "a")), (tuple[int, str], '[1, "a"]', (1, "a")),
    (UUID, str(UUID(int=5)), UUID(int=5)),
]  # fmt: skip


@pytest.mark.parametrize(("hint", "sent", "got"), BY_GET, ids=repr)
def test_over_get_texts_become_what_the_hint_asks_for(hint: Any, sent: Any, got: Any) -> None:
    assert convert(hint, sent, is_text=True) == got


@pytest.mark.parametrize(
    ("hint", "sent"),
    [(int, "5.0"), (time, "10:00+05:00"), (datetime, "2026-01-31T12:00:00.0000001Z"),
     (int, "٣"), (int, "9" * 500), (int, "1_0"), (bool, "yes"), (float, "nan"),
     (float, "1e999"), (float, "inf"),
     (int, ["1", "2"]), (Room, "{"), (Room, "[" * 5000), (dict, "[]"), (list[int], "[5")],
)  # fmt: skip
def test_over_get_not_every_text_fits(hint: Any, sent: Any) -> None:
    refused(hint, sent, is_text=True)


@pytest.mark.parametrize("hint", [dict[int, int], Mapping[int, int], dict[int, int] | None])
def test_keys_that_become_one_are_refused_as_a_key_that_is_there_twice_is(hint: Any) -> None:
    assert refused(hint, {"1": 1, "2": 3, "01": 2}) == 'Invalid params: value.01 is 2, and has the same key as "1"'
    assert convert(dict[str, int], {"1": 1, "01": 2}) == {"1": 1, "01": 2}


def test_a_naive_moment_is_in_the_current_zone(settings: Any) -> None:
    with override("Europe/Lisbon"):
        assert convert(datetime, "2026-07-01T12:00") == datetime(2026, 7, 1, 11, tzinfo=UTC)
        assert "does not exist" in refused(datetime, "2026-03-29T01:30") or "couldn" in refused(
            datetime, "2026-03-29T01:30"
        )
    settings.USE_TZ = False
    settings.TIME_ZONE = "UTC"
    assert convert(datetime, "2026-01-31T12:00") == MOMENT.replace(tzinfo=None)
    assert convert(datetime, "2026-01-31T13:00+01:00") == MOMENT.replace(tzinfo=None)


def test_a_decimal_keeps_all_digits_of_a_number() -> None:
    def function(request: Any, value: Decimal) -> None: ...

    params = loads("[0.12345678901234567890123]", 64)
    [found], _ = Signature(function, {}, wants_types=True).bind(params, Caller(None))
    assert found == Decimal("0.12345678901234567890123")


@pytest.mark.parametrize(
    ("hint", "written", "told"),
    [(Decimal, "0.1e-2000000000", "its exponent is too long"), (int, "1e2", "should be a whole number"),
     (int, "5.000", "should be a whole number"), (str, "1.0000000000000000001", "should be a string")],
)  # fmt: skip
def test_a_number_that_does_not_fit_is_shown_as_it_was_written(hint: Any, written: str, told: str) -> None:
    def function(request: Any, value: Any) -> None: ...

    function.__annotations__["value"] = hint
    with pytest.raises(InvalidParams, match=f"value is {written}, and {told}"):
        Signature(function, {}, wants_types=True).bind(loads(f"[{written}]", 64), Caller(None))


def test_the_value_of_a_secret_is_not_repeated() -> None:
    def function(request: Any, password: int, user: dict[str, int]) -> None: ...

    signature = Signature(function, {}, wants_types=True)
    for params in (["hunter2", {}], {"password": 1, "user": {"api_token": "hunter2"}}):
        with pytest.raises(InvalidParams) as caught:
            signature.bind(params, Caller(None))  # type: ignore[arg-type]
        assert "hunter2" not in caught.value.message + json.dumps(caught.value.data)


@pytest.mark.parametrize("hint", [ipaddress.IPv4Address, complex, type, list[complex], type("X", (), {}), 5, "no.Such"])
def test_a_hint_that_there_is_no_value_for_is_an_error_of_the_method(hint: Any) -> None:
    def function(request: Any, value: Any) -> None: ...

    function.__annotations__["value"] = hint
    with pytest.raises((ImproperlyConfigured, NameError, TypeError)):
        Signature(function, {}, wants_types=True)
