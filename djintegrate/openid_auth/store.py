"""Associations and nonces in Django's database, as python3-openid wants to keep them.

A nonce is used by inserting it: the database's unique constraint decides, so there is no moment between check and use.
"""

from __future__ import annotations

import base64
import re
import time

from django.db import IntegrityError, models
from openid.association import Association as OIDAssociation
from openid.association import all_association_types
from openid.store.interface import OpenIDStore
from openid.store.nonce import SKEW

from .fields import digest_of
from .models import Association, Nonce
from .people.savepoints import undone_alone
from .site.fetcher import MAX_URL
from .upkeep.cleanup import remove_expired_associations, remove_expired_nonces

MAX_LIFETIME = 14 * 24 * 60 * 60
"""No association is used for longer than this, whatever the provider says."""
HANDLE = re.compile(r"[!-~]{1,255}")
"""As OpenID defines a handle. Databases differ in what else they would store."""


class DjangoOpenIDStore(OpenIDStore):
    max_nonce_age = 6 * 60 * 60

    def storeAssociation(self, server_url: str, association: OIDAssociation) -> None:
        if not _is_handle(association.handle) or len(server_url) > MAX_URL or association.lifetime <= 0:
            return  # Without an association the provider is asked about each answer: slower, and as safe.
        values = {
            "secret": base64.b64encode(association.secret).decode("ascii"),
            "issued": association.issued,
            "lifetime": min(association.lifetime, MAX_LIFETIME),
            "assoc_type": association.assoc_type,
        }
        if not _insert(Association(server_url=server_url, handle=association.handle, **values)):
            same = Association.objects.filter(server_digest=digest_of(server_url), handle=association.handle)
            same.update(**values)

    def getAssociation(self, server_url: str, handle: str | None = None) -> OIDAssociation | None:
        """The newest association that has not expired; those that have are removed."""
        if handle is not None and not _is_handle(handle):
            return None
        rows = Association.objects.filter(server_digest=digest_of(server_url))
        if handle is not None:
            rows = rows.filter(handle=handle)
        now = int(time.time())
        found: list[Association] = []
        expired: list[Association] = []
        for row in rows:
            (found if row.issued + row.lifetime > now else expired).append(row)
        if expired:
            Association.objects.filter(pk__in=[row.pk for row in expired]).delete()
        # The database's collation may take one handle for another.
        usable = [row for row in found if handle in (None, row.handle) and row.assoc_type in all_association_types]
        if not usable:
            return None
        return _loaded(max(usable, key=lambda row: row.issued))

    def removeAssociation(self, server_url: str, handle: str) -> bool:
        if not _is_handle(handle):
            return False
        deleted, _ = Association.objects.filter(server_digest=digest_of(server_url), handle=handle).delete()
        return bool(deleted)

    def useNonce(self, server_url: str, timestamp: int, salt: str) -> bool:
        """Whether nobody has used it before."""
        if abs(timestamp - time.time()) > SKEW or len(salt) > 255 or len(server_url) > MAX_URL:
            return False
        return use_once(server_url, timestamp, salt)

    def cleanupNonces(self, _now: int | None = None) -> int:
        return remove_expired_nonces(now=_now)

    def cleanupAssociations(self) -> int:
        return remove_expired_associations()


def use_once(server_url: str, timestamp: int, salt: str) -> bool:
    """Whether nobody has used what these three name. It is forgotten once it is too old to be accepted."""
    return _insert(Nonce(server_url=server_url, timestamp=timestamp, salt=salt))


def _insert(row: models.Model) -> bool:
    """Whether the row is a new one. The database decides."""
    try:
        with undone_alone(type(row)):
            row.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def _is_handle(text: str) -> bool:
    return HANDLE.fullmatch(text) is not None


def _loaded(row: Association) -> OIDAssociation:
    return OIDAssociation(row.handle, base64.b64decode(row.secret), row.issued, row.lifetime, row.assoc_type)
