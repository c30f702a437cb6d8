"""Which network addresses a discovery may reach: those of the public internet, and no others.

Judges addresses that a name was resolved to, never the name: decimal, octal and other forms all end up here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

NAT64 = ipaddress.ip_network("64:ff9b::/96")
COMPATIBLE = ipaddress.ip_network("::/96")
REFUSED = [
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",  # A cloud's metadata service, though the address is a public one.
        "64:ff9b:1::/48",
        "192.88.99.0/24",
        "fec0::/10",
    )
]


def is_public(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return "%" not in text and all(_is_public(each) for each in _meant(address))


def _meant(address: Address) -> Iterator[Address]:
    """`address`, and the IPv4 addresses that it is another way to write."""
    if address.version == 4:
        yield address
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
        return
    yield address
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in NAT64 or address in COMPATIBLE:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _is_public(address: Address) -> bool:
    return (
        address.is_global
        and not (address.is_multicast or address.is_unspecified or address.is_loopback or address.is_link_local)
        and not (address.is_reserved and address not in NAT64)
        and not any(address in network for network in REFUSED if network.version == address.version)
    )
