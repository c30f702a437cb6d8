"""When the provider is asked about a session again, without a question to the person: teams may have changed meanwhile.

Knows what a session has to remember for that. A provider that does not answer ends no session; but what a visitor may
have brought about does not hold a check back for longer than OPENID_RECHECK_SECONDS once more.
"""

from __future__ import annotations

import logging
import time

from django.core.cache import cache
from django.http import HttpRequest

from ..conf import config
from ..fields import digest_of
from . import sessions

logger = logging.getLogger("djintegrate.openid_auth")

IDENTITY = "openid_identity"
CHECKED = "openid_checked"
POSTPONED = "openid_postponed"
"""Since when the check has been put off."""
AGAIN = 60
"""Seconds after which a provider that did not answer is asked once more."""

UNDER_WAY = 10
"""Seconds for which one tab's check is waited for: meanwhile the others go on, and do not begin one each."""
DAY = 24 * 60 * 60


def note(request: HttpRequest, claimed_id: str) -> None:
    """The provider has just vouched for the session's person."""
    if config.recheck_seconds is not None:
        cache.delete(_place(request))
        request.session[IDENTITY] = claimed_id
        request.session[CHECKED] = int(time.time())
        request.session.pop(POSTPONED, None)


def postpone(request: HttpRequest, why: object) -> None:
    logger.warning("User %s was not checked again: %s", request.user.pk, why)
    cache.delete(_place(request))
    request.session.setdefault(POSTPONED, int(time.time()))
    request.session[CHECKED] = int(time.time()) - (config.recheck_seconds or 0) + AGAIN


def may_go_on(request: HttpRequest) -> bool:
    """Whether the check may be put off though the visitor may be the cause of it."""
    since = request.session.get(POSTPONED)
    return not isinstance(since, int) or since > time.time() - (config.recheck_seconds or 0)


def is_due(request: HttpRequest, times: int = 1) -> bool:
    """Whether the last check is longer ago than `times` OPENID_RECHECK_SECONDS."""
    checked = request.session.get(CHECKED)
    if config.recheck_seconds is None or not isinstance(checked, int) or not identity(request):
        return False
    return request.user.is_authenticated and checked < time.time() - times * config.recheck_seconds


def is_under_way(request: HttpRequest) -> bool:
    """Whether another request of the session has begun the check that is due, just now; if none has, this one does.

    The cache decides, for requests at the same time have each a copy of the session. Each check is put off once, and
    not for longer: who does not finish it does not go on without it.
    """
    if not request.session.get(sessions.TOKEN) or cache.add(_place(request), time.time(), DAY):
        return False
    began = cache.get(_place(request))
    return isinstance(began, float) and 0 <= time.time() - began < UNDER_WAY


def identity(request: HttpRequest) -> str:
    return str(request.session.get(IDENTITY, ""))


def may_be_interrupted(request: HttpRequest) -> bool:
    """Whether the request is a visit of a page, which comes back to it; not what a page's script asks for."""
    if request.method != "GET":
        return False
    mode = request.headers.get("Sec-Fetch-Mode")
    return mode == "navigate" if mode else request.accepts("text/html") and "Accept" in request.headers


def _place(request: HttpRequest) -> str:
    """In the cache, of this check of this session."""
    token, checked = request.session.get(sessions.TOKEN), request.session.get(CHECKED)
    return f"openid-recheck-{digest_of(str(token), str(checked))}"
