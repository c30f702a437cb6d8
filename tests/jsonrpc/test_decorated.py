"""Methods inside of decorators: one for views never turns a refusal into a result, and one that hides is told of."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from django.contrib.auth.decorators import login_required, permission_required, user_passes_test
from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_GET

from djintegrate.jsonrpc import checks, jsonrpc_method, jsonrpc_site
from djintegrate.jsonrpc.parameters.converters import Caller as Asking
from djintegrate.jsonrpc.parameters.signature import Signature
from tests.apps.people.models import Person
from tests.jsonrpc.caller import Caller, calls, method

pytestmark = pytest.mark.django_db


def too_often(function: Any) -> Any:
    """As a limit on views does it."""

    @functools.wraps(function)
    def inner(request: Any, *args: Any, **kwargs: Any) -> Any:
        return HttpResponse("Too often", status=429)

    return inner


VIEWS = [login_required, permission_required("people.view_person"), user_passes_test(lambda user: False), too_often,
         require_GET]  # fmt: skip


@pytest.mark.parametrize("decorator", VIEWS)
@pytest.mark.parametrize("is_async", [False, True])
def test_a_refusal_of_a_views_decorator_is_no_result(
    decorator: Any, is_async: bool, rpc: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    def guarded(request: Any) -> str:
        return "let in"

    async def guarded_later(request: Any) -> str:
        return "let in"

    function = decorator(guarded_later if is_async else guarded)
    with method(function):
        assert rpc.error(function.__name__) == {"code": -32603, "message": "Internal error"}
    assert f"The JSON-RPC method {function.__name__} failed" in caplog.text
    assert "is for views, does not fit a method" in caplog.text
    assert "authenticated=True" in caplog.text


def test_djangos_protection_around_a_method_is_no_result(rpc: Caller) -> None:
    from django.test import Client

    rpc.client = Client(enforce_csrf_checks=True)
    with method(csrf_protect(lambda request: "let in"), name="lambda"):
        assert rpc.error("<lambda>")["code"] == -32603


RESPONSES = [HttpResponse("a"), JsonResponse({"a": 1}), StreamingHttpResponse(["a"]), FileResponse(iter([b"a"])),
             TemplateResponse(None, "x.html")]  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.parametrize("response", RESPONSES, ids=lambda each: type(each).__name__)
def test_no_response_is_a_result_and_what_was_done_is_undone(response: Any, rpc: Caller) -> None:
    def give(request: Any, wrap: bool) -> Any:
        Person.objects.create(name="given")
        return {"a": [response]} if wrap else response

    with method(give):
        for wrap in (False, True):
            assert rpc.error("give", wrap)["code"] == -32603
        batch = [*calls("a"), {"jsonrpc": "2.0", "method": "give", "params": [False], "id": 1}]
        assert ["result" in each for each in rpc(batch)] == [True, False]
    assert list(Person.objects.values_list("name", flat=True)) == ["a"]


def hiding(function: Any) -> Any:
    def inner(*a, **k):  # type: ignore[no-untyped-def]
        return function(*a, **k)

    return inner


def hiding_view(function: Any) -> Any:
    def inner(request: Any, *args: Any, **kwargs: Any) -> Any:
        return function(request, *args, **kwargs)

    return inner


def add(request: Any, x: int, y: int = 1) -> int:
    return x + y


def test_what_takes_anything_is_called_by_place_and_by_name(rpc: Caller) -> None:
    for decorator in (hiding, hiding_view):
        with method(decorator(add)):
            assert rpc.result("inner", 1) == 2
            assert rpc.result("inner", 1, 5) == 6
            assert rpc.result("inner", x=1, y=5) == 6
    # Python itself takes the name of *a by name.
    arguments, named = Signature(hiding(add), {}, wants_types=True).bind({"a": 1}, Asking(None))
    assert (arguments, named) == ([], {"a": 1})


@pytest.mark.parametrize(
    ("function", "is_told"),
    [
        (hiding(add), True),
        (hiding_view(add), True),
        (lambda *args: None, True),
        (functools.wraps(add)(hiding(add)), False),
        (lambda request, *numbers: None, False),
        (lambda request, **names: None, False),
        (lambda request, name, *args, **kwargs: None, False),
        (lambda *args, name: None, False),
        (add, False),
    ],
)
def test_a_check_tells_of_a_method_whose_parameters_are_hidden(function: Any, is_told: bool) -> None:
    jsonrpc_method("hidden", site=jsonrpc_site)(function)
    try:
        found = [each for each in checks.check_configuration() if each.id.startswith("jsonrpc")]
    finally:
        del jsonrpc_site.methods["hidden"]
    assert [each.id for each in found] == (["jsonrpc.W005"] if is_told else [])
    if is_told:
        assert found[0].msg.startswith("The method 'hidden' takes whatever parameters there are")
        assert "functools.wraps" in (found[0].hint or "")
