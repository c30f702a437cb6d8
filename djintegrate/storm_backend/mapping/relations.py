"""Storm's references for Django's relations, which find the class at their other end when they are first used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from storm.properties import Property
from storm.references import Reference, ReferenceSet

Ends = Callable[[], tuple[Any, ...]]


class LazyReference(Reference):
    """A reference whose remote column is asked for at its first use: models refer to each other in circles."""

    def __init__(self, local: Property, remote: Ends, on_remote: bool = False) -> None:
        super().__init__(local, None, on_remote)
        self._find_remote = remote

    def _build_relation(self) -> None:
        (self._remote_key,) = self._find_remote()
        super()._build_relation()


class LazyReferenceSet(ReferenceSet):
    """A reference set whose remote columns are asked for at its first use; two more where there is a table between."""

    def __init__(self, local: Property, remote: Ends) -> None:
        super().__init__(local, None)
        self._find_remote = remote

    def _build_relations(self) -> None:
        self._remote_key1, *others = self._find_remote()
        if others:
            self._remote_key2, self._local_key2 = others
        super()._build_relations()
