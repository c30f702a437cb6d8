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
from .identity import issuer_of, pair

TOKEN = "openid_session"
ISSUER = "openid_issuer"
"""Of who came by OpenID Connect: whom to tell when they sign out."""
MIDDLEWARE = "djintegrate.openid_auth.middleware.OpenIDSessionMiddleware"
NEEDED = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
)
TOO_EARLY = (
    "OpenIDSessionMiddleware needs the session and its user. Put it into MIDDLEWARE after SessionMiddleware and "
    "AuthenticationMiddleware."
)
SEEN_EVERY = timedelta(hours=1)
"""How exactly it is known when a session was used last: not at the cost of a write for each request."""


def record(request: HttpRequest, response: Any) -> None:
    """Remember that the identity of a verified answer has opened the request's session."""
    _note_issuer(request, response)
    if not is_watched():
        return
    end_own(request)  # Of who signs in once more in the same browser.
    identity = _identity(response)
    if identity is None:
        return
    token = secrets.token_urlsafe(16)
    browser = request.headers.get("User-Agent", "")[:200].encode("ascii", "replace").decode()
    OpenIDSession.objects.create(
        identity=identity, digest=digest_of(token), browser=browser, at_provider=_at_provider(response)
    )
    request.session[TOKEN] = token


def renew(request: HttpRequest, response: Any) -> None:
    """The session is now one of the identity that vouches for it again, and of the provider's session of now."""
    _note_issuer(request, response)
    token, identity = request.session.get(TOKEN), _identity(response)
    if token and identity is not None:
        rows = OpenIDSession.objects.filter(digest=digest_of(token))
        rows.update(identity=identity, at_provider=_at_provider(response))


def end_by_provider(issuer: str, subject: str, provider_session: str) -> int:
    """End what a provider says is over: one of its sessions, or all of a person's. How many ended.

    A session of the person's of which the provider has said no name may be the one that it names now.
    """
    rows = OpenIDSession.objects.all()
    if provider_session:
        unnamed = [""] if subject else []
        rows = rows.filter(at_provider__in=[digest_of(issuer, provider_session), *unnamed])
    if subject:
        rows = rows.filter(identity__digest=digest_of(pair(issuer, subject)))
    ended: int = rows.delete()[1].get(OpenIDSession._meta.label, 0)
    return ended


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


def is_watched() -> bool:
    """Whether the site has OpenIDSessionMiddleware."""
    return bool(_places(MIDDLEWARE))


def is_too_early() -> bool:
    """Whether it comes before a middleware that it needs."""
    own = _places(MIDDLEWARE)
    return bool(own) and any(own[0] < place for needed in NEEDED for place in _places(needed))


def _places(middleware: str) -> list[int]:
    """Where a middleware, or one derived from it, is in MIDDLEWARE."""
    wanted = import_string(middleware)
    found = enumerate(import_string(path) for path in settings.MIDDLEWARE)
    return [place for place, each in found if isinstance(each, type) and issubclass(each, wanted)]


def _note_issuer(request: HttpRequest, response: Any) -> None:
    issuer = issuer_of(response.identity_url)
    if issuer:
        request.session[ISSUER] = issuer
    else:
        request.session.pop(ISSUER, None)


def _identity(response: Any) -> UserOpenID | None:
    return UserOpenID.objects.filter(digest=digest_of(response.identity_url)).first()


def _at_provider(response: Any) -> str:
    """The digest of what the provider calls its own session; nothing if it has said no name for it."""
    named = getattr(response, "provider_session", "")
    return digest_of(issuer_of(response.identity_url), named) if named else ""
