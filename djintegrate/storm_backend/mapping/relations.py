"""The relations of mapped classes: their ends are found when first needed, and may come from a replica.

Storm links no objects of different stores. The two connections of a store that has replicas have a store each, so the
object from the one is taken for that of the same row in the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storm.info import get_obj_info
from storm.properties import Property
from storm.references import Reference, ReferenceSet, Relation
from storm.store import Store

from ..stores import store_on

Ends = Callable[[], tuple[Any, ...]]
"""Finds the columns at the other end of a relation, once they are needed: models refer to each other in circles."""


class AcrossReplicas(Relation):
    def __init__(self, like: Relation) -> None:
        super().__init__(like.local_key, like.remote_key, like.many, like.on_remote)

    def link(self, local: Any, remote: Any, setting: bool = False) -> None:
        if setting and _is_new(remote):
            local = _beside(remote, local)
        elif setting:
            remote = _beside(local, remote)
        super().link(local, remote, setting)


class LazyReference(Reference):
    _relation: Any

    def __init__(self, local: Property, remote: Ends, on_remote: bool = False) -> None:
        super().__init__(local, None, on_remote)
        self._find_remote = remote

    def _build_relation(self) -> None:
        (self._remote_key,) = self._find_remote()
        super()._build_relation()
        self._relation = AcrossReplicas(self._relation)


class LazyReferenceSet(ReferenceSet):
    """Has two more columns at the other end where there is a table between."""

    _relation1: Any
    _relation2: Any

    def __init__(self, local: Property, remote: Ends) -> None:
        super().__init__(local, None)
        self._find_remote = remote

    def _build_relations(self) -> None:
        self._remote_key1, *others = self._find_remote()
        if others:
            self._remote_key2, self._local_key2 = others
        super()._build_relations()
        self._relation1 = AcrossReplicas(self._relation1)
        self._relation2 = self._relation2 and AcrossReplicas(self._relation2)


def _is_new(obj: Any) -> bool:
    return hasattr(type(obj), "__storm_table__") and ("pending" in get_obj_info(obj) or Store.of(obj) is None)


def _beside(one: Any, other: Any) -> Any:
    """`other`, or the object of its row in the store that `one` is in, where the two stores are those of a pair."""
    theirs: Any = Store.of(other) if hasattr(type(other), "__storm_table__") else None
    if getattr(getattr(theirs, "django_connection", None), "pair", None) is None or _is_new(other):
        return other
    ours = Store.of(one) or store_on(theirs.alias)
    if ours is theirs or getattr(ours, "alias", None) != theirs.alias:
        return other
    key = tuple(variable.get() for variable in get_obj_info(other).primary_vars)
    return ours.get(type(other), key) or other
