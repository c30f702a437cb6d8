"""A brake on guessing passwords: so many wrong ones from one client in a while. Counts in Django's cache."""

from __future__ import annotations

from hashlib import sha256

from django.http import HttpRequest

from djintegrate.common import clients, throttling

from . import conf


def is_blocked(request: HttpRequest) -> bool:
    """Whether this client gave too many wrong passwords, and is not even to be heard with a right one."""
    limit = conf.throttle()
    return limit is not None and throttling.seconds_to_wait(_place(request), limit) > 0


def note_wrong(request: HttpRequest) -> None:
    limit = conf.throttle()
    if limit is not None:
        throttling.count(_place(request), limit)


def _place(request: HttpRequest) -> str:
    who = clients.client(request, conf.throttle_proxies())
    return f"jsonrpc-passwords-{sha256(who.encode(errors='surrogatepass')).hexdigest()}"
