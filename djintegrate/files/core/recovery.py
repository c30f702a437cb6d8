"""What a process that died has left: done if its transaction has committed, and undone if not.

Only journals whose process no longer lives are taken. One that the database cannot decide yet is left as it is.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..exceptions import Undecided
from . import changes, decisions
from .changes import Change
from .journal import Folder, Journal
from .locks import digest_of
from .paths import unmark

logger = logging.getLogger("djintegrate.files")

AGAIN = 60
"""Seconds until a process tries again what it had to leave."""

IsNamed = Callable[[Any, str], bool]
PlaceOf = Callable[[dict[str, str]], Any]


@dataclass
class Outcome:
    """What has become of one journal."""

    name: str
    committed: bool | None = None
    changes: int = 0
    # Why it was left as it is.
    left: str = ""

    def __str__(self) -> str:
        if self.left:
            return f"{self.name}: left as it is. {self.left}"
        changes = "1 change" if self.changes == 1 else f"{self.changes} changes"
        return f"{self.name}: {'completed' if self.committed else 'undone'}, {changes}"


class Recovery:
    """Of the journals in one folder. `place_of` finds a place again, `is_named` asks whether a row still names it."""

    def __init__(self, folder: Folder, place_of: PlaceOf, is_named: IsNamed) -> None:
        self.folder = folder
        self._place_of = place_of
        self._is_named = is_named
        self._running = threading.Lock()
        self._next = 0.0

    def all(self) -> Iterator[Outcome]:
        """Each journal that nobody who lives has."""
        self.folder.spares.sweep()
        for journal in self.folder.journals():
            if journal.take():
                yield self._recover(journal)

    def waiting(self) -> Iterator[tuple[str, list[str]]]:
        """The same journals, and in words what is in them. Nothing is changed."""
        for journal in self.folder.journals():
            if journal.take():
                try:
                    yield journal.name, [f"{change.kind.value} {change.place!r}" for change in self._read(journal)[1]]
                finally:
                    journal.leave()

    def one(self, name: str, seconds: float) -> None:
        """Somebody needs a path that this journal had."""
        journal = self.folder.journal(name)
        if journal.take(seconds):
            outcome = self._recover(journal)
            if outcome.left:
                raise Undecided(
                    f"The path is part of the transaction {name}, which could not be ended yet. {outcome.left}"
                )
        elif journal.exists():
            raise Undecided(f"The path is part of the transaction {name}, which another process recovers.")

    def at_first_use(self) -> None:
        """What died before this process used files for the first time."""
        if time.monotonic() < self._next:
            return
        with self._running:
            if time.monotonic() < self._next:
                return
            # Recovery itself uses storages.
            self._next = float("inf")
            try:
                for outcome in self.all():
                    (logger.warning if outcome.left else logger.info)("Recovered files of a transaction: %s", outcome)
                    if outcome.left:
                        self._next = time.monotonic() + AGAIN
            except OSError:
                logger.exception("FILES_JOURNAL cannot be read.")

    def settle(self, using: str, name: str, made: list[Change]) -> bool:
        """Ask the database what has become of a transaction, and do that; whether it has committed."""
        with decisions.verdict(using, name, self.folder.identity) as committed:
            self.end(using, made, committed)
        return committed

    def end(self, using: str, made: list[Change], committed: bool) -> None:
        if committed:
            changes.complete(made, lambda place: self._is_named(place, using))
        else:
            changes.undo(made)

    def _recover(self, journal: Journal) -> Outcome:
        outcome = Outcome(journal.name)
        try:
            using, made, is_decided = self._read(journal)
            outcome.changes = len(made)
            if is_decided or not made:
                outcome.committed = is_decided
                self.end(using, made, is_decided)
            else:
                outcome.committed = self.settle(using, journal.name, made)
        except Exception as error:
            # Whatever it is: the others are to be recovered all the same.
            outcome.left = str(error) if isinstance(error, Undecided) else f"{type(error).__name__}: {error}"
            journal.leave()
            return outcome
        self._remove_markers(journal, made)
        journal.finish()
        return outcome

    def _read(self, journal: Journal) -> tuple[str, list[Change], bool]:
        using, is_decided = "", False
        made: list[Change] = []
        for entry in journal.entries():
            if "using" in entry:
                using = entry["using"]
            elif "kept" in entry:
                del made[entry["kept"] :]
            elif "decided" in entry:
                is_decided = True
            else:
                made.append(Change.from_json(entry, self._place_of))
        return using, made, is_decided

    def _remove_markers(self, journal: Journal, made: list[Change]) -> None:
        for digest in {digest_of(change.place.key) for change in made}:
            # Whoever has the path by now waits for this journal, and writes its own name over this one's.
            if self.folder.locks.take(digest, journal):
                unmark(self.folder, digest, journal.name)
                self.folder.locks.release(digest, journal)
