"""Hostile clients: none is an unhandled 500, none gets in, and none costs more than its length."""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress
from typing import Any

import pytest

from djintegrate.jsonrpc import JSONRPCError
from djintegrate.jsonrpc.protocol.reading import loads
from tests.jsonrpc import methods
from tests.jsonrpc.caller import Caller, calls

pytestmark = pytest.mark.django_db

PARSE, INVALID, PARAMS = -32700, -32600, -32602


def wrap(value: str) -> str:
    return f'{{"jsonrpc": "2.0", "method": "echo", "params": [{value}], "id": 1}}'


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        (b"", PARSE, "the body is empty"), (" \n", PARSE, "the body is empty"),
        (b"\xff\xfe{}", PARSE, "not UTF-8, at byte 0"),
        (b"\xef\xbb\xbf{}", PARSE, "begins with a byte order mark"),
        ("method=echo&params=%5B1%5D", PARSE, "the body is a form's"), ("a.b%5B0%5D=", PARSE, "the body is a form's"),
        ('--x\r\nContent-Disposition: form-data; name="a"', PARSE, "the body is a form's"),
        ("<methodCall/>", PARSE, "Expecting value: line 1 column 1 (char 0), where there is '<'"),
        ('{"id": 1', PARSE, "Expecting ',' delimiter: line 1 column 9 (char 8), where the text ends"),
        ("{'id': 1}", PARSE, 'enclosed in double quotes: line 1 column 2 (char 1), where there is "\'"'),
        ("-1 x", PARSE, "Extra data"),
        ('{"a": 1}'.encode("utf-16"), PARSE, "not UTF-8"), (wrap("NaN"), PARSE, "NaN is not a number"),
        (wrap("Infinity"), PARSE, "Infinity is not"), (wrap("-Infinity"), PARSE, "-Infinity is not"),
        (wrap("1e999"), PARSE, "a number is too large"), (wrap("-1e999"), PARSE, "too large"),
        (wrap("9" * 5000), PARSE, "a number is too long"), (wrap("1." + "9" * 5000), PARSE, "too large"),
        (wrap('{"a": 1, "a": 2}'), PARSE, 'the key "a" is there twice'), ('{"id": 1, "id": 2}', PARSE, "twice"),
        (wrap('"\\ud800"'), PARSE, "half of a surrogate pair"), (wrap('"\\udc00\\ud800"'), PARSE, "half of"),
        (wrap('{"\\uDFFF": 1}'), PARSE, "half of"), (wrap("'a'"), PARSE, "Expecting"), (wrap("01"), PARSE, "Expecting"),
        (wrap("1,"), PARSE, "line 1 column"), (wrap('"\n"'), PARSE, "control character"),
        (wrap("tru"), PARSE, "Expecting"),
        (wrap("[" * 70 + "]" * 70), INVALID, "more than 64 levels"), ("[" * 100_000, INVALID, "more than 64 levels"),
        ('{"a":' * 100_000, INVALID, "more than 64"), ("]" * 100_000, PARSE, "Expecting value"),
        ('"' * 100_001, PARSE, ""), ('["' + '\\"' * 100_000, PARSE, "Unterminated"),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_what_is_no_json_or_goes_too_far_is_told_so(text: str | bytes, code: int, reason: str, rpc: Caller) -> None:
    answer = rpc(text)
    assert rpc.response.status_code == 200
    assert answer["error"]["code"] == code
    assert reason in answer["error"]["message"]
    assert len(answer["error"]["message"]) < 300


def test_what_is_within_the_limits_is_taken(rpc: Caller) -> None:
    for value in [
        '"\\ud83d\\ude00"',
        '"\\u0000"',
        '"[[[["',
        "[" * 62 + "]" * 62,
        "9" * 400,
        '"' + "9" * 5000 + '"',
        "1e300",
        "-0.0",
    ]:
        assert rpc(wrap(value))["result"] == json.loads(value)


def test_limits_are_settings(rpc: Caller, settings: Any) -> None:
    settings.JSONRPC_MAX_BYTES, settings.JSONRPC_MAX_DEPTH, settings.JSONRPC_MAX_BATCH = 2000, 10, 2
    assert "nested" in rpc(wrap("[" * 9 + "]" * 9))["error"]["message"]
    assert "more than 10" in rpc(wrap("[" * 9 + "]" * 9))["error"]["message"]
    assert rpc(wrap("[" * 8 + "]" * 8))["result"]
    assert "3 calls, and may have 2" in rpc([1, 2, 3])["error"]["message"]
    assert "longer than 2000 bytes" in rpc(wrap(f'"{"a" * 2000}"'))["error"]["message"]
    assert rpc.response.status_code == 413


def test_a_body_that_is_longer_than_django_takes_is_an_answer(rpc: Caller, settings: Any) -> None:
    settings.JSONRPC_MAX_BYTES = 10**9
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert rpc(wrap(f'"{"a" * 2000}"'))["error"]["code"] == INVALID
    assert rpc.response.status_code == 413


def test_ten_thousand_calls_in_a_batch_are_one_error(rpc: Caller) -> None:
    answer = rpc([{"jsonrpc": "2.0", "method": "update", "params": [1]}] * 10_000)
    assert (answer["error"]["code"], answer["id"]) == (INVALID, None)
    assert methods.heard == []


def test_a_get_with_more_parameters_than_django_takes_is_an_answer(rpc: Caller) -> None:
    assert rpc.get("echo?" + "&".join(f"a{number}=1" for number in range(2000)))["error"]["code"] == INVALID
    for query in ("%ff=%fe", "value=%ED%A0%80", "&&&=&=", "value=%00", "0=1&0=2", "=" * 500):
        answer = rpc.get(f"echo?{query}")
        assert rpc.response.status_code == 200
        assert "result" in answer or answer["error"]["code"] == PARAMS


@pytest.mark.parametrize(
    "name", ["__class__", "request", "self", "a" * 5000, "\ud800", "\n", "rpc.", "system.x", "../browse"]
)
def test_names_lead_nowhere_else(name: str, rpc: Caller) -> None:
    text = json.dumps({"jsonrpc": "2.0", "method": name, "params": {name: 1}, "id": 1})
    answer = rpc(text)
    assert answer["error"]["code"] in (-32601, PARSE)
    assert len(answer["error"]["message"]) < 300
    answer = rpc(json.dumps({"jsonrpc": "2.0", "method": "echo", "params": {name: 1}, "id": 1}))
    assert answer["error"]["code"] in (PARAMS, PARSE)


def test_the_request_cannot_be_given(rpc: Caller) -> None:
    assert rpc.error("echo", request=5)["code"] == PARAMS
    assert rpc.error("update", request=5)["code"] == PARAMS


def test_wrong_lengths_and_types_of_content_are_answered(rpc: Caller) -> None:
    for length in ("", "x", "-1", "99999999999999999999"):
        answer = rpc(wrap("1"), CONTENT_LENGTH=length)
        assert rpc.response.status_code in (200, 413)
        assert "result" in answer or answer["error"]["code"] in (PARSE, INVALID)
    for content_type in ("", ";;;", "application/json; charset=nonsense", "a" * 1000, "multipart/form-data"):
        assert rpc(wrap("1"), content_type)["result"] == 1


def test_a_client_that_goes_away_is_no_error_of_ours(rpc: Caller) -> None:
    class Broken:
        def read(self, *args: Any) -> bytes:
            raise OSError("gone")

        readline = read

    request = {
        "wsgi.input": Broken(),
        "CONTENT_LENGTH": "100",
        "CONTENT_TYPE": "application/json",
        "REQUEST_METHOD": "POST",
    }
    response = rpc.client.request(PATH_INFO="/json/", **request)
    assert json.loads(response.content)["error"]["code"] == PARSE


def cost(text: str) -> float:
    """CPU seconds to read it, at the best of some times."""
    best = 1e9
    for _ in range(5):
        start = time.process_time()
        with suppress(JSONRPCError):
            loads(text, 64)
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.parametrize(
    "make",
    [lambda n: "[" * n, lambda n: '{"a":' * n, lambda n: '["' + '\\"' * n, lambda n: '"' * n,
     lambda n: "[" + "9" * n + "]",
     lambda n: "[" + '"\\ud83d\\ude00",' * n + "1]", lambda n: "[" + "{}," * n + "1]",
     lambda n: "[" + "1.5," * n + "1]",
     lambda n: "{" + ",".join(f'"{i}":1' for i in range(n)) + "}", lambda n: '["' + "\\" * n,
     lambda n: "[" * 65 + '"\\' * n],
)  # fmt: skip
def test_reading_costs_no_more_than_its_length(make: Any) -> None:
    """Eight times as long takes far less than 64 times as much, as it would if time grew with the square."""
    short, long = cost(make(4_000)), cost(make(32_000))
    assert long < 30 * max(short, 1e-4)


@pytest.mark.django_db(transaction=True)
def test_a_slow_body_waits_for_nobody_else(live_server: Any, rpc: Caller) -> None:
    """While one client sends half of a call and no more, others are answered."""
    with socket.create_connection((live_server.thread.host, live_server.thread.port)) as slow:
        slow.sendall(
            b"POST /json/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1000\r\n\r\n{"
        )
        from djintegrate.jsonrpc import ServiceProxy

        assert ServiceProxy(f"{live_server.url}/json/").subtract(5, 3)["result"] == 2


def test_errors_of_a_batch_cost_no_more_than_its_calls(rpc: Caller, settings: Any) -> None:
    settings.JSONRPC_MAX_BATCH = 10_000
    answers = rpc([5, None, [], {}, "x"] * 200)
    assert {each["error"]["code"] for each in answers} == {INVALID}
    assert len(answers) == 1000
    assert rpc([*calls("a"), 1])[0]["result"] == 1
