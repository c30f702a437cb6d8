"""A Django database engine that shares its connection and transaction with Storm.

from djintegrate.storm_backend import get_store

get_store("main").find(Person)
"""

from __future__ import annotations

from .replicas.policy import store_policy
from .stores import get_store, get_store_uri, invalidate

__all__ = ["get_store", "get_store_uri", "invalidate", "store_policy"]
