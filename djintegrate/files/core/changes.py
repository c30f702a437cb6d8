"""What a transaction does to one place, and how that is undone or done for good. Both are safe to do twice."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .places import STAGED

IsNamed = Callable[[Any], bool]


class Kind(enum.Enum):
    CREATE = "create"
    REPLACE = "replace"
    REMOVE = "remove"
    # A folder for what comes into it: undone, it goes if it is empty.
    FOLDER = "folder"
    # What should have been undone long ago, and is removed whatever comes.
    DISCARD = "discard"


class Fate:
    """What has become of a change, for those who remember what it was for."""

    is_undone = False

    def __deepcopy__(self, memo: Any) -> Fate:
        return self


@dataclass(frozen=True)
class Change:
    """`place` and `staged` are Places; the new content waits at `staged`."""

    kind: Kind
    place: Any
    staged: Any = None
    # Remove it only if no row names it any more.
    unless_named: bool = False
    # Whether paths may lead through the place, to what this change takes away. No journal has it.
    is_tree: bool = False
    fate: Fate = field(default_factory=Fate, compare=False)

    @property
    def is_deferred(self) -> bool:
        """Whether there may be something below the place that the transaction does not see any more."""
        return self.kind in (Kind.REPLACE, Kind.REMOVE) and bool(self.place.has_below) and not self.unless_named

    @property
    def takes_all(self) -> bool:
        """Whether it takes away whatever is below its place."""
        if self.kind is Kind.REPLACE:
            return bool(self.place.has_below)
        return self.kind is Kind.REMOVE and bool(self.place.removes_below)

    def undo(self) -> None:
        self.drop_staged()
        if self.kind is Kind.FOLDER:
            self.place.remove_empty()
        if self.kind in (Kind.CREATE, Kind.DISCARD):
            self.place.remove()

    def complete(self, is_named: IsNamed) -> None:
        """The transaction has committed, and no later change is at this place, or takes away what it is in."""
        if self.kind in (Kind.CREATE, Kind.FOLDER):
            # What it brings had come to its place before the commit.
            return
        if self.kind is Kind.REPLACE:
            self.place.take_from(self.staged)
        elif not (self.unless_named and is_named(self.place)):
            self.place.remove()

    def drop_staged(self) -> None:
        if self.staged is not None:
            self.staged.remove()

    def staged_leftovers(self) -> list[Change]:
        """What is to be removed of it once nothing else is there of it."""
        return [] if self.staged is None else [Change(Kind.DISCARD, self.staged)]

    def leftovers(self) -> list[Change]:
        """What is there of it if it could not be undone."""
        if self.kind is Kind.FOLDER:
            return [self]
        return self.staged_leftovers() + (
            [Change(Kind.DISCARD, self.place)] if self.kind in (Kind.CREATE, Kind.DISCARD) else []
        )

    def sync(self) -> None:
        if self.kind is Kind.REPLACE:
            self.staged.sync()
        elif self.kind in (Kind.CREATE, Kind.FOLDER):
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
    """The last change at each place counts, if no later one takes away the folder that the place is in.

    What is in a folder that waits to take a place is changed first: once the folder has moved, doing it again finds
    nothing to do.
    """
    counted = list(_counted(list(changes)))
    for change, counts in sorted(counted, key=_folders_that_wait, reverse=True):
        if counts:
            change.complete(is_named)
        else:
            change.drop_staged()


def undo(changes: Iterable[Change]) -> None:
    undone = list(changes)
    for change in undone:
        # Also of what cannot be removed yet.
        change.fate.is_undone = True
    for change in reversed(undone):
        change.undo()


def _counted(changes: list[Change]) -> Iterator[tuple[Change, bool]]:
    """Each change, in order, and whether it counts."""
    later: set[str] = set()
    taken: set[str] = set()
    counts: list[bool] = []
    for change in reversed(changes):
        key = change.place.key
        counts.append(key not in later and not (taken and any(folder in taken for folder in folders_of(key))))
        if not change.unless_named:
            # If a row names the file, what came before counts.
            later.add(key)
        if change.takes_all:
            taken.add(key)
    return zip(changes, reversed(counts), strict=True)


def folders_of(key: str) -> Iterator[str]:
    """The keys of the folders that a place is in."""
    end = key.rfind("/")
    while end > 0:
        yield key[:end]
        end = key.rfind("/", 0, end)


def _folders_that_wait(counted: tuple[Change, bool]) -> int:
    return str(counted[0].place.key).count(f"/{STAGED}")
