"""JSON-RPC 2.0 with each example of its specification, 1.1 and 1.0 by their drafts, each answered in kind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.jsonrpc import methods
from tests.jsonrpc.caller import Caller

pytestmark = pytest.mark.django_db

INVALID = {"code": -32600, "message": "Invalid Request"}
EXAMPLES = [
    # rpc call with positional parameters
    ('{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}',
     '{"jsonrpc": "2.0", "result": 19, "id": 1}'),
    ('{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}',
     '{"jsonrpc": "2.0", "result": -19, "id": 2}'),
    # rpc call with named parameters
    ('{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}',
     '{"jsonrpc": "2.0", "result": 19, "id": 3}'),
    ('{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}',
     '{"jsonrpc": "2.0", "result": 19, "id": 4}'),
    # a Notification
    ('{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}', ""),
    ('{"jsonrpc": "2.0", "method": "foobar"}', ""),
    # rpc call of non-existent method
    ('{"jsonrpc": "2.0", "method": "foobar", "id": "1"}',
     '{"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": "1"}'),
    # rpc call with invalid JSON
    ('{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]',
     '{"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": null}'),
    # rpc call with invalid Request object
    ('{"jsonrpc": "2.0", "method": 1, "params": "bar"}',
     '{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}'),
    # rpc call Batch, invalid JSON
    ('[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"}, {"jsonrpc": "2.0", "method"]',
     '{"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": null}'),
    # rpc call with an empty Array
    ("[]", '{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}'),
    # rpc call with an invalid Batch (but not empty)
    ("[1]", '[{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}]'),
    # rpc call with invalid Batch
    ("[1,2,3]", json.dumps([{"jsonrpc": "2.0", "error": INVALID, "id": None}] * 3)),
    # rpc call Batch
    ("""[
        {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
        {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
        {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
        {"foo": "boo"},
        {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
        {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
    ]""", """[
        {"jsonrpc": "2.0", "result": 7, "id": "1"},
        {"jsonrpc": "2.0", "result": 19, "id": "2"},
        {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null},
        {"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": "5"},
        {"jsonrpc": "2.0", "result": ["hello", 5], "id": "9"}
    ]"""),
    # rpc call Batch (all notifications)
    ("""[
        {"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
        {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}
    ]""", ""),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "told"), EXAMPLES)
def test_each_example_of_the_specification_is_answered_as_it_says(sent: str, told: str, rpc: Caller) -> None:
    answer = rpc(sent)
    assert without_reasons(answer) == (json.loads(told) if told else None)


def without_reasons(answer: Any) -> Any:
    """Our messages begin with the specification's, and go on with the reason. A call that says no version is 1.0's."""
    if isinstance(answer, list):
        return list(map(without_reasons, answer))
    if answer and answer.get("error"):
        error = answer["error"]
        begin, _, _ = error["message"].partition(":")
        error["message"] = begin
        if "jsonrpc" not in answer:
            assert answer.pop("result") is None
            answer["jsonrpc"] = "2.0"
    return answer


def test_notifications_are_carried_out(rpc: Caller) -> None:
    assert rpc({"jsonrpc": "2.0", "method": "update", "params": [1, 2]}) is None
    assert rpc.response.status_code == 204
    assert rpc({"method": "update", "params": [3], "id": None}) is None
    assert methods.heard == [[1, 2], [3]]


@pytest.mark.parametrize("identity", [1, 0, -5, 1.5, "a", "", "ä\u2028", None, 10**30, "1"])
def test_an_id_comes_back_as_it_was(identity: Any, rpc: Caller) -> None:
    answer = rpc({"jsonrpc": "2.0", "method": "get_data", "id": identity})
    assert answer == {"jsonrpc": "2.0", "result": ["hello", 5], "id": identity}
    assert type(answer["id"]) is type(identity)


@pytest.mark.parametrize("identity", [True, [], {}, [1], {"a": 1}])
def test_20_has_no_other_ids_and_10_has_any(identity: Any, rpc: Caller) -> None:
    answer = rpc({"jsonrpc": "2.0", "method": "get_data", "id": identity})
    assert (answer["error"]["code"], answer["id"]) == (-32600, None)
    assert rpc({"method": "get_data", "id": identity}) == {"result": ["hello", 5], "error": None, "id": identity}


def test_the_three_versions_are_answered_in_kind(rpc: Caller) -> None:
    call = {"method": "subtract", "params": [5, 3], "id": 1}
    assert rpc(call) == {"result": 2, "error": None, "id": 1}
    assert rpc({**call, "version": "1.1"}) == {"version": "1.1", "result": 2, "id": 1}
    assert rpc({**call, "jsonrpc": "2.0"}) == {"jsonrpc": "2.0", "result": 2, "id": 1}
    for key, version in [("version", "2.0"), ("jsonrpc", "1.1"), ("jsonrpc", "1.0")]:
        assert rpc({**call, key: version})["result"] == 2


def test_errors_have_their_versions_form(rpc: Caller) -> None:
    call = {"method": "fail", "params": ["own"], "id": 1}
    error = {"code": 7, "message": "All seats are taken", "data": {"left": 0}}
    assert rpc(call) == {"result": None, "error": error, "id": 1}
    assert rpc({**call, "jsonrpc": "2.0"}) == {"jsonrpc": "2.0", "error": error, "id": 1}
    of_11 = {"name": "JSONRPCError", "code": 7, "message": "All seats are taken", "error": {"left": 0}}
    assert rpc({**call, "version": "1.1"}) == {"version": "1.1", "error": of_11, "id": 1}


def test_11_without_an_id_is_answered_without_one(rpc: Caller) -> None:
    assert rpc({"version": "1.1", "method": "get_data"}) == {"version": "1.1", "result": ["hello", 5]}
    assert rpc({"version": "1.1", "method": "no"})["error"]["code"] == -32601


def test_a_version_that_there_is_not_is_refused(rpc: Caller) -> None:
    for version in ["3.0", 2, None, 2.0, ["2.0"], "", "2"]:
        answer = rpc({"jsonrpc": version, "method": "get_data", "id": 4})
        assert (answer["error"]["code"], answer["id"]) == (-32600, 4)


@pytest.mark.parametrize("params", ["bar", 1, True, None])
def test_parameters_are_an_array_or_an_object(params: Any, rpc: Caller) -> None:
    answer = rpc({"jsonrpc": "2.0", "method": "get_data", "params": params, "id": 1})
    assert (answer["error"]["code"], answer["id"]) == (-32600, 1)


def test_a_batch_may_mix_versions_and_each_is_answered_in_kind(rpc: Caller) -> None:
    answer = rpc([
        {"method": "sum", "params": [1], "id": 1}, {"version": "1.1", "method": "sum", "params": [2]},
        {"jsonrpc": "2.0", "method": "sum", "params": [3], "id": None}, {"method": "sum", "id": None}, None, [],
    ])  # fmt: skip
    assert answer[:3] == [
        {"result": 1, "error": None, "id": 1},
        {"version": "1.1", "result": 2},
        {"jsonrpc": "2.0", "result": 3, "id": None},
    ]
    assert [each["error"]["code"] for each in answer[3:]] == [-32600, -32600]


def test_11_gives_places_by_name(rpc: Caller) -> None:
    call = {"version": "1.1", "method": "subtract"}
    assert rpc({**call, "params": {"0": 5, "1": 3}})["result"] == 2
    assert rpc({**call, "params": {"1": 3, "minuend": 5}})["result"] == 2
    assert rpc({**call, "params": {"minuend": 5, "subtrahend": 3}})["result"] == 2
    assert rpc({**call, "params": {"0": 5, "minuend": 5, "1": 3}})["error"]["code"] == -32602
    assert rpc({**call, "jsonrpc": "2.0", "params": {"0": 5, "1": 3}, "id": 1})["error"]["code"] == -32602


def test_get_calls_a_safe_method_by_name_and_by_place(rpc: Caller) -> None:
    assert rpc.get("subtract?minuend=5&subtrahend=3") == {"version": "1.1", "result": 2}
    assert rpc.get("subtract?0=5&1=3") == {"version": "1.1", "result": 2}
    assert rpc.get("subtract?minuend=5")["error"]["code"] == -32602
    assert rpc.get("echo?value=a&value=b")["result"] == ["a", "b"]
    assert rpc.get("echo?value=5")["result"] == "5"


def test_get_calls_no_method_that_may_change_something(rpc: Caller) -> None:
    assert rpc.get("update?0=1")["error"]["code"] == -32600
    assert (rpc.response.status_code, rpc.response.headers["Allow"]) == (405, "POST")
    assert methods.heard == []
    assert rpc.get("no.such")["error"]["code"] == -32601
    assert rpc.get("")["error"]["code"] == -32600


def test_other_methods_of_http_are_refused(rpc: Caller) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        response = rpc.client.generic(method, "/json/")
        assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD, POST")
        assert json.loads(response.content)["error"]["code"] == -32600
    assert rpc.client.head("/json/get_data").status_code == 405
    assert rpc.client.head("/json/echo").status_code == 200


def test_a_coroutine_function_is_a_method(rpc: Caller) -> None:
    assert rpc.result("later", 4) == 5


def test_an_error_that_nobody_meant_for_the_client_says_nothing_of_the_inside(
    rpc: Caller, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    assert rpc.error("fail") == {"code": -32603, "message": "Internal error"}
    assert [record.name for record in caplog.records] == ["djintegrate.jsonrpc"]
    assert caplog.records[0].exc_info
    settings.DEBUG = True
    error = rpc.error("fail")
    assert error["data"]["exception"] == "RuntimeError: the inside"
    assert "raise RuntimeError" in error["data"]["traceback"]
    assert rpc.error("fail", "said") == {"code": 12, "message": "Too late", "data": [1]}
