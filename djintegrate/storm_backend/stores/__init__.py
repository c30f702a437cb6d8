"""Storm's stores on Django's connections: `get_store()`, the borrowed connection, and what keeps their objects true."""

from __future__ import annotations

from djintegrate.common.removals import pre_remove

from .registry import get_store, get_store_uri, invalidate, store_on
from .store import SharedStore, UnsharedStore

__all__ = ["SharedStore", "UnsharedStore", "get_store", "get_store_uri", "invalidate", "pre_remove", "store_on"]
