"""A brake on what one client may make this site do: begin sign-ins, and complete them. Counts in Django's cache."""

from __future__ import annotations

import time

from django.core.cache import cache
from django.http import HttpRequest

from djintegrate.common import clients

from ..conf import config
from ..fields import digest_of


def seconds_to_wait(request: HttpRequest, what: str = "begin") -> int:
    """0 if this client may do `what` once more now, which counts."""
    limit = config.login_throttle
    if limit is None:
        return 0
    times, seconds = limit
    key, passed = _place(request, what, seconds)
    cache.add(key, 0, timeout=seconds + 1)
    try:
        count = cache.incr(key)
    except ValueError:
        return 0  # The cache dropped the count in between.
    return 0 if count <= times else seconds - passed


def has_used_up(request: HttpRequest, what: str) -> bool:
    """Whether this client may not do `what` any more for now. Asking does not count."""
    limit = config.login_throttle
    if limit is None:
        return False
    times, seconds = limit
    count: int = cache.get(_place(request, what, seconds)[0], 0)
    return count >= times


def _place(request: HttpRequest, what: str, seconds: int) -> tuple[str, int]:
    """Where this client is counted, and how many seconds of its window have passed."""
    window, passed = divmod(int(time.time()), seconds)
    return f"openid-{what}-{digest_of(client(request), window)}", passed


def client(request: HttpRequest) -> str:
    """Who asks, as far as counting goes."""
    return clients.client(request, config.throttle_proxies)
