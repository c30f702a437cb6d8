"""From the claims of an issuer to what this app knows of a person. A claim of a wrong type is as good as none."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from djintegrate.common.texts import kept

from ..people.address import Address
from ..people.vouched import Vouched
from ..site.text import clean
from .clients import Client

logger = logging.getLogger("djintegrate.openid_auth")

VALUES = {
    "nickname": ("preferred_username", "nickname"),
    "fullname": ("name",),
    "first_name": ("given_name",),
    "last_name": ("family_name",),
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


def vouched(token: Mapping[str, Any], userinfo: Mapping[str, Any], client: Client) -> Vouched:
    """`token` is what the ID token says, and wins; `userinfo` says more of the same person. Both are verified."""
    address = _address(token, userinfo, client)
    claims = kept({**userinfo, **token, "email_verified": address is not None and address.is_verified})
    if address is not None:
        claims["email"] = address.text
    values = {name: _text({**userinfo, **token}, *sources) for name, sources in VALUES.items()}
    shown = values["nickname"] or (address.text if address else claims["sub"])
    return Vouched(
        issuer=client.issuer,
        subject=claims["sub"],
        display_id=f"{shown} ({client.name})",
        values=values,
        claims=claims,
        address=address,
        teams=tuple(_groups(claims.get(client.groups_claim), client)) if client.trust_groups else (),
        trusted_with_teams=client.trust_groups,
        physical_multifactor=_is_physical(claims),
        provider_session=claims["sid"] if isinstance(claims.get("sid"), str) else "",
    )


def _address(token: Mapping[str, Any], userinfo: Mapping[str, Any], client: Client) -> Address | None:
    """The one that the token says, or else the userinfo: with what the same of the two says of its verification.

    Of an address that both say, the userinfo may say what the token leaves out.
    """
    first, second = (
        Address.said(said.get("email"), client.trust_email and said.get("email_verified") is True)
        for said in (token, userinfo)
    )
    if first is None:
        return second
    is_the_same = second is not None and second.text == first.text
    return second if is_the_same and "email_verified" not in token else first


def _text(claims: Mapping[str, Any], *names: str) -> str | None:
    """The first that has anything to show."""
    for name in names:
        value = claims.get(name)
        if isinstance(value, str) and (text := clean(value)):
            return text
    return None


def _groups(value: Any, client: Client) -> Iterable[str]:
    listed = [] if value is None else value if isinstance(value, list) else [value]
    if len(listed) > MAX_GROUPS:
        logger.warning(
            "%.200r says %d groups in the claim %.100r: those after the first %d do not count",
            client.issuer, len(listed), client.groups_claim, MAX_GROUPS,
        )  # fmt: skip
    unfit = [each for each in listed[:MAX_GROUPS] if not _is_name(each)]
    if unfit:
        logger.warning(
            "%.200r says in the claim %.100r what is no name of a group, and does not count: %.100r, for one. It "
            "has to be a list of names, or one name, each of at most %d letters",
            client.issuer, client.groups_claim, unfit[0], MAX_GROUP,
        )  # fmt: skip
    return dict.fromkeys(each for each in listed[:MAX_GROUPS] if _is_name(each))


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_GROUP


def _is_physical(claims: Mapping[str, Any]) -> bool:
    methods = claims.get("amr")
    used = {each for each in methods if isinstance(each, str)} if isinstance(methods, list) else set()
    return not HARDWARE.isdisjoint(used) or claims.get("acr") == PHISHING_RESISTANT_HARDWARE
