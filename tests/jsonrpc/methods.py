"""The methods that the tests call: those of the specifications' examples, and those that were posted."""

from __future__ import annotations

import asyncio
from typing import Any

from django.db import connection

from djintegrate.jsonrpc import JSONRPCError, JSONRPCSite, jsonrpc_method
from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson

site = JSONRPCSite("Tests")
heard: list[Any] = []
"""What notifications brought."""


class SeatsTaken(JSONRPCError):
    code = 7
    message = "All seats are taken"


@jsonrpc_method("subtract", safe=True, site=site)
def subtract(request: Any, minuend: int, subtrahend: int) -> int:
    """The difference of two numbers.

    As in the examples of the specification.
    """
    return minuend - subtrahend


@jsonrpc_method("sum", site=site)
def sum_of(request: Any, *numbers: int) -> int:
    return sum(numbers)


@jsonrpc_method("get_data", site=site)
def get_data(request: Any) -> list[Any]:
    return ["hello", 5]


@jsonrpc_method("update", site=site)
@jsonrpc_method("notify_hello", site=site)
@jsonrpc_method("notify_sum", site=site)
def listen(request: Any, *values: Any) -> None:
    heard.append(list(values))


@jsonrpc_method("echo", safe=True, site=site)
def echo(request: Any, value: Any = None) -> Any:
    return value


@jsonrpc_method("later", safe=True, site=site)
async def later(request: Any, number: int) -> int:
    await asyncio.sleep(0)
    return number + 1


@jsonrpc_method("fail", safe=True, site=site)
def fail(request: Any, how: str = "") -> None:
    if how == "own":
        raise SeatsTaken(data={"left": 0})
    if how == "said":
        raise JSONRPCError(12, "Too late", data=[1])
    raise RuntimeError("the inside")


@jsonrpc_method("whoami", safe=True, site=site)
def whoami(request: Any) -> str:
    return str(request.user.get_username())


@jsonrpc_method("me", safe=True, authenticated=True, site=site)
def me(request: Any, greeting: str = "I am") -> str:
    return f"{greeting} {request.user.get_username()}"


@jsonrpc_method("secret", permission="people.view_person", site=site)
def secret(request: Any) -> int:
    return 42


@jsonrpc_method("people.add", site=site)
def add(request: Any, name: str, then: str = "") -> int:
    """With Django; and with Storm, where the name says so."""
    if name.startswith("storm"):
        get_store("main").add(StormPerson(name))
    else:
        Person.objects.create(name=name)
    if then == "fail":
        raise SeatsTaken
    if then == "crash":
        raise RuntimeError("the inside")
    return Person.objects.count()


@jsonrpc_method("people.names", safe=True, site=site)
def names(request: Any) -> Any:
    return Person.objects.order_by("name").values_list("name", flat=True)


@jsonrpc_method("in_block", safe=True, site=site)
def in_block(request: Any) -> bool:
    return bool(connection.in_atomic_block)
