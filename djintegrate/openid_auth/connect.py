"""The door to OpenID Connect: nothing of `oidc`, which needs the extra [oidc], is imported before it is needed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from django.http import HttpRequest, HttpResponse
from openid.fetchers import HTTPFetcher

from .site.fetcher import FetchRefused, parse
from .site.issuers import key

DESCRIPTION = "/.well-known/openid-configuration"
NEEDED = ("authlib", "joserfc", "requests")


def is_installed() -> bool:
    """Whether the extra is there."""
    return all(find_spec(name) is not None for name in NEEDED)


def mistakes(entry: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with an entry with an issuer, and what to do about it. The network is not asked."""
    issuer, method = entry["issuer"], entry.get("auth_method", "")
    try:
        target = parse(issuer)
    except (FetchRefused, ValueError):
        yield f"its issuer is {issuer!r}, which is no address.", "Write it as the provider does, with https://"
    else:
        if issuer.rstrip("/").endswith(DESCRIPTION):
            yield (
                f"its issuer is {issuer!r}, the address of the issuer's description.",
                f"Write the issuer itself, {issuer.rstrip('/').removesuffix(DESCRIPTION)!r}, perhaps with a slash at "
                "the end: as the description has it.",
            )
        if "?" in issuer or "#" in issuer:
            yield f"its issuer is {issuer!r}, and an issuer ends with its path.", "Leave out what comes after."
        if target.scheme != "https" and not target.allowed_by_setting:
            yield (
                f"its issuer is {issuer!r}, where anybody may listen.",
                "Use https, or name a provider to try out in OPENID_FETCH_ALLOWED_HOSTS.",
            )
    if not key(entry):
        yield "its name has no letter that an address may have.", 'Add a "key" of letters, digits and hyphens.'
    if "openid" not in entry.get("scope", "openid").split():
        yield f"its scope is {entry['scope']!r}, without openid.", 'Make it "openid email profile", say.'
    if method == "private_key_jwt" and "private_key" not in entry:
        yield "it has no private_key.", "Add the key, or take another auth_method."
    if method.startswith("client_secret") and not entry.get("client_secret"):
        yield "it has no client_secret.", "Add the secret that the provider gave you, or take another auth_method."
    if not method and not entry.get("client_secret") and "private_key" not in entry:
        yield (
            "it has neither a client_secret nor a private_key.",
            'Add one; for a client that has none, say "auth_method": "none".',
        )


def unreadable(entry: dict[str, Any]) -> str:
    """Why the private key of an entry cannot be used; nothing if it can. The key itself is not shown."""
    from .oidc.clients import read_key

    try:
        read_key(entry["private_key"])
    except Exception as error:
        # cryptography and joserfc have no common class for it.
        return type(error).__name__
    return ""


def undescribed(issuer: str, fetcher: HTTPFetcher) -> str:
    """Why the issuer's own description cannot be used; nothing if it can."""
    from .oidc.discovery import describe
    from .oidc.transport import Unusable

    try:
        describe(issuer, fetcher)
    except Unusable as error:
        return str(getattr(error.__cause__, "why", None) or error)
    return ""


def begin(
    request: HttpRequest, issuer: str, purpose: str = "login", following: str = "", render_failure: Any = None
) -> HttpResponse | None:
    """Send the browser to the issuer. None if a session that is to be checked again cannot be, for now."""
    from .oidc.views import begin

    return begin(request, issuer, purpose, following, render_failure)


async def abegin(
    request: HttpRequest, issuer: str, purpose: str = "login", following: str = "", render_failure: Any = None
) -> HttpResponse | None:
    """As `begin`."""
    from .oidc.views import abegin

    return await abegin(request, issuer, purpose, following, render_failure)
