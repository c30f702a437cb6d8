"""Which network addresses a discovery may reach: those of the public internet, and no others.

Judges addresses that a name was resolved to, never the name: decimal, octal and other forms all end up here. Asks
nothing of `ipaddress` but arithmetic, since what that module takes for global differs between Python's releases.
"""

from __future__ import annotations

import ipaddress

from .special_purpose import IPV4_NETWORKS, IPV6_NETWORKS

MULTICAST = ipaddress.IPv4Network("224.0.0.0/4")
METADATA = ipaddress.IPv4Network("168.63.129.16/32")
"""A cloud's metadata service, on an address that belongs to no special range."""
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that has ever been given to anybody."""
MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""NAT64: how a host without IPv4 sees one that has nothing else."""


def is_public(text: str) -> bool:
    """Whether the address is one of the public internet. One with a zone ("%eth0") never is."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return _is_public_v4(address)
    if getattr(address, "scope_id", None):
        return False
    if address in MAPPED or address in TRANSLATED:
        # A connection to either goes to the IPv4 address in its last 32 bits.
        return _is_public_v4(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address in GLOBAL_UNICAST and not any(address in network for network in IPV6_NETWORKS)


def _is_public_v4(address: ipaddress.IPv4Address) -> bool:
    return not any(address in network for network in (*IPV4_NETWORKS, MULTICAST, METADATA))
