"""Removes what has expired, a batch at a time, so that no sign-in waits long for a lock."""

from __future__ import annotations

import time
from datetime import timedelta

from django.conf import settings
from django.db import connections, models, router
from django.db.models import F, QuerySet
from django.utils import timezone
from openid.store.nonce import SKEW

from ..models import Association, Nonce, OpenIDSession

BATCH = 5000


def remove_expired_nonces(batch_size: int = BATCH, using: str | None = None, now: int | None = None) -> int:
    """Nonces older than the store accepts: nobody can use them a second time. Returns how many there were."""
    return _remove(_rows(Nonce, using).filter(timestamp__lt=_now(now) - SKEW), batch_size)


def remove_expired_associations(batch_size: int = BATCH, using: str | None = None, now: int | None = None) -> int:
    return _remove(_rows(Association, using).filter(issued__lt=_now(now) - F("lifetime")), batch_size)


def remove_old_sessions(batch_size: int = BATCH, using: str | None = None) -> int:
    """What is known of sessions that nobody has used for longer than a session's cookie lasts.

    They are over, and nobody is told that they were ended.
    """
    long_ago = timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE) - timedelta(days=1)
    return _remove(_rows(OpenIDSession, using).filter(seen__lt=long_ago), batch_size)


def _remove(expired: QuerySet, batch_size: int) -> int:
    """Walks along the primary key, and so looks at each row once, however many batches there are."""
    removed, last = 0, 0
    while True:
        keys = list(expired.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:batch_size])
        if not keys:
            return removed
        began = time.monotonic()
        # Outside of a transaction each deletion is a transaction of its own.
        # Django's delete() would load each session to tell the trail that somebody ended it. Nobody did.
        removed += expired.filter(pk__in=keys)._raw_delete(expired.db)
        last = keys[-1]
        if connections[expired.db].vendor == "sqlite" and not connections[expired.db].in_atomic_block:
            # A connection that waits to write tries ten times a second: the next batch would mostly be there first.
            time.sleep(time.monotonic() - began)


def _rows(model: type[models.Model], using: str | None) -> QuerySet:
    return model._default_manager.using(using or router.db_for_write(model))


def _now(now: int | None) -> int:
    return int(time.time()) if now is None else now
