"""Requests whose bytes, types, headers and addresses are mutated: each has an answer, and none gets in.

`make fuzz-jsonrpc` sends many more.
"""

from __future__ import annotations

import json
import logging
import os
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.jsonrpc.caller import Caller

pytestmark = pytest.mark.django_db
fuzz = settings(
    max_examples=int(os.environ.get("JSONRPC_EXAMPLES", 150)),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

VALID = [
    b'{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}',
    b'{"version": "1.1", "method": "subtract", "params": {"0": 42, "subtrahend": 23}}',
    b'{"method": "me", "params": ["eve", "guess"], "id": "a"}',
    b'{"jsonrpc": "2.0", "method": "me", "params": {"username": "eve", "password": "guess"}, "id": 1}',
    b'[{"jsonrpc": "2.0", "method": "update", "params": ["a"], "id": 1}, {"jsonrpc": "2.0", "method": "fail"}]',
    b'{"jsonrpc": "2.0", "method": "secret", "id": null}',
    b'{"jsonrpc": "2.0", "method": "echo", "params": [1.5e3], "id": 1}',
]  # fmt: skip
PIECES = [
    b"", b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"null", b"NaN", b"-", b"1e999", b"\\ud800", b"\0", b"\xff",
    b"\xef\xbb\xbf",
    b"9" * 5000, b"[" * 500, b'{"a":' * 500, b'"id": 1,', b'"method": "me",', b'"params": {},', b'"jsonrpc": "2.0",',
    b"true", b"\\u0000",
    b'"params": [null, null],', b"\r\n", "\u2028".encode(), b"0x10", b"1_0", b"Infinity", b"/*", b"__class__",
]  # fmt: skip
TYPES = [
    "application/json", "application/json", "application/json; charset=utf-16", "text/plain", "", ";",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded", "application/json-rpc", "APPLICATION/JSON", "text/html; charset=nonsense",
]  # fmt: skip
HEADERS = {
    "HTTP_AUTHORIZATION": [
        "Basic",
        "Basic ZXZlOmd1ZXNz",
        "Basic %%%",
        "Bearer x",
        "basic " + "A" * 3000,
        "Basic /w==",
        "\xff",
    ],
    "HTTP_ORIGIN": ["null", "https://evil.example", "http://testserver", "", "\0"],
    "HTTP_X_CSRFTOKEN": ["", "a" * 32, "a" * 5000],
    "HTTP_REFERER": ["https://evil.example/", "not an address", ""],
    "HTTP_X_FORWARDED_FOR": ["1.2.3.4", "x, y", "[::1]:80", ","],
    "REMOTE_ADDR": ["", "::1", "8.8.8.8", "nonsense"],
    "CONTENT_LENGTH": ["", "x", "-1", "5", "99999999999999"],
}

edits = st.lists(
    st.tuples(st.integers(0, 110), st.integers(0, 30), st.sampled_from(PIECES) | st.binary(max_size=6)), max_size=5
)
bodies = st.builds(lambda body, by: edited(body, by), st.sampled_from(VALID) | st.binary(max_size=60), edits)
headers = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in HEADERS.items()})
known_names = ["", "subtract", "me", "secret", "people.add", "smd", "rpc.discover", "system.describe", "%00", "a b"]
names = st.sampled_from(known_names) | st.text(max_size=9)
keys = st.text(max_size=6) | st.sampled_from(["0", "1", "minuend", "username", "password"])
queries = st.lists(st.tuples(keys, st.text(max_size=6)), max_size=4)
PLAIN: dict[str, Any] = {"content_type": "application/json", "more": {}, "signed_in": False}


def edited(body: bytes, by: list[tuple[int, int, bytes]]) -> bytes:
    for start, length, piece in by:
        body = body[:start] + piece + body[start + length :]
    return body


class Failures(logging.Handler):
    """What was logged with a traceback; the method `fail` does so on purpose."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[0] is not RuntimeError:
            self.seen.append(f"{record.getMessage()}: {record.exc_info[1]!r}")
        assert "guess" not in record.getMessage()


@pytest.fixture
def failures() -> Any:
    handler = Failures()
    logger = logging.getLogger("djintegrate.jsonrpc")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


@pytest.fixture
def ada(settings: Any) -> User:
    settings.JSONRPC_PASSWORD_PARAMETERS = True
    user: User = User.objects.create_user("ada", password="right")
    return user


def looked_at(response: Any, failures: Failures) -> None:
    assert response.status_code in (200, 204, 405, 413, 415), response.status_code
    if response.status_code == 204:
        assert response.content == b""
    else:
        found = json.loads(response.content)
        for each in found if isinstance(found, list) else [found]:
            # Nobody is let in whom no password has let in.
            assert not str(each.get("result")).startswith("I am ") and each.get("result") != 42
    assert failures.seen == []


@fuzz
@given(body=bodies, content_type=st.sampled_from(TYPES), more=headers, signed_in=st.booleans())
@example(body=b'{"method": "me", "params": ["a\\u0000", "b"], "id": 1}', **PLAIN)
@example(body=b'{"method": "subtract", "params": {"0": 1, "00": 2, "1": 1}, "version": "1.1"}', **PLAIN)
def test_a_mutated_post_has_an_answer(
    body: bytes, content_type: str, more: dict[str, str], signed_in: bool, rpc: Caller, ada: User, failures: Failures
) -> None:
    if more.get("CONTENT_LENGTH") == "5" and len(body) < 5:
        del more["CONTENT_LENGTH"]  # Django's test client fails where a server would wait for the rest.
    client = Client(enforce_csrf_checks=True)
    if signed_in:
        client.force_login(ada)  # whose token no other site knows
    looked_at(client.generic("POST", "/json/", body, content_type=content_type, **more), failures)


@fuzz
@given(name=names, query=queries, tail=st.sampled_from(["", "&%ff=%fe", "&=&&", "&a" * 1200]), more=headers)
def test_a_mutated_get_has_an_answer(
    name: str, query: list[tuple[str, str]], tail: str, more: dict[str, str], rpc: Caller, ada: User, failures: Failures
) -> None:
    more.pop("CONTENT_LENGTH", None)
    said = "&".join(
        f"{quote(key, errors='surrogatepass')}={quote(value, errors='surrogatepass')}" for key, value in query
    )
    address = (
        f"/json/{quote(name.replace('/', '').replace('.', '', 1) if name in ('.', '..') else name.replace('/', ''))}"
    )
    response = Client().get(f"{address}?{said}{tail}", **more)
    if response.status_code != 404:
        looked_at(response, failures)
