"""What a transaction does to one place, and how that is undone or done for good. Both are safe to do twice."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

IsNamed = Callable[[Any], bool]


class Kind(enum.Enum):
    CREATE = "create"
    REPLACE = "replace"
    REMOVE = "remove"
    # What should have been undone long ago, and is removed whatever comes.
    DISCARD = "discard"


@dataclass(frozen=True)
class Change:
    """`place` and `staged` are Places; the new content waits at `staged`."""

    kind: Kind
    place: Any
    staged: Any = None
    # Remove it only if no row names it any more.
    unless_named: bool = False

    def undo(self) -> None:
        self.drop_staged()
        if self.kind in (Kind.CREATE, Kind.DISCARD):
            self.place.remove()

    def complete(self, is_named: IsNamed) -> None:
        """The transaction has committed, and no later change is at this place."""
        if self.kind is Kind.CREATE:
            # Its content had come to its place before the commit.
            return
        if self.kind is Kind.REPLACE:
            self.place.take_from(self.staged)
        elif not (self.unless_named and is_named(self.place)):
            self.place.remove()

    def drop_staged(self) -> None:
        if self.staged is not None:
            self.staged.remove()

    def leftovers(self) -> list[Change]:
        """What is there of it if it could not be undone."""
        left = [] if self.staged is None else [Change(Kind.DISCARD, self.staged)]
        return left + ([Change(Kind.DISCARD, self.place)] if self.kind in (Kind.CREATE, Kind.DISCARD) else [])

    def sync(self) -> None:
        if self.kind is Kind.REPLACE:
            self.staged.sync()
        elif self.kind is Kind.CREATE:
            self.place.sync()

    def as_json(self) -> dict[str, Any]:
        entry: dict[str, Any] = {"change": self.kind.value, "place": self.place.as_json()}
        if self.staged is not None:
            entry["staged"] = self.staged.as_json()
        if self.unless_named:
            entry["unless_named"] = True
        return entry

    @classmethod
    def from_json(cls, entry: dict[str, Any], place: Callable[[dict[str, str]], Any]) -> Change:
        staged = place(entry["staged"]) if "staged" in entry else None
        return cls(Kind(entry["change"]), place(entry["place"]), staged, entry.get("unless_named", False))


def complete(changes: Iterable[Change], is_named: IsNamed) -> None:
    """The last change at each place counts."""
    changes = list(changes)
    last = {change.place.key: change for change in changes}
    for change in changes:
        if last[change.place.key] is change:
            change.complete(is_named)
        else:
            change.drop_staged()


def undo(changes: Iterable[Change]) -> None:
    for change in reversed(list(changes)):
        change.undo()
