"""What the site's settings say of its stores, and which native backend and driver that means."""

from __future__ import annotations

from .settings import (
    DECLARED,
    ENGINE,
    STORE_KEYS,
    StoreSettings,
    Veto,
    commit_safe_methods,
    commit_veto,
    configured_site,
    configured_stores,
    is_two_phase,
    retry_attempts,
    site,
    store,
    stores,
)

__all__ = [
    "DECLARED",
    "ENGINE",
    "STORE_KEYS",
    "StoreSettings",
    "Veto",
    "commit_safe_methods",
    "commit_veto",
    "configured_site",
    "configured_stores",
    "is_two_phase",
    "retry_attempts",
    "site",
    "store",
    "stores",
]
