"""Functions for other programs: they stay what they are, and a client's answers are dictionaries."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest
from django.urls import include, path
from typing_extensions import assert_type

from djintegrate.jsonrpc import JSONRPCError, JSONRPCSite, ServiceProxy, jsonrpc_method, jsonrpc_site


class NoSuchDay(JSONRPCError):
    code = 7
    message = "There is no such day"


@jsonrpc_method("shop.free", safe=True)
def free(request: HttpRequest, day: date, seats: int = 1) -> bool:
    if seats < 1:
        raise NoSuchDay(data={"seats": seats})
    return True


@jsonrpc_method("shop.book", authenticated=True, permission="shop.add_receipt")
async def book(request: HttpRequest, text: str) -> int:
    return len(text)


urlpatterns = [
    path("json/", include(jsonrpc_site.urls)),
    path("dispatch/", jsonrpc_site.dispatch),
    path("dispatch/<method>", JSONRPCSite("Another").dispatch),
]


async def call(request: HttpRequest) -> None:
    assert_type(free(request, date(2030, 1, 1), seats=2), bool)
    assert_type(await book(request, "a table"), int)
    assert_type(ServiceProxy("https://example.com/json/").shop.free("2030-01-01"), dict[str, Any])
    error = JSONRPCError(1, "No")
    assert_type(error.code, int)
    assert_type(error.message, str)
