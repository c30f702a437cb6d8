"""Where a browser may be sent after a sign-in: to this site, and to hosts that the settings name."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from ..conf import config

# Browsers drop tabs and line ends from an address, and take a backslash for a slash.
DANGEROUS = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ufeff\ud800-\udfff]")

MAX_LENGTH = 1500
"""The address travels inside of return_to, which has to fit into an address itself."""


def sanitise_redirect_url(redirect_to: str | None) -> str:
    """`redirect_to` if it is safe, and LOGIN_REDIRECT_URL if it is not."""
    if redirect_to and is_valid_next_url(redirect_to):
        return redirect_to
    return resolve_url(settings.LOGIN_REDIRECT_URL)


def is_valid_next_url(address: str) -> bool:
    if len(address) > MAX_LENGTH or DANGEROUS.search(address):
        return False
    try:
        parts = urlsplit(address)
        allowed = {parts.netloc} if _names_allowed_host(parts.netloc) else set()
    except ValueError:
        return False
    # Two slashes at the beginning of a path, even behind dots, may be taken for the beginning of a host.
    if not parts.netloc and re.match(r"(?:/|%2f|\.|%2e)*(?:/|%2f){2}", address, re.IGNORECASE):
        return False
    return url_has_allowed_host_and_scheme(address, allowed_hosts=allowed)


def _names_allowed_host(netloc: str) -> bool:
    host, _, port = netloc.partition(":")
    return host in config.redirect_domains and (port == "" or (port.isascii() and port.isdigit()))
