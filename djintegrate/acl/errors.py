"""What this app raises: an error of the API, and the mistakes of a file, each with its line and a remedy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class AccessError(Exception):
    """A role that does not exist, or a graph of roles that cannot be."""


class RuleError(AccessError):
    """A condition's rule has raised the error that this one is raised from, so there is neither a yes nor a no."""

    def __init__(self, condition: str, error: Exception) -> None:
        super().__init__(f"The rule {condition!r} has raised {in_one_line(error)}")
        self.condition = condition


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


def in_one_line(error: Exception) -> str:
    said = " ".join(str(error).split())
    return f"{type(error).__name__}{f': {said}' if said else ''}"
