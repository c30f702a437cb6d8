"""The name of a saved file, which knows if the transaction that saved the file was undone.

An instance keeps the name after that, and would write it into a row. That the file is gone does not tell: another one
may have the name by now.
"""

from __future__ import annotations

from typing import Any

from .core.changes import Fate


class SavedName(str):
    """As any str; only for this process, and as long as nobody makes another str of it."""

    __slots__ = ("fate",)

    def __new__(cls, name: str, fate: Fate) -> SavedName:
        self = super().__new__(cls, name)
        self.fate = fate
        return self

    fate: Fate

    def __copy__(self) -> SavedName:
        return self

    def __deepcopy__(self, memo: Any) -> SavedName:
        return self

    def __reduce__(self) -> Any:
        return str, (str(self),)
