"""Who an answer by OpenID Connect is about, where this site knows that person by OpenID 2.0 already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from djintegrate.openid_auth.models import UserOpenID


def same_person(issuer: str, claims: Mapping[str, Any]) -> Any:
    """The sample provider has one key for a person, in both protocols: an OpenID ends with it."""
    known = UserOpenID.objects.filter(claimed_id=f"{issuer}/+id/{claims['sub']}").select_related("user").first()
    return known and known.user
