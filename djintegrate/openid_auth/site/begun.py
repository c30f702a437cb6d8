"""The sign-ins that a session has begun, of both protocols, as plain JSON in it: each is found by its token."""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import MutableMapping
from typing import Any

from django.contrib.sessions.backends import signed_cookies

logger = logging.getLogger("djintegrate.openid_auth")

KEY = "OPENID"
MAX_AGE = 60 * 60
MOST = 50
"""Sign-ins of one session. Anybody may begin them."""
MAX_SIZE = 64_000
"""In letters, of all of them."""
MAX_SIZE_IN_COOKIE = 2000
"""A session in a signed cookie has room for little more."""
SPARE = "following"
"""What a sign-in can do without: where to go after it."""


class Begun:
    def __init__(self, session: MutableMapping[str, Any]) -> None:
        self._session = session

    def add(self, entry: dict[str, Any]) -> str:
        """The token of the sign-in, which is now remembered."""
        token = secrets.token_urlsafe(16)
        entries = {**self._entries(), token: {**entry, "time": int(time.time())}}
        in_cookie = isinstance(self._session, signed_cookies.SessionStore)
        self._session[KEY] = _fitting(entries, MAX_SIZE_IN_COOKIE if in_cookie else MAX_SIZE)
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


def _fitting(entries: dict[str, Any], most: int) -> dict[str, Any]:
    """As many of them as there is room for. The oldest go first; but before any goes, it loses what it can spare."""
    for token, entry in entries.items():
        if entry.get(SPARE) and _size(entries) > most:
            entries = {**entries, token: {**entry, SPARE: ""}}
            logger.warning("A session forgets where its oldest sign-in on its way was to lead: there are too many")
    while len(entries) > 1 and (len(entries) > MOST or _size(entries) > most):
        del entries[next(iter(entries))]
        logger.warning("The oldest sign-in on its way is forgotten: one session has begun too many")
    return entries


def _size(entries: dict[str, Any]) -> int:
    return len(json.dumps(entries))
