"""A Django database engine that shares its connection and transaction with Storm.

from djintegrate.storm_backend import get_store

get_store("main").find(Person)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .stores import get_store, get_store_uri, invalidate

if TYPE_CHECKING:
    from .replicas.policy import store_policy

__all__ = ["get_store", "get_store_uri", "invalidate", "store_policy"]


def __getattr__(name: str) -> Any:
    if name != "store_policy":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # A site without replicas imports nothing of them.
    from .replicas.policy import store_policy

    globals()[name] = store_policy
    return store_policy
