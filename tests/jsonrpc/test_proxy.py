"""ServiceProxy and `manage.py jsonrpc call`, each on a real server."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from djintegrate.jsonrpc import ServiceProxy
from djintegrate.jsonrpc.proxy import ServiceError
from tests.jsonrpc.caller import Caller

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def url(live_server: Any, rpc: Caller) -> str:
    return f"{live_server.url}/json/"


@pytest.mark.parametrize(
    ("version", "more"), [("1.0", {"error": None}), ("1.1", {"version": "1.1"}), ("2.0", {"jsonrpc": "2.0"})]
)
def test_the_proxy_gives_the_whole_answer_in_its_version(version: str, more: Any, url: str) -> None:
    service = ServiceProxy(url, version=version)
    assert service.subtract(5, 3) == {"result": 2, "id": "jsonrpc", **more}
    assert service.subtract(minuend=5, subtrahend=3)["result"] == 2
    assert service.no.such()["error"]["code"] == -32601
    assert service["rpc.discover"]()["result"]["openrpc"]
    assert service["people"].names()["result"] == []


def test_the_proxy_may_have_name_and_password_and_headers(url: str, settings: Any) -> None:
    User.objects.create_user("ada", password="ä:b")
    assert ServiceProxy(url, auth=("ada", "ä:b")).me()["result"] == "I am ada"
    settings.JSONRPC_AUTHENTICATE = "tests.jsonrpc.test_authentication.by_token"
    assert ServiceProxy(url, headers={"X-Token": "ada"}).me("Hi")["result"] == "Hi ada"


def test_what_is_no_answer_is_an_error_that_says_what_came(url: str, live_server: Any) -> None:
    with pytest.raises(ServiceError, match="HTTP status 404"):
        ServiceProxy(f"{live_server.url}/nowhere/").a()
    with pytest.raises(ServiceError, match="was not reached"):
        ServiceProxy("http://127.0.0.1:9/json/").a()
    for wrong in ("file:///etc/passwd", "example.com/json", ""):
        with pytest.raises(ValueError, match="is not the address of a service"):
            ServiceProxy(wrong)
    with pytest.raises(ValueError, match="There is no JSON-RPC '3'"):
        ServiceProxy(url, version="3")
    with pytest.raises(TypeError, match="by place or by name"):
        ServiceProxy(url).echo(1, value=2)
    assert "__wrapped__" not in dir(ServiceProxy(url))
    assert not hasattr(ServiceProxy(url), "__wrapped__")
    assert repr(ServiceProxy(url).a.b) == f"<ServiceProxy {url} a.b>"


def test_an_address_without_its_slash_is_asked_about(url: str, live_server: Any, settings: Any) -> None:
    asked = rf"Is a slash missing at the end of the address\? Try {url}$"
    with pytest.raises(ServiceError, match=rf"HTTP status 30\d: an empty body\. {asked}"):
        ServiceProxy(url.removesuffix("/")).a()
    settings.DEBUG = True
    with pytest.raises(CommandError, match=rf"HTTP status 500: a web page, 'RuntimeError at /json'\. {asked}"):
        run(url.removesuffix("/"), "a")
    with pytest.raises(ServiceError, match=r"HTTP status 404: a web page, 'Page not found at /nowhere/'\.$"):
        ServiceProxy(f"{live_server.url}/nowhere/").a()


def run(*arguments: str) -> Any:
    out = StringIO()
    call_command("jsonrpc", "call", *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_the_command_prints_the_result(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(url, "subtract", "5", "3") == 2
    assert run(url, "subtract", "minuend=5", "subtrahend=3") == 2
    assert run(url, "subtract", "5", "3", "--rpc-version", "1.0") == 2
    assert run(url, "echo", "Sam") == "Sam"
    assert run(url, "echo", 'value={"a": [1]}') == {"a": [1]}
    User.objects.create_user("ada", password="a")
    monkeypatch.setenv("JSONRPC_PASSWORD", "a")
    assert run(url, "me", "--user", "ada") == "I am ada"


def test_the_command_ends_with_what_was_wrong(url: str, settings: Any) -> None:
    with pytest.raises(CommandError, match=r"All seats are taken \(7\)\n\{\n  \"left\": 0"):
        run(url, "fail", "own")
    with pytest.raises(CommandError, match="was not reached"):
        run("http://127.0.0.1:9/", "a")
    with pytest.raises(CommandError, match="not the address of a service"):
        run("nonsense", "a")
    with pytest.raises(CommandError, match="has no colon"):
        run(url, "a", "--header", "nonsense")
    settings.JSONRPC_AUTHENTICATE = "tests.jsonrpc.test_authentication.by_token"
    User.objects.create_user("ada")
    assert run(url, "me", "--header", "X-Token: ada") == "I am ada"
