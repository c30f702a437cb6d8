"""The sign-ins that a browser has begun, of both protocols: each in a signed cookie of its own, found by its token.

So tabs that begin at the same moment lose nothing to each other, and who only looks at a provider needs no session. A
cookie is set as the session's is, but no script ever reads it, and it comes along when a provider sends people here.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

logger = logging.getLogger("djintegrate.openid_auth")

SALT = "djintegrate.openid_auth.begun"
MAX_AGE = 60 * 60
MAX_SIZE = 4000
"""In letters, of all of one browser's, some ten: servers take 8,190 of cookies, and a session in one may have 4,096."""
SPARE = "following"
"""What a sign-in can do without: where to go after it."""


def of(request: HttpRequest) -> Begun:
    """What the request's browser has begun; the same object each time."""
    if not hasattr(request, "openid_begun"):
        # A request that somebody's test makes by hand may have a session and no cookies.
        request.openid_begun = Begun(getattr(request, "COOKIES", {}))
    found: Begun = request.openid_begun
    return found


def cookie_of(token: str) -> str:
    """The name of the cookie of one sign-in."""
    return f"{settings.SESSION_COOKIE_NAME}-openid-{token}"


def has_any(cookies: Mapping[str, str]) -> bool:
    return any(name.startswith(cookie_of("")) for name in cookies)


class Begun:
    """What `cookies` hold, and what has changed since; `write` tells the browser."""

    def __init__(self, cookies: Mapping[str, str]) -> None:
        self._cookies = cookies
        self._changed: dict[str, dict[str, Any] | None] = {}
        self.answered: dict[str, Any] = {}
        """The sign-in that was found last."""

    def add(self, entry: dict[str, Any]) -> str:
        """The token of the sign-in, which is now remembered."""
        token = secrets.token_urlsafe(16)
        before = {**self._all(), token: {**entry, "time": time.time()}}
        after = _fitting(before)
        self._changed |= {each: after.get(each) for each in before if each == token or after.get(each) != before[each]}
        return token

    def take(self, token: str | None) -> dict[str, Any] | None:
        """What was remembered of the sign-in that `token` stands for. It is now forgotten."""
        entry = self.find(token)
        self.forget(token)
        return entry

    def find(self, token: str | None) -> dict[str, Any] | None:
        """What is remembered of the sign-in that `token` stands for."""
        entry = self._read(token) if token else None
        if entry is not None:
            self.answered = entry
        return entry

    def forget(self, token: str | None) -> None:
        if token and (token in self._changed or cookie_of(token) in self._cookies):
            self._changed[token] = None

    def write(self, response: HttpResponseBase) -> None:
        for token, entry in self._changed.items():
            name = cookie_of(token)
            place: dict[str, Any] = {"path": settings.SESSION_COOKIE_PATH, "domain": settings.SESSION_COOKIE_DOMAIN}
            if entry is None:
                response.delete_cookie(name, samesite="Lax", **place)
                continue
            kept = {"secure": bool(settings.SESSION_COOKIE_SECURE), "httponly": True, "samesite": "Lax", **place}
            response.set_cookie(name, _signed(token, entry), MAX_AGE, **kept)

    def _all(self) -> dict[str, dict[str, Any]]:
        """All of them, the oldest first."""
        prefix = cookie_of("")
        tokens = [name.removeprefix(prefix) for name in self._cookies if name.startswith(prefix)]
        found = {token: entry for token in [*tokens, *self._changed] if (entry := self._read(token)) is not None}
        return dict(sorted(found.items(), key=lambda pair: pair[1]["time"]))

    def _read(self, token: str) -> dict[str, Any] | None:
        if token in self._changed:
            return self._changed[token]
        try:
            entry: dict[str, Any] = signing.loads(self._cookies[cookie_of(token)], salt=SALT + token)
        except (KeyError, ValueError, signing.BadSignature):
            return None
        # The signature's own time is no measure: it is new when the entry has lost what it can spare.
        return entry if entry["time"] > time.time() - MAX_AGE else None


def _signed(token: str, entry: dict[str, Any]) -> str:
    return signing.dumps(entry, salt=SALT + token, compress=True)


def _fitting(entries: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """As many of them as there is room for. The oldest go first; but before any goes, it loses what it can spare."""
    sizes = {token: _size(token, entry) for token, entry in entries.items()}
    fitting = dict(entries)
    for token, entry in entries.items():
        if entry.get(SPARE) and sum(sizes.values()) > MAX_SIZE:
            fitting[token] = {**entry, SPARE: ""}
            sizes[token] = _size(token, fitting[token])
            logger.warning("A browser forgets where its oldest sign-in on its way was to lead: there are too many")
    while len(fitting) > 1 and sum(sizes.values()) > MAX_SIZE:
        oldest = next(iter(fitting))
        del fitting[oldest], sizes[oldest]
        logger.warning("The oldest sign-in on its way is forgotten: one browser has begun too many")
    return fitting


def _size(token: str, entry: dict[str, Any]) -> int:
    return len(f"{cookie_of(token)}={_signed(token, entry)}; ")
