"""What a provider says of itself, and the keys that it signs with; kept in Django's cache for an hour.

Keys change, with a new name, under the old one, or without any. What those that are kept have not signed is looked at
with those of now, but no more often than twice a minute for each issuer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from openid.fetchers import HTTPFetcher

from ..fields import digest_of
from ..site.fetcher import FetchRefused, parse
from .clients import Client
from .transport import Unusable, fetch_object

KEPT = 60 * 60
AGAIN = 30
MAX_KEYS = 100
WELL_KNOWN = ".well-known/openid-configuration"
REQUIRED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
OPTIONAL = ("userinfo_endpoint", "end_session_endpoint")


@dataclass(frozen=True)
class Provider:
    """A provider as its own configuration describes it."""

    issuer: str
    addresses: dict[str, str]
    names_itself: bool
    """Whether it puts its issuer into the answer that the browser brings (RFC 9207)."""

    def address(self, name: str) -> str:
        """One of its endpoints; nothing if it has none of that name."""
        return self.addresses.get(name, "")


def provider_of(client: Client, fetcher: HTTPFetcher) -> Provider:
    """The client's provider; Unusable, or an error of the fetcher's, if it does not describe itself well."""
    place = f"openid-connect-provider-{digest_of(client.issuer)}"
    found = cache.get(place)
    if found is None:
        found = describe(client.issuer, fetcher)
        cache.set(place, found, KEPT)
    return Provider(client.issuer, found["addresses"], found["names_itself"])


def describe(issuer: str, fetcher: HTTPFetcher) -> dict[str, Any]:
    """What the provider says of itself now; raises as `provider_of` does."""
    _check_issuer(issuer)
    return _checked(issuer, fetch_object(fetcher, f"{issuer.rstrip('/')}/{WELL_KNOWN}"))


def keys_of(provider: Provider, fetcher: HTTPFetcher, kid: str | None) -> Iterator[list[dict[str, Any]]]:
    """The provider's keys that have this `kid`, or all of them if a token names none.

    First those that are kept. Who asks for more gets those of now, where they are others and it is time to look.
    """
    place = f"openid-connect-keys-{digest_of(provider.issuer)}"
    kept = cache.get(place)
    if kept is None:
        yield _named(_read(provider, fetcher, place), kid)
        return
    yield _named(kept, kid)
    if cache.add(f"{place}-again", 1, AGAIN) and (read := _read(provider, fetcher, place)) != kept:
        yield _named(read, kid)


def _named(keys: list[dict[str, Any]], kid: str | None) -> list[dict[str, Any]]:
    return [key for key in keys if kid is None or key.get("kid") == kid]


def _read(provider: Provider, fetcher: HTTPFetcher, place: str) -> list[dict[str, Any]]:
    listed = fetch_object(fetcher, provider.address("jwks_uri")).get("keys")
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise Unusable(f"its keys are not a list of {MAX_KEYS} at most")
    keys = [key for key in listed if isinstance(key, dict) and key.get("use", "sig") == "sig"]
    cache.set(place, keys, KEPT)
    return keys


def _checked(issuer: str, described: dict[str, Any]) -> dict[str, Any]:
    if described.get("issuer") != issuer:
        raise Unusable(f"it says that its issuer is {str(described.get('issuer'))[:200]!r}")
    addresses = {name: described[name] for name in (*REQUIRED, *OPTIONAL) if described.get(name)}
    for name in REQUIRED:
        if name not in addresses:
            raise Unusable(f"it has no {name}")
    for name, address in addresses.items():
        _check_address(issuer, name, address)
    names_itself = described.get("authorization_response_iss_parameter_supported") is True
    return {"addresses": addresses, "names_itself": names_itself}


def _check_issuer(issuer: str) -> None:
    """Whether what comes from there is the issuer's: without https, whoever is on the way may have written it."""
    try:
        target = parse(issuer)
    except (FetchRefused, ValueError) as error:
        raise Unusable(f"the issuer {issuer[:200]!r} is no address of the web") from error
    if target.scheme != "https" and not target.allowed_by_setting:
        raise Unusable(
            f"the issuer {issuer[:200]!r} has no https. If it is a provider to try out, OPENID_FETCH_ALLOWED_HOSTS may "
            f"name {target.host_and_port!r}"
        )


def _check_address(issuer: str, name: str, address: Any) -> None:
    try:
        target = parse(str(address))
    except (FetchRefused, ValueError) as error:
        raise Unusable(f"its {name} is {str(address)[:200]!r}, which is no address of the web") from error
    if issuer.startswith("https:") and target.scheme != "https":
        raise Unusable(f"its {name} is {address[:200]!r}, where anybody may listen")
    if not isinstance(address, str) or "#" in address:
        raise Unusable(f"its {name} is no text, or has a fragment")
