"""When the provider is asked about a session again, without a question to the person: teams may have changed meanwhile.

Knows what a session has to remember for that. A provider that does not answer ends no session.
"""

from __future__ import annotations

import time

from django.http import HttpRequest

from ..conf import config

IDENTITY = "openid_identity"
CHECKED = "openid_checked"
AGAIN = 60
"""Seconds after which a provider that did not answer is asked once more."""


def note(request: HttpRequest, claimed_id: str) -> None:
    """The provider has just vouched for the session's person."""
    if config.recheck_seconds is not None:
        request.session[IDENTITY] = claimed_id
        request.session[CHECKED] = int(time.time())


def postpone(request: HttpRequest) -> None:
    request.session[CHECKED] = int(time.time()) - (config.recheck_seconds or 0) + AGAIN


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
