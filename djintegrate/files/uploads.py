"""Which uploads of a transaction have come into a row: at the commit the others go, unless a row names them after all.

An upload is saved when it is assigned to a Storm object, and what is assigned may never be flushed: because the object
is invalidated, say, or never added. Files whose rows were written cost no query.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from djintegrate.common import following
from djintegrate.common.following import Follower

from .exceptions import TransactionError
from .saved import SavedName


class Uploads(Follower):
    """Those of one transaction in one storage."""

    def __init__(self, storage: Any) -> None:
        self._storage = storage
        self._are_in_rows: dict[str, bool] = {}

    def add(self, name: str) -> None:
        self._are_in_rows[name] = False

    def note_in_row(self, name: str) -> None:
        """A row that names it was written."""
        self._are_in_rows[name] = True

    def mark(self) -> dict[str, bool]:
        return dict(self._are_in_rows)

    def rolled_back(self, mark: dict[str, bool] | None) -> None:
        # Rows that were written since then are gone, and so are the uploads.
        self._are_in_rows = dict(mark or {})

    def before_commit(self) -> None:
        for name in self._in_no_row():
            # Where its folder was replaced as a whole, it goes with that.
            with suppress(TransactionError):
                self._storage.delete_unless_named(name)

    def committed(self) -> None:
        for name in self._in_no_row():
            if isinstance(name, SavedName) and not self._storage.exists(name):
                # An object that has the name may be added yet.
                name.fate.is_undone = True

    def _in_no_row(self) -> list[str]:
        return [name for name, is_in_row in self._are_in_rows.items() if not is_in_row]


def uploads_to(storage: Any) -> Uploads | None:
    """Those of the current transaction. None if there is none: what is saved then is saved for good."""
    followed = following.current(storage.using)
    return None if followed is None else followed.follower((Uploads, storage.identity), lambda: Uploads(storage))
