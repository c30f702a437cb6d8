"""The connection that Django gets for a DATABASES entry: one alone, or the pair of a store with REPLICAS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import conf
from ..connection.factory import connection_of
from ..connection.wrapper import StormWrapper

if TYPE_CHECKING:
    from .pair import Pair


def connection_or_pair(settings_dict: dict[str, Any], alias: str) -> StormWrapper | Pair:
    """It takes part in transactions."""
    store = conf.stores().get(conf.named_by(settings_dict))
    if store is not None and store.replicas:
        # A site without replicas imports nothing of them.
        from .pair import pair_of

        return pair_of(settings_dict, alias, store)
    connection = connection_of(settings_dict, alias)
    connection.take_part()
    return connection
