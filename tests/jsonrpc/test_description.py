"""What the service says of itself: system.describe, SMD and OpenRPC, each of all methods and their types."""

from __future__ import annotations

from typing import Any

import pytest

from djintegrate.jsonrpc import JSONRPCSite, description, jsonrpc_method
from tests.jsonrpc.caller import Caller
from tests.jsonrpc.methods import site
from tests.jsonrpc.test_parameters import Colour, Room, Tree

pytestmark = pytest.mark.django_db

NAMES = sorted(name for name in site.methods if not name.startswith(("rpc.", "system.")))


def test_system_describe_is_that_of_11(rpc: Caller) -> None:
    described = rpc.result("system.describe")
    assert described == rpc.get("system.describe")["result"]
    assert (described["sdversion"], described["name"]) == ("1.0", "Tests")
    assert described["id"].startswith("urn:uuid:")
    assert described["address"] == "http://testserver/json/"
    assert [each["name"] for each in described["procs"]] == NAMES
    [subtract] = [each for each in described["procs"] if each["name"] == "subtract"]
    assert subtract == {
        "name": "subtract", "params": [{"name": "minuend", "type": "num"}, {"name": "subtrahend", "type": "num"}],
        "return": {"type": "num"}, "idempotent": True, "summary": "The difference of two numbers.",
        "help": "The difference of two numbers.\n\nAs in the examples of the specification.",
    }  # fmt: skip


def test_smd_says_where_and_what(rpc: Caller) -> None:
    described = rpc.get("smd")
    assert (described["SMDVersion"], described["target"], described["envelope"]) == ("2.0", "/json/", "JSON-RPC-2.0")
    assert sorted(described["services"]) == NAMES
    add = described["services"]["people.add"]
    assert add["parameters"] == [
        {"name": "name", "type": "string", "optional": False},
        {"name": "then", "type": "string", "optional": True, "default": ""},
    ]
    assert add["returns"] == {"type": "integer"}
    assert rpc.client.post("/json/smd").status_code == 405


def typed() -> JSONRPCSite:
    site = JSONRPCSite()

    @jsonrpc_method("typed", site=site)
    def function(
        request: Any,
        room: Room,
        tree: Tree | None = None,
        colour: Colour = Colour.RED,
        pair: tuple[int, str] = (1, "a"),
    ) -> list[Room]:
        return []

    return site


def test_openrpc_has_a_schema_for_each_type(rpc: Caller) -> None:
    described = description.openrpc(typed(), "http://testserver/json/")
    [method] = described["methods"]
    assert [(each["name"], each["required"], each["schema"]) for each in method["params"]] == [
        ("room", True, {"$ref": "#/components/schemas/Room"}),
        ("tree", False, {"anyOf": [{"$ref": "#/components/schemas/Tree"}, {"type": "null"}]}),
        ("colour", False, {"enum": ["red", 2, "2026-01-31"], "default": "red"}),
        (
            "pair",
            False,
            {
                "type": "array",
                "items": [{"type": "integer"}, {"type": "string"}],
                "minItems": 2,
                "maxItems": 2,
                "default": [1, "a"],
            },
        ),
    ]
    assert method["result"]["schema"] == {"type": "array", "items": {"$ref": "#/components/schemas/Room"}}
    schemas = described["components"]["schemas"]
    assert schemas["Room"]["required"] == ["name"]
    assert schemas["Tree"]["properties"]["children"]["items"] == {"$ref": "#/components/schemas/Tree"}
    assert rpc.result("rpc.discover")["openrpc"] == "1.3.2"
    assert rpc.get("rpc.discover")["result"]["servers"] == [{"name": "Tests", "url": "http://testserver/json/"}]
