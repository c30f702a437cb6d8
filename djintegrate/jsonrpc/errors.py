"""Errors that an answer carries. A function raises JSONRPCError, or a subclass with a code and a message of its own."""

from __future__ import annotations

from typing import Any


class JSONRPCError(Exception):
    """What the client is told: a code, a sentence, and any data that JSON can hold."""

    code: int = -32000
    message: str = "Server error"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        _refuse_no_number(cls.code)

    def __init__(self, code: int | None = None, message: str | None = None, data: Any = None) -> None:
        if code is not None:
            _refuse_no_number(code)
            self.code = code
        if message is not None:
            self.message = str(message)
        self.data = data
        super().__init__(self.code, self.message)

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"


def _refuse_no_number(code: Any) -> None:
    if isinstance(code, bool) or not isinstance(code, int):
        raise TypeError(f"The code of a JSON-RPC error is {code!r}. Make it a whole number, such as 1.")


class ParseError(JSONRPCError):
    code, message = -32700, "Parse error"


class InvalidRequest(JSONRPCError):
    code, message = -32600, "Invalid Request"


class MethodNotFound(JSONRPCError):
    code, message = -32601, "Method not found"


class InvalidParams(JSONRPCError):
    code, message = -32602, "Invalid params"


class InternalError(JSONRPCError):
    code, message = -32603, "Internal error"


class NotAuthenticated(JSONRPCError):
    code, message = -32001, "This method is for those who are signed in"


class Forbidden(JSONRPCError):
    code, message = -32003, "You may not do this"


class NotFound(JSONRPCError):
    code, message = -32004, "Not found"


class TooManyAttempts(JSONRPCError):
    code, message = -32029, "Too many wrong passwords. Try again later"
