"""A history of transactions that append numbers to lists and read these, as Elle has them.

A list tells the order of the writes to it: who has read [1, 2] has seen that 2 came after 1. Each number is appended
to one list once, so that it says who wrote it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Fate(Enum):
    COMMITTED = "committed"
    ABORTED = "aborted"
    UNKNOWN = "unknown"
    """Whoever committed was killed, or lost the connection, before it was told."""


@dataclass(frozen=True)
class Append:
    key: str
    element: int


@dataclass(frozen=True)
class Read:
    key: str
    elements: tuple[int, ...]


Operation = Append | Read


@dataclass
class Transaction:
    name: int
    operations: list[Operation] = field(default_factory=list)
    fate: Fate = Fate.COMMITTED

    def appends(self) -> list[Append]:
        return [each for each in self.operations if isinstance(each, Append)]

    def reads(self) -> list[Read]:
        return [each for each in self.operations if isinstance(each, Read)]

    def __str__(self) -> str:
        said = (
            f"append {each.element} to {each.key}"
            if isinstance(each, Append)
            else f"read {each.key} {[*each.elements]}"
            for each in self.operations
        )  # fmt: skip
        return f"T{self.name} ({self.fate.value}): {', '.join(said)}"
