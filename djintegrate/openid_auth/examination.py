"""What the doctor is told of the sign-in: whether the providers that the settings name can be found."""

from __future__ import annotations

from collections.abc import Iterator

from openid.consumer.discover import DiscoveryFailure

from djintegrate.common.examination import Finding, ill

from .conf import config
from .protocol.discovery import discover
from .site.egress import make_fetcher


def examine() -> Iterator[Finding]:
    addresses = {config.sso_server_url} if config.sso_server_url else {provider["url"] for provider in config.providers}
    for address in sorted(filter(None, addresses)):
        try:
            _, endpoints = discover(address, make_fetcher())
        except DiscoveryFailure as error:
            yield ill("sign-in", error, "See whether this machine may reach that address, and whether it is right.")
        else:
            yield Finding("sign-in", f"{address} names {endpoints[0].server_url}.")
    if not addresses:
        yield Finding("sign-in", "No provider is named: people write their own OpenID.")
