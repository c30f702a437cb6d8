"""From the claims of an issuer to what this app knows of a person. A claim of a wrong type is as good as none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..people.details import clean
from ..people.vouched import Vouched
from .clients import Client

VALUES = {
    "nickname": ("preferred_username", "nickname"),
    "fullname": ("name",),
    "first_name": ("given_name",),
    "last_name": ("family_name",),
    "email": ("email",),
    "gender": ("gender",),
    "dob": ("birthdate",),
    "timezone": ("zoneinfo",),
    "language": ("locale",),
}
"""By the names of simple registration, in which the settings ask for what they require."""
MAX_GROUPS = 10_000
MAX_GROUP = 255
HARDWARE = frozenset({"hwk"})
"""Of `amr` (RFC 8176): a key in hardware."""
PHISHING_RESISTANT_HARDWARE = "phrh"
"""Of `acr`."""


def vouched(claims: Mapping[str, Any], client: Client) -> Vouched:
    """`claims` are verified."""
    values = {name: _text(claims, *sources) for name, sources in VALUES.items()}
    verified = client.trust_email and claims.get("email_verified") is True and bool(values["email"])
    shown = clean(values["nickname"]) or clean(values["email"]) or claims["sub"]
    return Vouched(
        issuer=client.issuer,
        subject=claims["sub"],
        display_id=f"{shown} ({client.name})",
        values=values,
        claims={**claims, "email_verified": verified},
        teams=tuple(_groups(claims.get(client.groups_claim))) if client.trust_groups else (),
        trusted_with_teams=client.trust_groups,
        address_is_verified=verified,
        physical_multifactor=_is_physical(claims),
        provider_session=_text(claims, "sid") or "",
    )


def _text(claims: Mapping[str, Any], *names: str) -> str | None:
    for name in names:
        value = claims.get(name)
        if isinstance(value, str) and value.strip():
            return value.encode("utf-8", "replace").decode()
    return None


def _groups(value: Any) -> Iterable[str]:
    listed = value if isinstance(value, list) else [value]
    return dict.fromkeys(name for name in listed[:MAX_GROUPS] if isinstance(name, str) and 0 < len(name) <= MAX_GROUP)


def _is_physical(claims: Mapping[str, Any]) -> bool:
    methods = claims.get("amr")
    used = {each for each in methods if isinstance(each, str)} if isinstance(methods, list) else set()
    return not HARDWARE.isdisjoint(used) or claims.get("acr") == PHISHING_RESISTANT_HARDWARE
