"""What this app raises: an error of the API, and the mistakes of a file, each with its line and a remedy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class AccessError(Exception):
    """A role that does not exist, or a graph of roles that cannot be."""


@dataclass(frozen=True, order=True)
class Mistake:
    """Something that is wrong at a line of a file, and what to do about it."""

    line: int
    said: str
    remedy: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.said} {self.remedy}"


class AclFileError(AccessError):
    """A file that cannot be used, with everything that is wrong in it."""

    def __init__(self, name: str, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(f"{name}, {mistake}" for mistake in mistakes))
        self.name = name
        self.mistakes = tuple(mistakes)
