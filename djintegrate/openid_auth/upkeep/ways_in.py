"""Which accounts still depend on OpenID 2.0 alone: those that a site which moves to OpenID Connect would shut out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_backends, get_user_model
from django.db.models import Exists, OuterRef, Q

from ..auth import OpenIDBackend
from ..models import UserOpenID
from ..site.issuers import Issuer


def dependent_on_openid_2(issuers: list[Issuer], passwords_count: bool, using: str) -> Iterator[Any]:
    """Active users with an identity of OpenID 2.0, none at one of the issuers, and no password that counts."""
    identities = UserOpenID.objects.using(using).filter(user=OuterRef("pk"))
    at_issuers = Q(pk__in=[])
    for issuer in issuers:
        at_issuers |= Q(claimed_id__startswith=f"{issuer} ")
    users = get_user_model()._default_manager.using(using)
    # No claimed identifier of OpenID 2.0 has a space in it, and each identity of OpenID Connect has.
    found = users.filter(Exists(identities.exclude(claimed_id__contains=" ")), ~Exists(identities.filter(at_issuers)))
    counts = passwords_count and any(not isinstance(backend, OpenIDBackend) for backend in get_backends())
    for user in found.order_by("pk").iterator():
        if user.is_active and not (counts and user.has_usable_password()):
            yield user
