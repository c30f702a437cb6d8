"""What the site's settings say of its stores, and which native backend and driver that means."""

from __future__ import annotations

from .settings import (
    ENGINE,
    STORE_KEYS,
    StoreSettings,
    Veto,
    commit_safe_methods,
    commit_veto,
    configured_site,
    is_two_phase,
    retry_attempts,
    site,
    store,
    stores,
)

__all__ = [
    "ENGINE",
    "STORE_KEYS",
    "StoreSettings",
    "Veto",
    "commit_safe_methods",
    "commit_veto",
    "configured_site",
    "is_two_phase",
    "retry_attempts",
    "site",
    "store",
    "stores",
]
