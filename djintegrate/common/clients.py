"""Who asks: the address of a request's client, through the site's own proxies. For counting, not for trusting."""

from __future__ import annotations

import ipaddress

from django.http import HttpRequest


def client(request: HttpRequest, proxies: int | None) -> str:
    """An address, or for IPv6 the network that one customer has; what a proxy has written instead, if it is neither.

    `proxies` says how many of this site's own a request comes through. With None, a peer that has no public address is
    one.
    """
    peer = request.META.get("REMOTE_ADDR", "")
    forwarded = [each.strip() for each in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if each.strip()]
    if proxies is None:
        direct = _address(peer)
        proxies = 0 if direct is not None and direct.is_global else 1
    address = forwarded[-min(proxies, len(forwarded))] if proxies and forwarded else peer
    found = _address(address)
    if found is None:
        return address or "unknown"
    return str(ipaddress.ip_network((found, 64), strict=False) if found.version == 6 else found)


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
