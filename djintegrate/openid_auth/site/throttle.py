"""A brake on sign-ins that one client begins: each makes this site fetch an address. Counts in Django's cache."""

from __future__ import annotations

import ipaddress
import time

from django.core.cache import cache
from django.http import HttpRequest

from ..conf import config
from ..fields import digest_of


def seconds_to_wait(request: HttpRequest) -> int:
    """0 if this client may begin one more sign-in now."""
    limit = config.login_throttle
    if limit is None:
        return 0
    times, seconds = limit
    window, passed = divmod(int(time.time()), seconds)
    key = f"openid-login-{digest_of(client(request), window)}"
    cache.add(key, 0, timeout=seconds + 1)
    try:
        count = cache.incr(key)
    except ValueError:
        return 0  # It went out of the cache in between.
    return 0 if count <= times else seconds - passed


def client(request: HttpRequest) -> str:
    """Who asks: an address, or for IPv6 the network that one customer has.

    A peer that has no public address is this site's own proxy, and what it added last to X-Forwarded-For is the client.
    """
    address = request.META.get("REMOTE_ADDR", "")
    try:
        public = ipaddress.ip_address(address).is_global
    except ValueError:
        public = False
    if not public:
        address = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip() or address
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown" if not address else digest_of(address)
    return str(ipaddress.ip_network((found, 64), strict=False) if found.version == 6 else found)
