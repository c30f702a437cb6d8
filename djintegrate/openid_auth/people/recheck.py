"""When the provider is asked about a session again, without a question to the person: teams may have changed meanwhile.

Knows what a session has to remember for that. A provider that does not answer ends no session; but what a visitor may
have brought about does not hold a check back for longer than OPENID_RECHECK_SECONDS once more.
"""

from __future__ import annotations

import logging
import time

from django.http import HttpRequest

from ..conf import config

logger = logging.getLogger("djintegrate.openid_auth")

IDENTITY = "openid_identity"
CHECKED = "openid_checked"
POSTPONED = "openid_postponed"
"""Since when the check has been put off."""
AGAIN = 60
"""Seconds after which a provider that did not answer is asked once more."""


def note(request: HttpRequest, claimed_id: str) -> None:
    """The provider has just vouched for the session's person."""
    if config.recheck_seconds is not None:
        request.session[IDENTITY] = claimed_id
        request.session[CHECKED] = int(time.time())
        request.session.pop(POSTPONED, None)


def postpone(request: HttpRequest, why: object) -> None:
    logger.warning("User %s was not checked again: %s", request.user.pk, why)
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


def identity(request: HttpRequest) -> str:
    return str(request.session.get(IDENTITY, ""))


def may_be_interrupted(request: HttpRequest) -> bool:
    """Whether the request is a visit of a page, which comes back to it; not what a page's script asks for."""
    if request.method != "GET":
        return False
    mode = request.headers.get("Sec-Fetch-Mode")
    return mode == "navigate" if mode else request.accepts("text/html") and "Accept" in request.headers
