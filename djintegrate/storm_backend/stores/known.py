"""The objects of a store of which any value is known, by their classes: what a write may have made untrue.

An index beside Storm's own, so that a write costs nothing for the objects of other tables. It keeps no object alive.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakSet


class KnownObjects:
    """Storm's infos of objects. One that was made unknown is noted anew when it is read."""

    def __init__(self) -> None:
        self._of: dict[type, WeakSet[Any]] = {}

    def note(self, obj_info: Any) -> None:
        cls = obj_info.cls_info.cls
        known = self._of.get(cls)
        if known is None:
            known = self._of[cls] = WeakSet()
        known.add(obj_info)

    def discard(self, obj_info: Any) -> None:
        """The object is not in the store any more."""
        known = self._of.get(obj_info.cls_info.cls)
        if known is not None:
            known.discard(obj_info)

    def classes(self) -> list[type]:
        """Those that have known objects."""
        return [cls for cls, known in self._of.items() if known]

    def take(self, cls: type) -> list[Any]:
        """The known objects of a class, which from now on are not."""
        return list(self._of.pop(cls, ()))

    def all(self) -> list[Any]:
        return [obj_info for known in self._of.values() for obj_info in known]

    def clear(self) -> None:
        self._of.clear()
