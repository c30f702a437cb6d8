"""The sign-ins that a session has begun, of both protocols, as plain JSON in it: each is found by its token."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import MutableMapping
from typing import Any

KEY = "OPENID"
MAX_AGE = 60 * 60
MAX_SIZE = 2000
"""In letters. A session in a signed cookie has room for little more."""
SPARE = "following"
"""What a sign-in can do without: where to go after it."""


class Begun:
    def __init__(self, session: MutableMapping[str, Any]) -> None:
        self._session = session

    def add(self, entry: dict[str, Any]) -> str:
        """The token of the sign-in, which is now remembered."""
        token = secrets.token_urlsafe(16)
        self._session[KEY] = _fitting({**self._entries(), token: {**entry, "time": int(time.time())}})
        return token

    def take(self, token: str | None) -> dict[str, Any] | None:
        """What was remembered of the sign-in that `token` stands for. It is now forgotten."""
        entry = self.find(token)
        self.forget(token)
        return entry

    def find(self, token: str | None) -> dict[str, Any] | None:
        """What is remembered of the sign-in that `token` stands for. The session does not change."""
        entry = self._entries().get(token) if token else None
        try:
            return entry if entry is not None and entry["time"] > time.time() - MAX_AGE else None
        except (KeyError, TypeError):
            return None

    def forget(self, token: str | None) -> None:
        entries = self._entries()
        if not token or entries.pop(token, None) is None:
            return
        if entries:
            self._session[KEY] = entries
        else:
            del self._session[KEY]

    def _entries(self) -> dict[str, Any]:
        entries = self._session.get(KEY)
        return dict(entries) if isinstance(entries, dict) else {}


def _fitting(entries: dict[str, Any]) -> dict[str, Any]:
    """As many of them as there is room for. The oldest go first; but before any goes, it loses what it can spare."""
    for token, entry in entries.items():
        if SPARE in entry and _size(entries) > MAX_SIZE:
            entries = {**entries, token: {**entry, SPARE: ""}}
    while len(entries) > 1 and _size(entries) > MAX_SIZE:
        del entries[next(iter(entries))]
    return entries


def _size(entries: dict[str, Any]) -> int:
    return len(json.dumps(entries))
