"""A client that posts what it is given, and reads the answer."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

ADDRESS = "/json/"


class Caller:
    """`rpc(message)` posts the message, a text as it stands; the answer, None where there is none."""

    def __init__(self, **options: Any) -> None:
        self.client = Client(**options)
        self.address = ADDRESS
        self.response: Any = None

    def __call__(self, message: Any, content_type: str = "application/json", **headers: Any) -> Any:
        text = message if isinstance(message, str | bytes) else json.dumps(message)
        self.response = self.client.generic("POST", self.address, text, content_type=content_type, **headers)
        return self.read()

    def call(self, method: str, *params: Any, **named: Any) -> Any:
        return self({"jsonrpc": "2.0", "method": method, "params": named or list(params), "id": 1})

    def result(self, method: str, *params: Any, **named: Any) -> Any:
        answer = self.call(method, *params, **named)
        assert "result" in answer, answer
        return answer["result"]

    def error(self, method: str, *params: Any, **named: Any) -> Any:
        answer = self.call(method, *params, **named)
        assert "error" in answer, answer
        return answer["error"]

    def get(self, path: str, **headers: Any) -> Any:
        self.response = self.client.get(self.address + path, **headers)
        return self.read()

    def read(self) -> Any:
        if self.response.status_code == 204:
            assert self.response.content == b""
            return None
        assert self.response.headers["Content-Type"] == "application/json"
        return json.loads(self.response.content)


def calls(*names: str, then: str = "") -> list[dict[str, Any]]:
    return [
        {"jsonrpc": "2.0", "method": "people.add", "params": [name, *([then] if then else [])], "id": name}
        for name in names
    ]


class method:
    """A method that is there for a while."""

    def __init__(self, function: Any, **options: Any) -> None:
        self.function, self.options = function, options

    def __enter__(self) -> None:
        from djintegrate.jsonrpc.methods import Method
        from tests.jsonrpc.methods import site

        site.methods[self.function.__name__] = Method(self.function, **self.options)

    def __exit__(self, *args: Any) -> None:
        from tests.jsonrpc.methods import site

        del site.methods[self.function.__name__]
