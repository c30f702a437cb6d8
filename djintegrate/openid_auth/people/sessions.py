"""The sessions that identities have opened: each can be seen, and ended, whatever engine keeps sessions here.

A session holds a token, and the table its digest. The session is open for as long as the row is there, which goes with
its identity. Nothing is recorded where nobody would look: without OpenIDSessionMiddleware.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.module_loading import import_string

from ..fields import digest_of
from ..models import OpenIDSession, UserOpenID

TOKEN = "openid_session"
MIDDLEWARE = "djintegrate.openid_auth.middleware.OpenIDSessionMiddleware"
SEEN_EVERY = timedelta(hours=1)
"""How exactly it is known when a session was used last: not at the cost of a write for each request."""


def record(request: HttpRequest, claimed_id: str) -> None:
    """Remember that the identity has opened the request's session."""
    if not _is_watched():
        return
    end_own(request)  # Of who signs in once more in the same browser.
    identity = UserOpenID.objects.filter(digest=digest_of(claimed_id)).first()
    if identity is None:
        return
    token = secrets.token_urlsafe(16)
    browser = request.headers.get("User-Agent", "")[:200].encode("ascii", "replace").decode()
    OpenIDSession.objects.create(identity=identity, digest=digest_of(token), browser=browser)
    request.session[TOKEN] = token


def is_open(token: str) -> bool:
    """Whether the session with this token has not been ended."""
    row = OpenIDSession.objects.filter(digest=digest_of(token)).first()
    if row is None:
        return False
    if row.seen < timezone.now() - SEEN_EVERY:
        OpenIDSession.objects.filter(pk=row.pk).update(seen=timezone.now())
    return True


def of(user: Any) -> QuerySet[OpenIDSession]:
    return OpenIDSession.objects.filter(identity__user=user).select_related("identity").order_by("-seen", "-pk")


def own(request: HttpRequest) -> OpenIDSession | None:
    """The row of the request's own session."""
    token = request.session.get(TOKEN)
    return OpenIDSession.objects.filter(digest=digest_of(token)).first() if token else None


def end_own(request: HttpRequest) -> None:
    if token := request.session.pop(TOKEN, None):
        OpenIDSession.objects.filter(digest=digest_of(token)).delete()


def _is_watched() -> bool:
    watcher = import_string(MIDDLEWARE)
    found = (import_string(path) for path in settings.MIDDLEWARE)
    return any(isinstance(each, type) and issubclass(each, watcher) for each in found)
