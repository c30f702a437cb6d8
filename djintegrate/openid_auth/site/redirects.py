"""Where a browser may be sent after a sign-in: to this site, and to hosts that the settings name."""

from __future__ import annotations

import logging
import re
from urllib.parse import urlsplit

from django.conf import settings
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, get_script_prefix
from django.utils.http import url_has_allowed_host_and_scheme

from ..conf import config

logger = logging.getLogger("djintegrate.openid_auth")

# Browsers drop tabs and line ends from an address, and take a backslash for a slash.
DANGEROUS = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ufeff\ud800-\udfff]")

MAX_LENGTH = 4000
"""More than the first line of a request may have with common servers."""
MAX_IN_COOKIE = 2000
"""With OpenID Connect the address is kept in a cookie, which may have 4,096 bytes with all else that is in it."""
MAX_IN_RETURN_TO = 1500
"""With OpenID 2.0 the address travels inside of return_to, which has to fit into an address itself."""


def sanitise_redirect_url(redirect_to: str | None) -> str:
    """`redirect_to` if it is safe, and LOGIN_REDIRECT_URL if it is not."""
    if redirect_to and is_valid_next_url(redirect_to):
        return quoted(redirect_to)
    return page_of("LOGIN_REDIRECT_URL")


def to_be_kept(address: str, longest: int = MAX_LENGTH) -> str:
    """`address` as it is kept until the sign-in has ended; nothing, and a line in the log, if it cannot be."""
    if not address:
        return ""
    if len(quoted(address)) > longest:
        logger.warning("next is dropped: it has %d letters, and at most %d are kept", len(quoted(address)), longest)
    elif not is_valid_next_url(address):
        logger.warning("next is dropped: %.200r does not lead to a page of this site", address)
    else:
        return quoted(address)
    return ""


def quoted(address: str) -> str:
    """As Django's own login has it: a space is written as such."""
    return address.replace(" ", "%20")


def page_of(name: str) -> str:
    """Where this setting leads. To the front page if it names nothing: that undoes no sign-in that has succeeded."""
    value = getattr(settings, name)
    try:
        address = resolve_url(value or "")
        if _is_whole(address):
            return address
    except NoReverseMatch:
        pass
    logger.error("%s is %r, which names no page: going to the front page instead.", name, str(value)[:200])
    return get_script_prefix()


def is_valid_next_url(address: str) -> bool:
    # A space within is quoted before a browser sees it; but what would lead elsewhere without it is refused as well.
    if address.strip(" ") != address:
        return False
    return _is_valid(quoted(address)) and _is_valid(address.replace(" ", ""))


def _is_valid(address: str) -> bool:
    if len(address) > MAX_LENGTH or DANGEROUS.search(address):
        return False
    try:
        parts = urlsplit(address)
        allowed = {parts.netloc} if _names_allowed_host(parts.netloc) else set()
    except ValueError:
        return False
    if not _is_whole(address):
        return False
    # Two slashes at the beginning of a path, even behind dots, may be taken for the beginning of a host.
    if not parts.netloc and re.match(r"(?:/|%2f|\.|%2e)*(?:/|%2f){2}", address, re.IGNORECASE):
        return False
    return url_has_allowed_host_and_scheme(address, allowed_hosts=allowed)


def _is_whole(address: str) -> bool:
    """Whether it means the same on every page: another is sought below the page that takes the provider's answer."""
    return address.startswith("/") or bool(urlsplit(address).netloc)


def _names_allowed_host(netloc: str) -> bool:
    host, _, port = netloc.partition(":")
    return host in config.redirect_domains and (port == "" or (port.isascii() and port.isdigit()))
