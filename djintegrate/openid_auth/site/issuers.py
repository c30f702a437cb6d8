"""How a provider of OpenID Connect is told from an identifier of OpenID 2.0, and is named in an address."""

from __future__ import annotations

from typing import Any

from django.utils.text import slugify


class Issuer(str):
    """A provider of OpenID Connect, as OPENID_PROVIDERS names it; not an identifier of OpenID 2.0."""


def key(entry: dict[str, Any]) -> str:
    """What the addresses of an entry with an issuer have in them."""
    named: str = entry.get("key") or slugify(entry["name"])
    return named
