"""The macaroon extension of Launchpad and Ubuntu One: asking for the discharge of a caveat, and reading the discharge.

A request holds `caveat_id`, an answer `discharge`: a serialized macaroon. Needs no Django.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from openid.consumer.consumer import SuccessResponse
from openid.extension import Extension
from openid.message import Message, NamespaceAliasRegistrationError, registerNamespaceAlias

from .protocol.signed import signed_values

__all__ = ["MacaroonNamespaceError", "MacaroonRequest", "MacaroonResponse", "getMacaroonNS", "ns_uri"]

ns_uri = "http://ns.login.ubuntu.com/2016/openid-macaroon"

with contextlib.suppress(NamespaceAliasRegistrationError):
    registerNamespaceAlias(ns_uri, "macaroon")


class MacaroonNamespaceError(ValueError):
    """The alias `macaroon` means something else in this message."""


def getMacaroonNS(message: Message) -> str:
    """The extension's namespace, made known to `message` if it was not."""
    if message.namespaces.getAlias(ns_uri) is None:
        try:
            message.namespaces.addAlias(ns_uri, "macaroon")
        except KeyError as error:
            raise MacaroonNamespaceError(str(error)) from error
    return ns_uri


class MacaroonRequest(Extension):
    """Asks the provider to discharge the caveat `caveat_id`, which a service addressed to it."""

    ns_alias = "macaroon"

    def __init__(self, caveat_id: str | None = None, macaroon_ns_uri: str = ns_uri) -> None:
        super().__init__()
        self.ns_uri = macaroon_ns_uri
        self.caveat_id = caveat_id

    @classmethod
    def fromOpenIDRequest(cls, request: Any) -> MacaroonRequest:
        """What a provider was asked in `request`."""
        asked = cls()
        message = request.message.copy()
        asked.ns_uri = getMacaroonNS(message)
        asked.parseExtensionArgs(message.getArgs(asked.ns_uri))
        return asked

    def parseExtensionArgs(self, args: Mapping[str, str], strict: bool = False) -> None:
        self.caveat_id = args.get("caveat_id")

    def getExtensionArgs(self) -> dict[str, str]:
        return {"caveat_id": self.caveat_id} if self.caveat_id else {}


class MacaroonResponse(Extension):
    """Holds the macaroon that discharges the caveat, serialized, or None."""

    ns_alias = "macaroon"

    def __init__(self, discharge_macaroon_raw: str | None = None, macaroon_ns_uri: str = ns_uri) -> None:
        super().__init__()
        self.ns_uri = macaroon_ns_uri
        self.discharge_macaroon_raw = discharge_macaroon_raw

    @classmethod
    def extractResponse(cls, request: MacaroonRequest, discharge_macaroon_raw: str) -> MacaroonResponse:
        """A provider's answer to `request`."""
        return cls(discharge_macaroon_raw, request.ns_uri)

    @classmethod
    def fromSuccessResponse(cls, success_response: SuccessResponse, signed_only: bool = True) -> MacaroonResponse:
        """The discharge in an answer; without any, or with one that is not signed, None in it."""
        message = success_response.message
        values = signed_values(success_response, ns_uri) if signed_only else message.getArgs(ns_uri)
        return cls(values.get("discharge"))

    def getExtensionArgs(self) -> dict[str, str]:
        return {"discharge": self.discharge_macaroon_raw} if self.discharge_macaroon_raw else {}
