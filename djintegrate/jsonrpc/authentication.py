"""Who calls: JSONRPC_AUTHENTICATE, HTTP Basic, the session with its CSRF token; name and password as parameters.

What a browser sends by itself counts only where no other site can have had it sent.
"""

from __future__ import annotations

import base64
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.functional import SimpleLazyObject, empty
from django.views.decorators.debug import sensitive_variables

from djintegrate.common.errors import Misconfigured

from . import conf, throttle
from .errors import Forbidden, NotAuthenticated, TooManyAttempts
from .methods import Method
from .protocol.messages import Params

SAFE = ("GET", "HEAD")
JSON_TYPES = ("application/json", "application/json-rpc", "application/jsonrequest")


class Callers:
    """The people of one request: most have one, calls with passwords may each have their own."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._session_user = getattr(request, "user", None)
        self._session_auser = getattr(request, "auser", None)
        self._passwords: dict[tuple[str, str], Any] = {}
        # Not asked before somebody wants to know: it may cost a query, and makes the answer vary by cookie.
        self._by_request = SimpleLazyObject(self._find)
        request.user = self._by_request
        request.auser = self._auser

    def leave(self) -> None:
        """The calls are over. The request keeps whoever was found, and nothing that refers back to it."""
        request = self._request
        if request.user is self._by_request:
            found = self._by_request._wrapped
            _put_back(request, "user", self._session_user if found is empty else found)
        _put_back(request, "auser", self._session_auser)

    async def _auser(self) -> Any:
        user = self._request.user
        # Finding out who it is may ask the database.
        await sync_to_async(bool)(user)
        return user

    def let_in(self, method: Method, params: Params) -> Params:
        """The parameters that are left for the function. Forbidden or NotAuthenticated where the caller may not."""
        request = self._request
        request.user = self._by_request
        if not method.authenticated:
            return params
        user: Any = self._by_request
        if not user.is_authenticated and self._may_have_password(params):
            user, params = self._from_parameters(params)
            request.user = user
        if not user.is_authenticated:
            raise NotAuthenticated
        if method.permission is not None and not user.has_perm(method.permission):
            raise Forbidden(data={"permission": method.permission})
        return params

    def _find(self) -> Any:
        request = self._request
        found = self._from_the_sites_function()
        if found is not None:
            return found
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            return self._from_basic(credentials)
        return self._from_session()

    def _from_the_sites_function(self) -> Any:
        function = conf.authenticate()
        found = None if function is None else function(self._request)
        # Of a class it is a property, and so is true.
        if found is not None and not isinstance(getattr(found, "is_authenticated", None), bool):
            raise Misconfigured(
                f"JSONRPC_AUTHENTICATE names a function that has given an object of the type {type(found).__name__!r}, "
                f"which is no user. Have {_name(function)} return a user, or None for somebody whom it does not know."
            )
        return found

    def _from_session(self) -> Any:
        from django.contrib.auth.models import AnonymousUser  # models, which are not there while apps are loaded

        user = self._session_user
        if user is None or not user.is_authenticated:
            return AnonymousUser()
        if self._request.method not in SAFE:
            if not is_json(self._request):
                raise Forbidden(message="The session counts only with the Content-Type application/json")
            reason = refusal(self._request)
            if reason:
                raise Forbidden(message=f"The session does not count: {reason}")
        return user

    @sensitive_variables()
    def _from_basic(self, credentials: str) -> Any:
        if not is_json(self._request):
            raise Forbidden(message="HTTP Basic counts only with the Content-Type application/json")
        try:
            name, colon, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except ValueError:
            colon = ""
        if not colon:
            raise NotAuthenticated(message="The Authorization header is not HTTP Basic's")
        return self._check(name, password)

    def _may_have_password(self, params: Params) -> bool:
        """Only by POST, and only where no other credentials came."""
        return (
            conf.password_parameters()
            and self._request.method == "POST"
            and "Authorization" not in self._request.headers
            and (len(params) >= 2 if isinstance(params, list) else {"username", "password"} <= params.keys())
        )

    @sensitive_variables()
    def _from_parameters(self, params: Params) -> tuple[Any, Params]:
        if isinstance(params, list):
            name, password = params[:2]
            del params[:2]  # In place: no error report is to find them in the request's parameters.
        else:
            name, password = params.pop("username"), params.pop("password")
        if not (isinstance(name, str) and isinstance(password, str)):
            raise NotAuthenticated(message="Name and password are strings")
        return self._check(name, password), params

    @sensitive_variables()
    def _check(self, name: str, password: str) -> Any:
        """The user. Each pair is looked at once in a request, and a wrong one counts against the client."""
        if (name, password) not in self._passwords:
            if throttle.is_blocked(self._request):
                raise TooManyAttempts
            user = None if "\0" in name else authenticate(self._request, username=name, password=password)
            if user is None:
                throttle.note_wrong(self._request)
            self._passwords[name, password] = user
        if self._passwords[name, password] is None:
            raise NotAuthenticated(message="Name or password is wrong")
        return self._passwords[name, password]


def _name(function: Any) -> str:
    return getattr(function, "__qualname__", type(function).__qualname__)


def _put_back(request: HttpRequest, name: str, value: Any) -> None:
    if value is None:
        delattr(request, name)  # As it was, without Django's middleware.
    else:
        setattr(request, name, value)


def is_json(request: HttpRequest) -> bool:
    """Whether the content type is one that another site's page cannot send unasked."""
    return request.content_type in JSON_TYPES


def refusal(request: HttpRequest) -> str:
    """Why Django's protection against cross-site requests would refuse this one; nothing where it would not."""
    check = _Check(_no_response)
    check.process_request(request)
    return check.process_view(request, _no_response, (), {}) or ""


class _Check(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def _no_response(request: HttpRequest) -> Any:
    return None
