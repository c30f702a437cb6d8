"""What is sent is JSON that this app itself would read; what JSON has no word for is an error, or has a mark."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any, Literal

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy, override
from hypothesis import given, settings
from hypothesis import strategies as st

from djintegrate.jsonrpc import JSONRPCError
from djintegrate.jsonrpc.parameters.converters import Caller as Asking
from djintegrate.jsonrpc.parameters.signature import Signature
from djintegrate.jsonrpc.protocol.reading import loads
from djintegrate.jsonrpc.protocol.writing import encode, encode_with_marks
from tests.jsonrpc.caller import Caller, method

NOON = time(12, 30, tzinfo=timezone.utc)
HALF = "a\ud800"
LACKING = [Decimal("NaN"), Decimal("-Infinity"), float("nan"), float("inf"), HALF, NOON, 1j, object]
any_text = st.text(st.characters(exclude_categories=()), max_size=5) | st.sampled_from(
    ["\ud800", "\\ud800", "\\\ud800", "\U0001f600", "\udc00\ud800", '"\ud83d"', "\\\U0001f600\udfff"]
)
scalars = (
    any_text | st.floats() | st.decimals() | st.times(timezones=st.none() | st.just(timezone.utc)) | st.datetimes()
)
keys = any_text | st.sampled_from(
    [1, "1", -1, "-1", 1.5, "1.5", True, "true", None, "null", 1e16, "1e+16", date(2026, 1, 31), "2026-01-31", 1j, 2j]
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=5
)


@settings(deadline=None)
@given(values)
def test_what_can_be_sent_can_be_read(value: Any) -> None:
    try:
        text = encode(value)
    except (TypeError, ValueError):
        text = encode_with_marks(value)
    else:
        assert encode_with_marks(value) == text
    loads(text, 64)


@settings(deadline=None)
@given(st.dictionaries(keys, st.integers(), max_size=6))
def test_no_value_is_lost_by_the_name_that_its_key_gets(value: dict[Any, int]) -> None:
    marked = json.loads(encode_with_marks([value, 1j]))[0]
    assert list(marked.values()) == list(value.values())
    try:
        sent = json.loads(encode(value))
    except (TypeError, ValueError):
        return
    assert list(sent.values()) == list(value.values())
    assert marked == sent


@pytest.mark.parametrize(
    ("value", "name"),
    [({1: 2, "1": 3}, "1"), ([{"a": {None: 1, "null": 2}}], "null"), ({True: 1, "true": 2}, "true"),
     ((each for each in [{1.5: 1, "1.5": 2}]), "1.5"), ({date(2026, 1, 31): 1, "2026-01-31": 2}, "2026-01-31"),
     ({Decimal(1): 1, "1": 2}, "1")],
    ids=repr,
)  # fmt: skip
def test_two_keys_that_are_one_in_json_are_an_error_that_names_them(value: Any, name: str) -> None:
    with pytest.raises(ValueError, match=f"Two keys of one object are '{re.escape(name)}' in JSON"):
        encode(value)


@settings(deadline=None)
@given(st.decimals() | st.times(timezones=st.none() | st.just(timezone.utc)) | any_text)
def test_a_result_can_be_sent_back_as_a_parameter_or_is_an_error(value: Any) -> None:
    def function(request: Any, value: Any) -> None: ...

    function.__annotations__["value"] = type(value)
    try:
        text = encode(value)
    except ValueError:
        return
    [found], _ = Signature(function, {}, wants_types=True).bind(loads(f"[{text}]", 64), Asking(None))
    assert found == value


@pytest.mark.parametrize("value", LACKING, ids=repr)
def test_what_json_has_no_word_for_is_no_result(value: Any, rpc: Caller, caplog: pytest.LogCaptureFixture) -> None:
    def give(request: Any, how: int) -> Any:
        return [value, [value], {"a": value}, {value: 1}][how]

    with method(give):
        for how in range(4):
            assert rpc.error("give", how) == {"code": -32603, "message": "Internal error"}
    assert "The JSON-RPC method give failed" in caplog.text


@pytest.mark.parametrize(
    ("value", "mark"),
    list(zip(LACKING, ["<NaN>", "<-Infinity>", "<nan>", "<inf>", "a?", "<time>", "<complex>", "<type>"], strict=True)),
    ids=repr,
)
def test_an_error_keeps_the_rest_of_its_data(
    value: Any, mark: str, rpc: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    data = {"left": 3, "bad": value, "more": [Decimal("1.5"), value, {value: timedelta(hours=1)}, {2: 3}]}

    def refuse(request: Any) -> None:
        raise JSONRPCError(7, f"Taken {HALF}", data)

    with method(refuse):
        error = rpc.error("refuse")
    assert error["data"] == {"left": 3, "bad": mark, "more": ["1.5", mark, {mark: "P0DT01H00M00S"}, {"2": 3}]}
    assert error["message"] == "Taken a?"
    assert "The data of a JSON-RPC error" in caplog.text


@dataclass
class Seat:
    row: Any
    number: Any


class Codes(IntEnum):
    TAKEN = 7


class Lazy(JSONRPCError):
    code = Codes.TAKEN
    message = gettext_lazy("Sunday")


def test_a_code_may_be_of_an_enumeration_and_a_message_may_be_translated(rpc: Caller) -> None:
    def refuse(request: Any) -> None:
        raise Lazy

    with method(refuse), override("de"):
        assert rpc.error("refuse") == {"code": 7, "message": "Sonntag"}


def test_a_mark_says_nothing_of_the_inside_and_is_found_for_whatever_there_is() -> None:
    class Secret:
        def __repr__(self) -> str:
            raise RuntimeError("the inside")

    class Broken:
        def __iter__(self) -> Iterator[int]:
            yield 1
            raise RuntimeError("the inside")

    circle: dict[str, Any] = {"a": 1}
    circle["self"] = [circle, circle]
    found = encode_with_marks([Secret(), Broken(), (each for each in (1, 1j)), circle, {1j, 2}, Seat(1, 2j)])
    assert json.loads(found)[:3] == ["<Secret>", "<Broken>", "<generator>"]
    assert json.loads(found)[3] == {"a": 1, "self": ["<dict>", "<dict>"]}
    assert sorted(json.loads(found)[4], key=str) == [2, "<complex>"]
    assert json.loads(found)[5] == {"row": 1, "number": "<complex>"}
    deep: Any = 1j
    for _ in range(5000):
        deep = [deep]
    assert "<list>" in encode_with_marks(deep)


def test_what_is_another_each_time_is_a_mark_as_a_whole() -> None:
    class Fickle:
        left = 3

        def __iter__(self) -> Iterator[Any]:
            self.left -= 1
            return iter([1 if self.left == 1 else 1j])

    assert encode_with_marks([Fickle()]) == '"<list>"'


def test_a_zone_that_begins_as_utc_does_is_not_cut() -> None:
    zone = timezone(timedelta(seconds=21))
    assert encode(datetime(1900, 1, 1, tzinfo=zone)) == '"1900-01-01T00:00:00+00:00:21"'
    assert encode(datetime(1900, 1, 1, tzinfo=timezone.utc)) == '"1900-01-01T00:00:00Z"'


class Measure(Enum):
    NONE = float("nan")


@pytest.mark.parametrize("hint", [Measure, Literal[HALF]])  # type: ignore[valid-type]
def test_a_choice_that_json_has_no_word_for_is_an_error_of_the_method(hint: Any) -> None:
    from djintegrate.jsonrpc.methods import Method

    def function(request: Any, value: Any) -> None: ...

    function.__annotations__["value"] = hint
    with pytest.raises(ImproperlyConfigured, match="its type hints cannot be read"):
        _ = Method(function).signature
