"""What a request reads from: a replica if its method is safe, unless its browser wrote a short while ago.

A signed cookie says when that was. Never the session, whose row may not have arrived on the replica.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from .. import conf
from . import policy

COOKIE = "storm_primary"
SALT = "djintegrate.storm_backend.replicas"
clock = time.time
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Reading:
    """What one run of a request reads from, and whether it has to run again."""

    def __init__(self, sticky_seconds: Mapping[str, float], only_primary: bool = False) -> None:
        """`sticky_seconds` has those of each store with replicas, by its name."""
        self._sticky_seconds = sticky_seconds
        self._run = policy.Run(only_primary)
        self._is_on = False

    def begin(self, request: HttpRequest) -> None:
        pinned = frozenset(self._pinned(request))
        policy.enter(policy.Policy(self._run, request.method in SAFE_METHODS, pinned))
        self._is_on = True

    def end(self) -> None:
        if self._is_on:
            self._is_on = False
            policy.leave()

    @property
    def may_run_again(self) -> bool:
        """Whether the request may have to run again, all on the primary."""
        return not self._run.only_primary

    @property
    def must_run_again(self) -> bool:
        """Whether it has to: a replica has refused a statement, or was lost."""
        return self._run.has_failed and self.may_run_again

    @property
    def wrote(self) -> bool:
        return self._run.wrote

    def stay_on_primary(self) -> None:
        """This run is the last, and so no replica may fail it."""
        self._run.only_primary = True

    def on_primary(self) -> Reading:
        """The reading of the run after this one, which a replica has failed."""
        again = Reading(self._sticky_seconds, only_primary=True)
        again._run.was_refused = self._run.was_refused
        return again

    def pin(self, response: HttpResponseBase) -> None:
        """Have the browser read from the primary for a while, if it wrote."""
        if self._run.wrote or self._run.was_refused:
            response.set_cookie(
                COOKIE,
                signing.Signer(salt=SALT).sign(f"{clock():.3f}"),
                max_age=int(max(self._sticky_seconds.values())) + 1,
                domain=settings.SESSION_COOKIE_DOMAIN,
                path=settings.SESSION_COOKIE_PATH,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite=settings.SESSION_COOKIE_SAMESITE,
            )

    def _pinned(self, request: HttpRequest) -> list[str]:
        """The stores of which the browser is to read the primary."""
        if COOKIE not in request.COOKIES:
            return []
        try:
            wrote_at = float(signing.Signer(salt=SALT).unsign(request.COOKIES[COOKIE]))
        except (signing.BadSignature, ValueError):
            return []
        since = clock() - wrote_at
        return [name for name, seconds in self._sticky_seconds.items() if since < seconds]


def sticky_seconds() -> dict[str, float]:
    """STICKY_SECONDS of each store with replicas, by its name."""
    return {name: store.sticky_seconds for name, store in conf.stores().items() if store.replicas}
