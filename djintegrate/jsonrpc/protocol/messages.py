"""Calls and answers in the versions 1.0, 1.1 and 2.0: which version a message has, and its parts.

An answer has the version of its call. Nothing here knows of Django, of methods or of types.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from ..errors import InvalidRequest, JSONRPCError
from .surrogates import without_halves

VERSIONS = ("1.0", "1.1", "2.0")
Params = list[Any] | dict[str, Any]
MISSING: Any = object()


@dataclass(slots=True)
class Envelope:
    """What an answer takes over from its call."""

    version: str = "2.0"
    id: Any = MISSING

    @property
    def wants_answer(self) -> bool:
        """Whether the call is no notification: 1.0 says null for its id, 2.0 has none; 1.1 has no notifications."""
        if self.version == "1.1":
            return True
        return self.id is not MISSING and not (self.version == "1.0" and self.id is None)


@dataclass(slots=True)
class Call:
    envelope: Envelope
    method: str
    params: Params = field(default_factory=list)
    # By GET all values are texts, and a call may do nothing but read.
    is_get: bool = False


class Malformed(Exception):
    """No call at all; the answer, to `envelope`, says why."""

    def __init__(self, envelope: Envelope, why: str) -> None:
        super().__init__(why)
        self.envelope = envelope
        self.error = InvalidRequest(message=f"Invalid Request: {why}")


def call_of(entry: Any) -> Call:
    if not isinstance(entry, dict):
        raise Malformed(Envelope(), "a call is an object")
    envelope = _envelope(entry)
    method = entry.get("method", MISSING)
    if method is MISSING:
        raise Malformed(envelope, 'there is no "method"')
    if not isinstance(method, str):
        raise Malformed(envelope, f'"method" is {_kind(method)}, and should be a string')
    params = entry.get("params", MISSING)
    if params is MISSING or (params is None and envelope.version != "2.0"):
        params = []
    if not isinstance(params, list | dict):
        raise Malformed(envelope, f'"params" is {_kind(params)}, and should be an array or an object')
    return Call(envelope, method, params)


def _envelope(entry: dict[str, Any]) -> Envelope:
    version = entry.get("jsonrpc", entry.get("version", "1.0"))
    if version not in VERSIONS or not isinstance(version, str):
        known = version if isinstance(version, str) else _kind(version)
        raise Malformed(
            Envelope("2.0", _plain_id(entry)), f"the version is {known[:20]}, and should be 1.0, 1.1 or 2.0"
        )
    envelope = Envelope(version, entry.get("id", MISSING))
    if version == "2.0" and _plain_id(entry) is MISSING is not envelope.id:
        raise Malformed(Envelope(), f'"id" is {_kind(envelope.id)}, and should be a string, a number or null')
    return envelope


def _plain_id(entry: dict[str, Any]) -> Any:
    """The id, if it is one that 2.0 allows."""
    found = entry.get("id", MISSING)
    return found if found is None or (isinstance(found, str | int | float) and not isinstance(found, bool)) else MISSING


def _kind(value: Any) -> str:
    kinds = {bool: "true or false", int: "a number", str: "a string", list: "an array", dict: "an object"}
    if isinstance(value, float):
        return "a number"
    return "null" if value is None else kinds.get(type(value), "something else")


def result_answer(envelope: Envelope, result: str) -> str:
    """`result` is JSON already."""
    if envelope.version == "2.0":
        return f'{{"jsonrpc": "2.0", "result": {result}, "id": {_id(envelope)}}}'
    if envelope.version == "1.1":
        return f'{{"version": "1.1", "result": {result}{_optional_id(envelope)}}}'
    return f'{{"result": {result}, "error": null, "id": {_id(envelope)}}}'


def error_answer(envelope: Envelope, error: JSONRPCError, data: str | None) -> str:
    """`data` is JSON already; None where there is none."""
    said = f'"code": {int(error.code)}, "message": {json.dumps(without_halves(str(error.message)))}'
    if envelope.version == "1.1":
        more = "" if data is None else f', "error": {data}'
        return f'{{"version": "1.1", "error": {{"name": "JSONRPCError", {said}{more}}}{_optional_id(envelope)}}}'
    more = "" if data is None else f', "data": {data}'
    if envelope.version == "2.0":
        return f'{{"jsonrpc": "2.0", "error": {{{said}{more}}}, "id": {_id(envelope)}}}'
    return f'{{"result": null, "error": {{{said}{more}}}, "id": {_id(envelope)}}}'


def _id(envelope: Envelope) -> str:
    found = envelope.id
    if type(found) is int:
        return str(found)
    return "null" if found is MISSING else json.dumps(found)


def _optional_id(envelope: Envelope) -> str:
    return "" if envelope.id is MISSING else f', "id": {json.dumps(envelope.id)}'
