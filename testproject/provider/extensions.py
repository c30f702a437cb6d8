"""What sites ask of the provider, and what they are told: SREG, AX, PAPE and the Launchpad teams extension.

Written apart from djintegrate.openid_auth, so that each is a check of the other.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from openid.extension import Extension
from openid.extensions import ax, pape, sreg

from .register import Person

TEAMS = "http://ns.launchpad.net/2007/openid-teams"
VERIFIED = "http://ns.login.ubuntu.com/2013/validation/account"
LABELS = {
    "nickname": "Nickname",
    "fullname": "Full name",
    "firstname": "First name",
    "lastname": "Last name",
    "email": "E-mail address",
    "language": "Language",
    "timezone": "Time zone",
    "country": "Country",
    "verified": "Whether the e-mail address was checked",
}
ATTRIBUTES = {
    "http://axschema.org/namePerson/friendly": "nickname",
    "http://axschema.org/namePerson": "fullname",
    "http://axschema.org/namePerson/first": "firstname",
    "http://axschema.org/namePerson/last": "lastname",
    "http://axschema.org/contact/email": "email",
    "http://axschema.org/pref/language": "language",
    "http://axschema.org/pref/timezone": "timezone",
    "http://axschema.org/contact/country/home": "country",
    VERIFIED: "verified",
}


class TeamsResponse(Extension):
    """openid.lp.is_member: those of the teams asked about that the person is in."""

    ns_uri = TEAMS
    ns_alias = "lp"

    def __init__(self, teams: list[str]) -> None:
        self._teams = teams

    def getExtensionArgs(self) -> dict[str, str]:
        return {"is_member": ",".join(self._teams)}


@dataclass
class Asked:
    """What one OpenID request asks for beside the identity."""

    sreg: Any = None
    ax: Any = None
    pape: Any = None
    teams: list[str] | None = None
    values: list[str] = field(default_factory=list)

    @property
    def labels(self) -> list[str]:
        return [LABELS[name] for name in self.values]

    @property
    def security_key(self) -> bool:
        return self.pape is not None and pape.AUTH_MULTI_FACTOR_PHYSICAL in self.pape.preferred_auth_policies


def asked_by(request: Any) -> Asked:
    asked = Asked(pape=pape.Request.fromOpenIDRequest(request))
    fields = sreg.SRegRequest.fromOpenIDRequest(request)
    names: list[str] = []
    if fields.wereFieldsRequested():
        asked.sreg = fields
        names += fields.allRequestedFields()
    # What cannot be read is not answered.
    with suppress(ax.AXError, KeyError):
        asked.ax = ax.FetchRequest.fromOpenIDRequest(request)
    if asked.ax is not None:
        names += [ATTRIBUTES[uri] for uri in asked.ax.requested_attributes if uri in ATTRIBUTES]
    asked.values = [name for name in LABELS if name in names]
    teams = request.message.getArg(TEAMS, "query_membership")
    if teams is not None:
        asked.teams = [team for team in teams.split(",") if team]
    return asked


def answer(asked: Asked, response: Any, person: Person, used_security_key: bool) -> None:
    """Add to a positive `response` what was `asked`."""
    values = _values(person)
    if asked.sreg is not None:
        response.addExtension(sreg.SRegResponse.extractResponse(asked.sreg, values))
    if asked.ax is not None:
        fetched = ax.FetchResponse(request=asked.ax)
        for uri in asked.ax.requested_attributes:
            if uri in ATTRIBUTES and values.get(ATTRIBUTES[uri]):
                fetched.addValue(uri, values[ATTRIBUTES[uri]])
        response.addExtension(fetched)
    if asked.teams is not None:
        response.addExtension(TeamsResponse([team for team in asked.teams if team in person.teams]))
    if asked.pape is not None:
        policies = [pape.AUTH_MULTI_FACTOR_PHYSICAL] if used_security_key else []
        response.addExtension(pape.Response(auth_policies=policies))


def _values(person: Person) -> dict[str, str]:
    first, _, last = person.fullname.partition(" ")
    values = {name: getattr(person, name) for name in ("nickname", "fullname", "email", "language", "timezone")}
    verified = "token_via_email" if person.verified else ""
    return values | {"country": person.country, "firstname": first, "lastname": last, "verified": verified}
