"""What the service says of itself: system.describe of JSON-RPC 1.1, SMD for Dojo, OpenRPC."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol
from uuid import NAMESPACE_URL, uuid5

from django.http import HttpRequest

from .methods import Method
from .parameters.converters import Components, Converter, Schema
from .parameters.signature import EMPTY, Parameter
from .protocol.writing import encode

OPENRPC = "1.3.2"
# JSON Schema's types in the words of the draft of 1.1, and in SMD's.
WORDS = {
    "string": "str", "integer": "num", "number": "num", "boolean": "bit", "array": "arr", "object": "obj",
    "null": "nil",
}  # fmt: skip
KINDS = {
    str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object", type(None): "null",
}  # fmt: skip


class Site(Protocol):
    title: str

    @property
    def own_methods(self) -> list[Method]: ...


def own_methods(site: Site) -> dict[str, Callable[..., Any]]:
    """The methods by which a site describes itself."""

    def describe(request: HttpRequest) -> dict[str, Any]:
        """The methods of this service, as JSON-RPC 1.1 describes them."""
        return system_describe(site, request.build_absolute_uri(service_path(request, "system.describe")))

    def discover(request: HttpRequest) -> dict[str, Any]:
        """The methods of this service, as OpenRPC describes them."""
        return openrpc(site, request.build_absolute_uri(service_path(request, "rpc.discover")))

    return {"system.describe": describe, "rpc.discover": discover}


def service_path(request: HttpRequest, method: str) -> str:
    """Where calls are posted: by GET, the address has the method's name at its end."""
    return request.path.removesuffix(method) if request.method != "POST" else request.path


def system_describe(site: Site, address: str) -> dict[str, Any]:
    return {
        "sdversion": "1.0",
        "name": site.title,
        "id": f"urn:uuid:{uuid5(NAMESPACE_URL, address)}",
        "address": address,
        "procs": [_proc(method) for method in site.own_methods],
    }


def _proc(method: Method) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": method.name,
        "params": [{"name": each.name, "type": _word(each.converter)} for each in method.signature.parameters],
        "return": {"type": _word(method.signature.result)},
        "idempotent": method.safe,
    }
    if method.summary:
        found["summary"] = method.summary
        found["help"] = method.description
    return found


def smd(site: Site, target: str) -> dict[str, Any]:
    return {
        "SMDVersion": "2.0",
        "target": target,
        "transport": "POST",
        "envelope": "JSON-RPC-2.0",
        "contentType": "application/json",
        "description": site.title,
        "services": {method.name: _service(method) for method in site.own_methods},
    }


def _service(method: Method) -> dict[str, Any]:
    return {
        "description": method.description,
        "parameters": [
            {
                "name": each.name,
                "type": _kind(each.converter) or "any",
                "optional": not each.is_required,
                **({"description": each.description} if each.description else {}),
                **_default(each),
            }
            for each in method.signature.parameters
        ],
        "returns": {"type": _kind(method.signature.result) or "any"},
        # Of Dojo's envelopes, the service's own gives each parameter its name, and this one its place.
        **({"envelope": "JSON-RPC-1.0"} if method.signature.structure == "by-position" else {}),
    }


def openrpc(site: Site, address: str) -> dict[str, Any]:
    components = Components()
    methods = [_openrpc_method(method, components) for method in site.own_methods]
    return {
        "openrpc": OPENRPC,
        "info": {"title": site.title, "version": "1.0.0"},
        "servers": [{"name": site.title, "url": address}],
        "methods": methods,
        "components": {"schemas": components},
    }


def _openrpc_method(method: Method, components: Components) -> dict[str, Any]:
    signature = method.signature
    params = [
        {
            "name": each.name,
            "required": each.is_required,
            "schema": {**each.converter.schema(components), **_default(each)},
            **({"description": each.description} if each.description else {}),
        }
        for each in signature.parameters
    ]
    found: dict[str, Any] = {
        "name": method.name,
        "params": params,
        "result": {"name": "result", "schema": signature.result.schema(components)},
        "paramStructure": signature.structure,
    }
    if method.summary:
        found["summary"] = method.summary
        found["description"] = method.description
    if method.safe:
        found["tags"] = [{"name": "safe"}]
    return found


def text(described: Any) -> str:
    return json.dumps(described, ensure_ascii=True)


def _kind(converter: Converter) -> str:
    """The one type of JSON's that it takes, besides null; nothing where there are several."""
    kinds = _kinds(converter.schema(Components()))
    several = kinds - {"null"} or kinds
    return several.pop() if len(several) == 1 else ""


def _kinds(schema: Schema) -> set[str]:
    """The empty text is for what may be of any type."""
    if "anyOf" in schema:
        return {kind for each in schema["anyOf"] for kind in _kinds(each)}
    if "enum" in schema:
        return {KINDS[type(value)] for value in schema["enum"]}
    # Of several, the first is the one in which a result is sent.
    found = "object" if "$ref" in schema else schema.get("type", "")
    return {found if isinstance(found, str) else str(found[0])}


def _word(converter: Converter) -> str:
    return WORDS.get(_kind(converter), "any")


def _default(parameter: Parameter) -> dict[str, Any]:
    # Dojo sends the defaults that it knows, and null is not of every type that has it for a default.
    if parameter.default is EMPTY or parameter.default is None:
        return {}
    try:
        return {"default": json.loads(encode(parameter.default))}
    except (TypeError, ValueError):
        return {}
