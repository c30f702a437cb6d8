"""The examples that were posted in 2009, on today's addresses: the functions, the proxy, GET, name and password.

The posted functions and the answers that were posted with them differ in one comma: the function decides.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import path

from djintegrate.jsonrpc import ServiceProxy, jsonrpc_method, jsonrpc_site

pytestmark = pytest.mark.django_db(transaction=True)

urlpatterns = [
    path("json/", jsonrpc_site.dispatch),
    path("json/<method>", jsonrpc_site.dispatch),
]


@pytest.fixture(autouse=True)
def posted(settings: Any) -> Iterator[None]:
    settings.ROOT_URLCONF = __name__
    before = dict(jsonrpc_site.methods)
    yield
    jsonrpc_site.methods.clear()
    jsonrpc_site.methods.update(before)


def test_say_hello(live_server: Any) -> None:
    @jsonrpc_method("app.sayHello")
    def say_hello(request, name):  # type: ignore[no-untyped-def]
        return "Hello, " + name

    s = ServiceProxy(live_server.url + "/json/")
    assert s.app.sayHello("Sam") == {"error": None, "id": "jsonrpc", "result": "Hello, Sam"}


def test_http_get(live_server: Any) -> None:
    @jsonrpc_method("app.sayHello", safe=True)
    def say_hello(request, name):  # type: ignore[no-untyped-def]
        return "Hello, " + name

    with urllib.request.urlopen(live_server.url + "/json/app.sayHello?name=Sam") as response:
        assert json.load(response)["result"] == "Hello, Sam"


def test_authenticated(live_server: Any, settings: Any) -> None:
    settings.JSONRPC_PASSWORD_PARAMETERS = True
    User.objects.create_user("samuraiblog", password="password", first_name="Sam")

    @jsonrpc_method("app.sayHello", authenticated=True)
    def say_hello(request):  # type: ignore[no-untyped-def]
        return "Hello, " + request.user.first_name

    s = ServiceProxy(live_server.url + "/json/")
    assert s.app.sayHello("samuraiblog", "password") == {"error": None, "id": "jsonrpc", "result": "Hello, Sam"}
    assert s.app.sayHello("samuraiblog", "passwort")["error"]["code"] == -32001


@pytest.mark.parametrize(
    ("key", "version"),
    [("", "1.0"), ("version", "1.0"), ("version", "1.1"), ("version", "2.0"), ("jsonrpc", "1.1"), ("jsonrpc", "2.0")]
)  # fmt: skip
def test_version_agnostic(key: str, version: str, client: Any) -> None:
    @jsonrpc_method("app.sayHello")
    def say_hello(request, name):  # type: ignore[no-untyped-def]
        return "Hello, " + name

    call = {"method": "app.sayHello", "params": ["Sam"], "id": 1, **({key: version} if key else {})}
    answer = client.post("/json/", call, content_type="application/json").json()
    known = {"1.0": {"error": None}, "1.1": {"version": "1.1"}, "2.0": {"jsonrpc": "2.0"}}[version]
    assert answer == {"result": "Hello, Sam", "id": 1, **known}
