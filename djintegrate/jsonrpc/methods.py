"""A method: a function, the name that it is called by, and who may call it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from asgiref.sync import async_to_sync, iscoroutinefunction
from django.core.exceptions import ImproperlyConfigured

from .parameters.signature import Signature
from .protocol.messages import Call

NAME = re.compile(r"[^\s/?#&\x00-\x1f]+")
RESERVED = ("rpc.", "system.")


class Method:
    """`is_own` is for those of the service itself, whose names are reserved."""

    def __init__(
        self,
        function: Callable[..., Any],
        name: str = "",
        *,
        safe: bool = False,
        authenticated: bool = False,
        permission: str | None = None,
        permissions: Mapping[str, str | None] | None = None,
        is_own: bool = False,
    ) -> None:
        self.function = function
        self.name = name or function.__name__
        self.safe = safe
        self.authenticated = authenticated or permission is not None
        self.permission = permission
        self.permissions = dict(permissions or {})
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            raise ImproperlyConfigured(
                f"A JSON-RPC method cannot be called {name!r}. Use a name such as 'app.sayHello'."
            )
        if self.name.startswith(RESERVED) and not is_own:
            raise ImproperlyConfigured(
                f"A JSON-RPC method cannot be called {self.name!r}: names that begin with rpc. or system. are reserved."
            )
        for each in (permission, *self.permissions.values()):
            if each is not None and "." not in each:
                raise ImproperlyConfigured(f"{self.name} has the permission {each!r}. Write it as 'app.codename'.")
        self._run = async_to_sync(function) if iscoroutinefunction(function) else function

    @cached_property
    def signature(self) -> Signature:
        """Made when it is first needed: hints may name what is defined later."""
        try:
            return Signature(self.function, self.permissions, wants_types=True)
        except (NameError, TypeError, ValueError) as error:
            raise ImproperlyConfigured(f"{self.name}: its type hints cannot be read ({error}).") from error
        except ImproperlyConfigured as error:
            raise ImproperlyConfigured(f"{self.name}: {error}") from None

    @property
    def description(self) -> str:
        return inspect.getdoc(self.function) or ""

    @property
    def summary(self) -> str:
        return self.description.partition("\n\n")[0].replace("\n", " ")

    def run(self, request: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
        return self._run(request, *arguments, **named)


def name_places(call: Call, method: Method) -> frozenset[str]:
    """1.1 gives places by name, too: {"0": "Sam"}, also beside other names. Those that only have a place."""
    params = call.params
    if call.envelope.version != "1.1" or not isinstance(params, dict):
        return frozenset()
    names = [each.name for each in method.signature.parameters]
    found = []
    for place in [name for name in params if name.isdecimal() and name.isascii() and len(name) < 4]:
        if int(place) < len(names) and names[int(place)] not in params:
            found.append(names[int(place)])
            params[names[int(place)]] = params.pop(place)
    return frozenset(name for name in found if not method.signature.may_be_named(name))
