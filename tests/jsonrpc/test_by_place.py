"""What Python takes by place alone is not given by name; what describes it says so, and the console calls it so."""

from __future__ import annotations

from typing import Any

import pytest

from djintegrate.jsonrpc import JSONRPCSite, description, jsonrpc_method
from tests.jsonrpc.caller import Caller, method
from tests.jsonrpc.test_console import InTheBrowser, console, page

__all__ = ["console", "page"]
pytestmark = pytest.mark.django_db(transaction=True)

INVALID = -32602


def divide(request: Any, a: int, b: int = 2, c: int = 0, /) -> list[int]:
    return [a, b, c]


def by_name(request: Any, a: int, *, b: int = 2) -> list[int]:
    return [a, b]


def mixed(request: Any, a: int, /, **others: Any) -> Any:
    return [a, others]


def test_by_name_it_is_refused_and_by_place_taken(rpc: Caller) -> None:
    with method(divide):
        assert rpc.result("divide", 7, 3) == [7, 3, 0]
        assert rpc.error("divide", a=7) == {
            "code": INVALID, "message": "Invalid params: a is given by place, not by name", "data": {"parameter": "a"},
        }  # fmt: skip
        assert rpc.error("divide", d=7)["message"] == "Invalid params: there is no parameter 'd'"


def test_places_in_an_object_of_1_1_and_in_an_address_are_places(rpc: Caller) -> None:
    with method(divide, safe=True):
        call = {"version": "1.1", "method": "divide", "id": 1}
        assert rpc({**call, "params": {"0": 7, "2": 5}})["result"] == [7, 2, 5]
        assert rpc({**call, "params": {"a": 7}})["error"]["code"] == INVALID
        assert rpc.get("divide?0=7&1=3")["result"] == [7, 3, 0]
        assert rpc.get("divide?a=7")["error"]["message"].endswith("a is given by place, not by name")


def test_a_name_that_is_taken_by_place_alone_may_be_among_others(rpc: Caller) -> None:
    with method(mixed):
        call = {"version": "1.1", "method": "mixed", "id": 1}
        assert rpc({**call, "params": {"0": 7, "b": 1}})["result"] == [7, {"b": 1}]
        assert rpc.error("mixed", a=7)["message"] == "Invalid params: a is missing, and should be a whole number"


def test_what_is_missing_beside_others_is_named(rpc: Caller) -> None:
    def others(request: Any, a: int, **others: Any) -> Any:
        return a

    with method(others):
        assert rpc.error("others", b=7)["message"] == "Invalid params: a is missing, and should be a whole number"


def described() -> JSONRPCSite:
    site = JSONRPCSite()
    for function in (divide, by_name, mixed, lambda request, a: a):
        jsonrpc_method(function.__name__.strip("<>"), site=site)(function)
    return site


def test_the_descriptions_say_how_parameters_are_given() -> None:
    found = description.openrpc(described(), "http://testserver/json/")["methods"]
    assert {each["name"]: each["paramStructure"] for each in found} == {
        "divide": "by-position", "by_name": "by-name", "mixed": "by-position", "lambda": "either",
    }  # fmt: skip
    # Of Dojo's envelopes, that of 2.0 gives each parameter a name, and that of 1.0 its place.
    services = description.smd(described(), "/json/")["services"]
    assert {name: each.get("envelope") for name, each in services.items()} == {
        "divide": "JSON-RPC-1.0", "by_name": None, "mixed": "JSON-RPC-1.0", "lambda": None,
    }  # fmt: skip


def test_the_console_gives_places(page: InTheBrowser) -> None:
    from tests.jsonrpc.test_console import site

    site.methods["divide"] = type(site.methods["shop.say"])(divide, "divide")
    try:
        page.open("divide")
        assert "by place" in page.find("[data-name=a]").text
        page.fill(a="7")
        assert page.request()["params"] == [7]
        # What stands before a parameter that is given has its default.
        page.fill(c="5")
        assert page.request()["params"] == [7, 2, 5]
        assert page.send()["result"] == [7, 2, 5]
    finally:
        del site.methods["divide"]
