"""A brake on guessing passwords: so many wrong ones from one client in a while. Counts in Django's cache."""

from __future__ import annotations

import time
from contextlib import suppress
from hashlib import sha256

from django.core.cache import cache
from django.http import HttpRequest

from djintegrate.common import clients

from . import conf


def is_blocked(request: HttpRequest) -> bool:
    """Whether this client gave too many wrong passwords, and is not even to be heard with a right one."""
    limit = conf.throttle()
    return limit is not None and cache.get(_key(request, limit[1]), 0) >= limit[0]


def note_wrong(request: HttpRequest) -> None:
    limit = conf.throttle()
    if limit is None:
        return
    key = _key(request, limit[1])
    cache.add(key, 0, timeout=limit[1] + 1)
    with suppress(ValueError):  # The cache may have dropped the count in between.
        cache.incr(key)


def _key(request: HttpRequest, seconds: int) -> str:
    who = f"{clients.client(request, conf.throttle_proxies())} {int(time.time()) // seconds}"
    return f"jsonrpc-passwords-{sha256(who.encode(errors='surrogatepass')).hexdigest()}"
