"""What a provider says about a person: asking for it by SREG, AX and PAPE, and reading what is signed of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from openid.consumer.consumer import AuthRequest, SuccessResponse
from openid.extensions import ax, pape, sreg

from ..conf import config
from ..protocol.signed import signed_values
from ..site.text import clean
from .address import Address
from .vouched import Vouched

VERIFIED = "http://ns.login.ubuntu.com/2013/validation/account"
# The names of an old draft, which some providers use, come first, so that the common names win.
AX_NAMES = {
    "email": ("http://schema.openid.net/contact/email", "http://axschema.org/contact/email"),
    "fullname": ("http://schema.openid.net/namePerson", "http://axschema.org/namePerson"),
    "first_name": ("http://axschema.org/namePerson/first",),
    "last_name": ("http://axschema.org/namePerson/last",),
    "nickname": ("http://schema.openid.net/namePerson/friendly", "http://axschema.org/namePerson/friendly"),
}
AX_ALIASES = {
    "http://axschema.org/contact/email": "email",
    "http://axschema.org/namePerson": "fullname",
    "http://axschema.org/namePerson/first": "firstname",
    "http://axschema.org/namePerson/last": "lastname",
    "http://axschema.org/namePerson/friendly": "nickname",
    "http://schema.openid.net/contact/email": "old_email",
    "http://schema.openid.net/namePerson": "old_fullname",
    "http://schema.openid.net/namePerson/friendly": "old_nickname",
}
SREG_FIELDS = ("email", "fullname", "nickname")


class Details(TypedDict, total=False):
    """Texts, or None where nothing was said. Further SREG fields stand under their own names."""

    email: str | None
    nickname: str | None
    fullname: str | None
    first_name: str | None
    last_name: str | None
    account_verified: bool


def ask(request: AuthRequest) -> None:
    """Add to `request` what the settings want to know."""
    if request.endpoint.supportsType(ax.AXMessage.ns_uri):
        fetch = ax.FetchRequest()
        # Each attribute is asked for as required, for there are providers that leave out what is optional.
        for uri, alias in AX_ALIASES.items():
            fetch.add(ax.AttrInfo(uri, alias=alias, required=True))
        if valid_schemes(request.endpoint.server_url):
            fetch.add(ax.AttrInfo(VERIFIED, alias="account_verified", required=True))
        request.addExtension(fetch)
    else:
        required = list(config.sreg_required_fields)
        optional = [name for name in (*SREG_FIELDS, *config.sreg_extra_fields) if name not in required]
        request.addExtension(sreg.SRegRequest(optional=optional, required=required))
    if config.physical_multifactor_required:
        request.addExtension(pape.Request(preferred_auth_policies=[pape.AUTH_MULTI_FACTOR_PHYSICAL]))


def read(response: Any) -> Details:
    """What a verified response says of the person, fit to be stored."""
    if isinstance(response, Vouched):
        address = response.address
        return _tidy(response.values, address, address is not None and address.is_verified)
    values = _signed(response)
    verified = _attributes(response).get(VERIFIED, "no") in valid_schemes(_provider(response))
    return _tidy(values, Address.said(values["email"]), verified)


def _signed(response: SuccessResponse) -> dict[str, str | None]:
    values: dict[str, str | None] = dict.fromkeys((*AX_NAMES,))
    simple = signed_values(response, sreg.ns_uri_1_1) or signed_values(response, sreg.ns_uri_1_0)
    values.update({name: simple[name] for name in sreg.data_fields if name in simple})
    exchanged = _attributes(response)
    for name, uris in AX_NAMES.items():
        for uri in uris:
            values[name] = exchanged.get(uri) or values[name]
    return values


def _provider(response: SuccessResponse) -> str:
    url: str = response.endpoint.server_url
    return url


def _tidy(values: Mapping[str, str | None], address: Address | None, is_verified: bool) -> Details:
    cleaned: Any = dict.fromkeys(AX_NAMES) | {name: clean(value) for name, value in values.items()}
    cleaned["email"] = None if address is None else address.text
    if cleaned["fullname"] and not (cleaned["first_name"] or cleaned["last_name"]):
        first, _, last = cleaned["fullname"].rpartition(" ")
        cleaned["first_name"], cleaned["last_name"] = first.strip(), last
    if "fullname" not in (*config.sreg_required_fields, *config.sreg_extra_fields):
        del cleaned["fullname"]  # As django-openid-auth has it: what it was split into is there.
    cleaned["account_verified"] = is_verified
    details: Details = cleaned
    return details


def valid_schemes(server_url: str) -> Any:
    """The ways to verify an account for which the settings take this provider's word."""
    schemes = config.verification_schemes
    return schemes.get(server_url, schemes.get(None, ()))


def used_physical_multifactor(response: Any) -> bool:
    if isinstance(response, Vouched):
        return response.physical_multifactor
    policies = signed_values(response, pape.ns_uri).get("auth_policies", "")
    return pape.AUTH_MULTI_FACTOR_PHYSICAL in policies.split()


def _attributes(response: SuccessResponse) -> Mapping[str, str]:
    """The first value of each attribute."""
    fetched = ax.FetchResponse()
    try:
        fetched.parseExtensionArgs(signed_values(response, ax.AXMessage.ns_uri))
    except (ax.AXError, ax.NotAXMessage, KeyError, ValueError, AssertionError):
        return {}
    return {uri: values[0] for uri, values in fetched.data.items() if values}
