"""ServiceProxy and `manage.py jsonrpc call`, each on a real server."""

from __future__ import annotations

import json
import shlex
from decimal import Decimal
from io import StringIO
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from djintegrate.jsonrpc import ServiceProxy
from djintegrate.jsonrpc.protocol import digits
from djintegrate.jsonrpc.proxy import ServiceError
from tests.jsonrpc.caller import Caller, method

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


def printed(*arguments: str) -> str:
    out = StringIO()
    call_command("jsonrpc", "call", *arguments, stdout=out)
    return out.getvalue()


def run(*arguments: str) -> Any:
    return json.loads(printed(*arguments))


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


@pytest.mark.parametrize("word", ["123456789012345678901234567890.123456789", "1.10", "1E+2", "-0.0", "9" * 400])
def test_the_command_sends_a_number_with_all_its_digits(word: str, url: str) -> None:
    def dec(request: Any, value: Decimal) -> str:
        return str(value)

    with method(dec):
        for parameter in (word, f"value={word}"):
            assert run(url, "dec", parameter) == word


def test_the_command_prints_a_number_with_all_its_digits(url: str) -> None:
    text = '{"a": 123456789012345678901234567890.123456789, "b": [1.10, 1e400, {}, [], {"ä": null}]}'
    answer = f'{{"jsonrpc": "2.0", "result": {text}, "id": "jsonrpc"}}'
    with mock.patch.object(ServiceProxy, "_sent", return_value=(200, answer.encode())):
        assert printed(url, "any") == (
            '{\n  "a": 123456789012345678901234567890.123456789,\n  "b": [\n    1.10,\n    1e400,\n    {},\n    [],\n'
            '    {\n      "ä": null\n    }\n  ]\n}\n'
        )


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_answer_may_be_in_any_of_jsons_encodings(encoding: str, url: str) -> None:
    body = '{"jsonrpc": "2.0", "result": "ä", "id": "jsonrpc"}'.encode(encoding)
    with mock.patch.object(ServiceProxy, "_sent", return_value=(200, body)):
        assert ServiceProxy(url).any()["result"] == run(url, "any") == "ä"


@settings(deadline=None)
@given(st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))
def test_what_the_command_prints_is_laid_out_as_python_does(value: Any) -> None:
    assert digits.show(digits.read(json.dumps(value))) == json.dumps(value, indent=2, ensure_ascii=False)


@pytest.mark.parametrize(
    "word", ["NaN", "Infinity", "-Infinity", "Sam", "", "1_0", "01", "{'a': 1}", "[1,]", "a b", "[" * 9999]
)
def test_the_command_sends_what_is_no_json_as_a_text(word: str, url: str) -> None:
    assert run(url, "echo", f"value={word}") == word
    assert run(url, "echo", "--", word) == word


def test_the_command_leaves_it_to_the_service_what_it_takes(url: str) -> None:
    with pytest.raises(CommandError, match=r"Parse error: a number is too large \(-32700\)"):
        run(url, "echo", "1e400")


def test_the_command_refuses_parameters_by_place_and_by_name_in_one_call(url: str) -> None:
    for words in (["5", "x=5"], ["x=5", "5"], ["x=5", "y=6", "5"]):
        with pytest.raises(
            CommandError, match=r"'5' is given by place, and 'x=5' by name\. Give all by place"
        ) as caught:
            run(url, "echo", *words)
    remedy = shlex.split(str(caught.value).partition("as JSON: ")[2])
    assert run(url, "echo", *remedy) == "x=5"
    with pytest.raises(CommandError, match="The parameter 'x' is given twice"):
        run(url, "echo", "x=5", "x=6")
