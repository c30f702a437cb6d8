"""A brake on guessing passwords: so many wrong ones from one client in a while. Counts in Django's cache."""

from __future__ import annotations

import ipaddress
import time
from contextlib import suppress
from hashlib import sha256

from django.core.cache import cache
from django.http import HttpRequest

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
    who = f"{client(request)} {int(time.time()) // seconds}"
    return f"jsonrpc-passwords-{sha256(who.encode(errors='surrogatepass')).hexdigest()}"


def client(request: HttpRequest) -> str:
    """Who asks: an address, or for IPv6 the network that one customer has."""
    peer = request.META.get("REMOTE_ADDR", "")
    forwarded = [each.strip() for each in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if each.strip()]
    proxies = _proxies(peer)
    address = forwarded[-min(proxies, len(forwarded))] if proxies and forwarded else peer
    found = _address(address)
    if found is None:
        return address or "unknown"
    return str(ipaddress.ip_network((found, 64), strict=False) if found.version == 6 else found)


def _proxies(peer: str) -> int:
    """How many proxies of this site's own a request came through: what the setting says, or one for a private peer."""
    said = conf.throttle_proxies()
    if said is not None:
        return said
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
