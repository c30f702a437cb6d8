"""A site of methods, and the view that they are called through. `jsonrpc_site` is the one that most projects need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.core.exceptions import ImproperlyConfigured, RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.request import RawPostDataException
from django.urls import path

from . import conf, description
from .authentication import SAFE, is_json
from .calling import Calls
from .errors import InvalidRequest, JSONRPCError
from .methods import Method
from .protocol.messages import Call, Envelope
from .protocol.reading import read

F = TypeVar("F", bound=Callable[..., Any])


class JSONRPCSite:
    """A service's methods, by name. `dispatch` is its view; for all addresses: path("json/", include(site.urls))."""

    def __init__(self, title: str = "JSON-RPC") -> None:
        self.title = title
        self.methods: dict[str, Method] = {}
        for name, function in description.own_methods(self).items():
            self.methods[name] = Method(function, name, safe=True, is_own=True)

    def register(self, method: Method) -> None:
        known = self.methods.get(method.name)
        if known is not None and _place(known) != _place(method):
            raise ImproperlyConfigured(
                f"Two JSON-RPC methods are called {method.name!r}: {_place(known)} and {_place(method)}. Rename one."
            )
        self.methods[method.name] = method

    @property
    def own_methods(self) -> list[Method]:
        """The project's methods, sorted by name, without those by which the service describes itself."""
        found = [method for name, method in self.methods.items() if not name.startswith(("rpc.", "system."))]
        return sorted(found, key=lambda method: method.name)

    @property
    def urls(self) -> tuple[list[Any], str]:
        from .console import views

        patterns = [
            path("", self.dispatch, name="service"),
            path("smd", self.smd, name="smd"),
            path("browse/", views.Console.as_view(site=self), name="browse"),
            path("browse/<str:method>/", views.Console.as_view(site=self), name="browse"),
            path("<str:method>", self.dispatch, name="method"),
        ]
        return patterns, "jsonrpc"

    def dispatch(self, request: HttpRequest, method: str = "") -> HttpResponse:
        """Answers a request: POST with a call or a batch, or GET of a safe method."""
        if request.method == "POST":
            return self._post(request)
        if request.method in SAFE:
            return self._get(request, method)
        error = InvalidRequest(message=f"Invalid Request: {request.method} is neither POST nor GET")
        return _refuse(self._calls(request), error, 405, Allow="GET, HEAD, POST")

    # What counts for a caller is decided by `authentication`, which asks Django's protection where it has to.
    dispatch.csrf_exempt = True  # type: ignore[attr-defined]

    def smd(self, request: HttpRequest) -> HttpResponse:
        """The description that dojox/rpc/Service reads."""
        if request.method not in SAFE:
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        target = request.path.removesuffix("smd")
        return _response(description.text(description.smd(self, target)))

    def _calls(self, request: HttpRequest) -> Calls:
        return Calls(self.methods, request)

    def _post(self, request: HttpRequest) -> HttpResponse:
        calls = self._calls(request)
        if "HTTP_ORIGIN" in request.META and not is_json(request):
            # Pages of other sites can have a browser post whatever is no JSON.
            error = InvalidRequest(message="Invalid Request: the Content-Type of a browser's call is application/json")
            return _refuse(calls, error, 415)
        try:
            body = _body(request)
        except RequestDataTooBig:
            error = InvalidRequest(message=f"Invalid Request: it is longer than {conf.max_bytes()} bytes")
            return _refuse(calls, error, 413)
        try:
            message = read(body, conf.LEAST_DEPTH, conf.max_depth)
        except JSONRPCError as error:
            return _refuse(calls, error, 200)
        return _response(calls.answer(message))

    def _get(self, request: HttpRequest, name: str) -> HttpResponse:
        calls = self._calls(request)
        envelope = Envelope("1.1")
        if not name:
            error = InvalidRequest(message="Invalid Request: POST a call, or GET …/name.of.method?parameter=value")
            return _refuse(calls, error, 405, envelope, Allow="POST")
        method = self.methods.get(name)
        if method is not None and not method.safe:
            error = InvalidRequest(message=f"Invalid Request: {name} may change something. Call it by POST")
            return _refuse(calls, error, 405, envelope, Allow="POST")
        try:
            params = {key: each if len(each) > 1 else each[0] for key, each in request.GET.lists()}
        except SuspiciousOperation:
            return _refuse(calls, InvalidRequest(message="Invalid Request: too many parameters"), 200, envelope)
        return _response(calls.answer(Call(envelope, name, params, is_get=True)))


def jsonrpc_method(
    name: str = "",
    *,
    safe: bool = False,
    authenticated: bool = False,
    permission: str | None = None,
    permissions: Mapping[str, str | None] | None = None,
    site: JSONRPCSite | None = None,
) -> Callable[[F], F]:
    """Let other programs call the function by this name. It stays what it is; its first argument is the request.

    - `safe`: it changes nothing, so it may be called by GET.
    - `authenticated`: only people who are signed in may call it.
    - `permission`: only people with this permission, "app.codename", may call it.
    - `permissions`: for parameters that are objects, the permission that a caller needs; by default the model's `view`.
    """
    if callable(name):
        raise ImproperlyConfigured("Write @jsonrpc_method('app.name'), with a name, above the function.")

    def decorate(function: F) -> F:
        method = Method(
            function, name, safe=safe, authenticated=authenticated, permission=permission, permissions=permissions
        )
        (jsonrpc_site if site is None else site).register(method)
        return function

    return decorate


def _body(request: HttpRequest) -> bytes:
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return b""  # Django takes it for a request without a body, and fails where that is asked for.
    if length > conf.LEAST_BYTES and length > conf.max_bytes():
        raise RequestDataTooBig
    try:
        body: bytes = request.body
    except (UnreadablePostError, RawPostDataException):
        return b""
    if len(body) > conf.LEAST_BYTES and len(body) > conf.max_bytes():
        raise RequestDataTooBig
    return body


def _response(text: str, status: int = 200, **headers: str) -> HttpResponse:
    """An answer; without one, 204."""
    if not text:
        return HttpResponse(status=204)
    # Bytes, for which no charset has to be looked up: the text has none but ASCII's characters.
    return HttpResponse(text.encode(), content_type="application/json", status=status, headers=headers or None)


def _refuse(
    calls: Calls, error: JSONRPCError, status: int, envelope: Envelope | None = None, **headers: str
) -> HttpResponse:
    return _response(calls.refuse(error, envelope), status, **headers)


def _place(method: Method) -> str:
    return f"{method.function.__module__}.{method.function.__qualname__}"


jsonrpc_site = JSONRPCSite()
"""The site of methods that name no other."""
