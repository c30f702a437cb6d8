"""A brake on what one client may make this site do: begin sign-ins, and complete them. Counts in Django's cache."""

from __future__ import annotations

from django.http import HttpRequest

from djintegrate.common import clients, throttling

from ..conf import config
from ..fields import digest_of


def seconds_to_wait(request: HttpRequest, what: str = "begin") -> int:
    """0 if this client may do `what` once more now, which counts."""
    limit = config.login_throttle
    if limit is None:
        return 0
    place = _place(request, what)
    return throttling.seconds_to_wait(place, limit) or throttling.count(place, limit)


def has_used_up(request: HttpRequest, what: str) -> bool:
    """Whether this client may not do `what` any more for now. Asking does not count."""
    limit = config.login_throttle
    return limit is not None and throttling.seconds_to_wait(_place(request, what), limit) > 0


def _place(request: HttpRequest, what: str) -> str:
    return f"openid-{what}-{digest_of(client(request))}"


def client(request: HttpRequest) -> str:
    """Who asks, as far as counting goes."""
    return clients.client(request, config.throttle_proxies)
