"""A brake on what one client may make this site do: begin sign-ins, and complete them. Counts in Django's cache."""

from __future__ import annotations

import ipaddress
import time

from django.core.cache import cache
from django.http import HttpRequest

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
    """Who asks: an address, or for IPv6 the network that one customer has."""
    peer = request.META.get("REMOTE_ADDR", "")
    forwarded = [each.strip() for each in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if each.strip()]
    proxies = _proxies(peer)
    address = forwarded[-min(proxies, len(forwarded))] if proxies and forwarded else peer
    found = _address(address)
    if found is None:
        return digest_of(address) if address else "unknown"
    return str(ipaddress.ip_network((found, 64), strict=False) if found.version == 6 else found)


def _proxies(peer: str) -> int:
    """How many proxies of this site's own a request came through, as the setting says.

    Without the setting, a peer that has no public address is one proxy.
    """
    if config.throttle_proxies is not None:
        return config.throttle_proxies
    address = _address(peer)
    return 0 if address is not None and address.is_global else 1


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address, of an IPv4 client of an IPv6 socket its own. Some proxies add the port, in brackets with IPv6."""
    host = text.partition("]")[0].removeprefix("[") if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
