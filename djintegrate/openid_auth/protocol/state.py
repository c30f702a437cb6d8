"""What a browser remembers of a sign-in by OpenID 2.0 that was begun."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from openid.consumer.discover import OpenIDServiceEndpoint

from ..site.begun import Begun as Entries

PARAMETER = "openid_state"
"""What carries the token in return_to."""
ENDPOINT_FIELDS = ("server_url", "claimed_id", "local_id", "display_identifier")


@dataclass(frozen=True)
class Begun:
    """One sign-in on its way: where it was sent, and what for."""

    endpoint: OpenIDServiceEndpoint
    asked: str
    """The identifier that was given, or the single sign-on server's."""
    purpose: str = "login"
    user: str = ""
    """For the purpose "add": the primary key of who is to own the identity."""


class BegunRequests:
    def __init__(self, entries: Entries) -> None:
        self._entries = entries

    def add(self, begun: Begun) -> str:
        """The token of the sign-in, which is now remembered."""
        endpoint = begun.endpoint
        fields = {name: getattr(endpoint, name) for name in ENDPOINT_FIELDS}
        return self._entries.add({**asdict(begun), "endpoint": {**fields, "types": _types(endpoint)}})

    def take(self, token: str | None) -> Begun | None:
        """The sign-in that `token` stands for, which is now forgotten."""
        entry = self._entries.take(token)
        try:
            return None if entry is None else _loaded(entry)
        except (KeyError, TypeError, AttributeError):
            return None


def _types(endpoint: OpenIDServiceEndpoint) -> list[str]:
    return [uri for uri in OpenIDServiceEndpoint.openid_type_uris if uri in endpoint.type_uris]


def _loaded(entry: dict[str, Any]) -> Begun:
    endpoint = OpenIDServiceEndpoint()
    for name in ENDPOINT_FIELDS:
        setattr(endpoint, name, entry["endpoint"][name])
    endpoint.type_uris = list(entry["endpoint"]["types"])
    return Begun(endpoint, entry["asked"], entry["purpose"], entry["user"])
