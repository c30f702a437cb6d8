"""The settings of the JSON-RPC app, declared in one place, with their types and defaults; what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings

from djintegrate.common.settings import Declared, Setting
from djintegrate.common.types import boolean, function, optional, pair, unfit, whole_number

AUTHENTICATE = "the dotted path of a function(request) that gives a user or None, or None"
THROTTLE = "a pair (times, seconds), such as (10, 60) for ten wrong passwords a minute, or None"
PROXIES = "the number of this site's proxies that a request comes through, or None"
GET_STORE = (
    'the dotted path of a function(name) that gives a Storm store, such as "djintegrate.storm_backend.get_store"'
)


def _optional_boolean(value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise unfit(value, "True, False or None")
    return value


authenticate: Setting[Callable[..., Any] | None] = Setting(
    "JSONRPC_AUTHENTICATE", optional(function(AUTHENTICATE)), None
)
"""A further way to know who calls, by a token say."""
password_parameters = Setting("JSONRPC_PASSWORD_PARAMETERS", boolean, False)
"""Whether name and password may be a call's first two parameters."""
throttle = Setting("JSONRPC_THROTTLE", optional(pair(THROTTLE, 1)), (10, 60))
throttle_proxies = Setting("JSONRPC_THROTTLE_PROXIES", optional(whole_number(PROXIES, 0)), None)
console = Setting("JSONRPC_CONSOLE", _optional_boolean, None)
# What is within the least that a limit may be needs no look at the setting, which costs more than the whole check.
LEAST_BYTES = 1024
LEAST_DEPTH = 8
max_bytes = Setting(
    "JSONRPC_MAX_BYTES",
    whole_number(f"a whole number of bytes, {LEAST_BYTES} or more", LEAST_BYTES),
    1024 * 1024,
)
max_depth = Setting("JSONRPC_MAX_DEPTH", whole_number(f"a whole number, {LEAST_DEPTH} or more", LEAST_DEPTH), 64)
max_batch = Setting("JSONRPC_MAX_BATCH", whole_number("a whole number of calls, 1 or more", 1), 100)
get_store: Setting[Callable[[str], Any]] = Setting(
    "JSONRPC_GET_STORE", function(GET_STORE, only_path=True), "djintegrate.storm_backend.get_store"
)
"""Where parameters that are Storm objects come from."""

DECLARED = Declared("jsonrpc", "JSONRPC_", globals())


def has_console() -> bool:
    """Whether there is a console; whoever may use it is another question."""
    wanted = console()
    return settings.DEBUG if wanted is None else wanted
