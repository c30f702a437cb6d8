"""What `python -m djintegrate doctor` is told by an app: a module `examination` of the app yields findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `remedy` says what to do where it is not well."""

    subject: str
    said: str
    is_well: bool = True
    remedy: str = ""


def ill(subject: str, said: object, remedy: str) -> Finding:
    return Finding(subject, str(said), False, remedy)


def tried(subject: str, part: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """What a part of an examination finds; and if it fails itself, that it does: there is more to look at."""
    try:
        yield from part()
    except Exception as error:
        yield ill(subject, f"{type(error).__name__}: {first_line(error)}", "Correct this first; then look again.")


def first_line(error: BaseException) -> str:
    """What an error says, where there is room for a line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
