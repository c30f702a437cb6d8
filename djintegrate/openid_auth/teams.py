"""The Launchpad teams extension: asking for memberships, and reading the answer.

A request holds `query_membership`, an answer `is_member`: names of teams, separated by commas. Needs no Django.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from openid.consumer.consumer import SuccessResponse
from openid.extension import Extension
from openid.message import Message, NamespaceAliasRegistrationError, registerNamespaceAlias

from .protocol.signed import signed_values

__all__ = ["TeamsNamespaceError", "TeamsRequest", "TeamsResponse", "getTeamsNS", "ns_uri", "supportsTeams"]

ns_uri = "http://ns.launchpad.net/2007/openid-teams"

# OpenID 1 has no declarations of namespaces: there the alias alone says which extension is meant.
with contextlib.suppress(NamespaceAliasRegistrationError):
    registerNamespaceAlias(ns_uri, "lp")


class TeamsNamespaceError(ValueError):
    """The alias `lp` means something else in this message."""


def supportsTeams(endpoint: Any) -> bool:
    """Whether discovery said that the endpoint knows the extension."""
    return bool(endpoint.usesExtension(ns_uri))


def getTeamsNS(message: Message) -> str:
    """The extension's namespace, made known to `message` if it was not."""
    if message.namespaces.getAlias(ns_uri) is None:
        try:
            message.namespaces.addAlias(ns_uri, "lp")
        except KeyError as error:
            raise TeamsNamespaceError(str(error)) from error
    return ns_uri


class TeamsRequest(Extension):
    """Asks whether the person is in the teams of `query_membership`."""

    ns_alias = "lp"

    def __init__(self, query_membership: Iterable[str] | None = None, lp_ns_uri: str = ns_uri) -> None:
        super().__init__()
        self.ns_uri = lp_ns_uri
        self.query_membership: list[str] = []
        if query_membership:
            self.requestTeams(query_membership)

    @classmethod
    def fromOpenIDRequest(cls, request: Any) -> TeamsRequest:
        """What a provider was asked in `request`."""
        asked = cls()
        message = request.message.copy()
        asked.ns_uri = getTeamsNS(message)
        asked.parseExtensionArgs(message.getArgs(asked.ns_uri))
        return asked

    def parseExtensionArgs(self, args: Mapping[str, str], strict: bool = False) -> None:
        for team in _split(args.get("query_membership")):
            self.requestTeam(team, strict)

    def getExtensionArgs(self) -> dict[str, str]:
        return {"query_membership": ",".join(self.query_membership)} if self.query_membership else {}

    def allRequestedTeams(self) -> list[str]:
        return self.query_membership

    def wereTeamsRequested(self) -> bool:
        return bool(self.query_membership)

    def __contains__(self, team_name: str) -> bool:
        return team_name in self.query_membership

    def requestTeam(self, team_name: str, strict: bool = False) -> None:
        if team_name not in self.query_membership:
            self.query_membership.append(team_name)
        elif strict:
            raise ValueError(f"The team {team_name!r} has already been requested.")

    def requestTeams(self, query_membership: Iterable[str], strict: bool = False) -> None:
        if isinstance(query_membership, str):
            raise TypeError(f"query_membership is {query_membership!r}. Make it a list of team names.")
        for team_name in query_membership:
            self.requestTeam(team_name, strict)


class TeamsResponse(Extension):
    """Says that the person is in the teams of `is_member`."""

    ns_alias = "lp"

    def __init__(self, is_member: Iterable[str] | None = None, lp_ns_uri: str = ns_uri) -> None:
        super().__init__()
        self.ns_uri = lp_ns_uri
        self.is_member: list[str] = list(is_member or ())

    @classmethod
    def extractResponse(cls, request: TeamsRequest, is_member_str: str) -> TeamsResponse:
        """A provider's answer to `request`."""
        return cls(_split(is_member_str), request.ns_uri)

    @classmethod
    def fromSuccessResponse(cls, success_response: SuccessResponse, signed_only: bool = True) -> TeamsResponse:
        """What an answer claims; without any, or with none that is signed, nothing."""
        message = success_response.message
        values = signed_values(success_response, ns_uri) if signed_only else message.getArgs(ns_uri)
        return cls(_split(values.get("is_member")))

    def addTeam(self, team_name: str) -> None:
        if team_name not in self.is_member:
            self.is_member.append(team_name)

    def getExtensionArgs(self) -> dict[str, str]:
        return {"is_member": ",".join(self.is_member)}


def _split(names: str | None) -> list[str]:
    return [name for name in (names or "").split(",") if name]
