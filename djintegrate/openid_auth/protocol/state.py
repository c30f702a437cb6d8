"""The sign-ins that a session has begun, as plain JSON in the session: each is found by its token, once."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import MutableMapping
from dataclasses import asdict, dataclass
from typing import Any

from openid.consumer.discover import OpenIDServiceEndpoint

KEY = "OPENID"
PARAMETER = "openid_state"
"""What carries the token in return_to."""
MAX_AGE = 60 * 60
MAX_SIZE = 2000
"""In letters. A session in a signed cookie has room for little more; the oldest sign-ins are forgotten first."""
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
    def __init__(self, session: MutableMapping[str, Any]) -> None:
        self._session = session

    def add(self, begun: Begun) -> str:
        """The token of the sign-in, which is now remembered."""
        token = secrets.token_urlsafe(16)
        endpoint = begun.endpoint
        entry = {
            **asdict(begun),
            "endpoint": {name: getattr(endpoint, name) for name in ENDPOINT_FIELDS} | {"types": _types(endpoint)},
            "time": int(time.time()),
        }
        entries = {**self._entries(), token: entry}
        while len(entries) > 1 and len(json.dumps(entries)) > MAX_SIZE:
            del entries[next(iter(entries))]
        self._session[KEY] = entries
        return token

    def take(self, token: str | None) -> Begun | None:
        """The sign-in that `token` stands for, which is now forgotten."""
        entries = self._entries()
        entry = entries.pop(token, None) if token else None
        if entry is None:
            return None
        if entries:
            self._session[KEY] = entries
        else:
            del self._session[KEY]
        try:
            return _loaded(entry) if entry["time"] > time.time() - MAX_AGE else None
        except (KeyError, TypeError, AttributeError):
            return None

    def _entries(self) -> dict[str, Any]:
        entries = self._session.get(KEY)
        return dict(entries) if isinstance(entries, dict) else {}


def _types(endpoint: OpenIDServiceEndpoint) -> list[str]:
    return [uri for uri in OpenIDServiceEndpoint.openid_type_uris if uri in endpoint.type_uris]


def _loaded(entry: dict[str, Any]) -> Begun:
    endpoint = OpenIDServiceEndpoint()
    for name in ENDPOINT_FIELDS:
        setattr(endpoint, name, entry["endpoint"][name])
    endpoint.type_uris = list(entry["endpoint"]["types"])
    return Begun(endpoint, entry["asked"], entry["purpose"], entry["user"])
