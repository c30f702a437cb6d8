"""What a process that died has left: done if its transaction has committed, and undone if not.

Only journals whose process no longer lives are taken. One that the database cannot decide yet is left as it is.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
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
    """What has become of one transaction."""

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


@dataclass
class Written:
    """What a journal says of its transaction."""

    name: str
    using: str = ""
    changes: list[Change] = field(default_factory=list)
    is_decided: bool = False


class Recovery:
    """Of the journals in one folder. `place_of` finds a place again, `is_named` asks whether a row still names it."""

    def __init__(self, folder: Folder, place_of: PlaceOf, is_named: IsNamed) -> None:
        self.folder = folder
        self._place_of = place_of
        self._is_named = is_named
        self._running = threading.Lock()
        self._next = 0.0

    def all(self) -> Iterator[Outcome]:
        """What is in each journal that nobody who lives has."""
        for journal in self.folder.journals():
            if journal.take() and (outcome := self._recover(journal)) is not None:
                yield outcome

    def waiting(self) -> Iterator[tuple[str, list[str]]]:
        """The same journals, and in words what is in them. Nothing is changed."""
        for journal in self.folder.journals():
            if journal.take():
                try:
                    written = self._read(journal)
                    if written is not None:
                        yield written.name, [f"{change.kind.value} {change.place!r}" for change in written.changes]
                finally:
                    journal.leave()

    def one(self, name: str, seconds: float) -> None:
        """Somebody needs a path that the journal of this name has."""
        journal = self.folder.journal(name)
        if journal.take(seconds):
            outcome = self._recover(journal)
            if outcome is not None and outcome.left:
                raise Undecided(
                    f"The path is part of the transaction {outcome.name}, which could not be ended yet. {outcome.left}"
                )
        elif journal.exists():
            raise Undecided(f"The path is part of a transaction in the journal {name}, which another process recovers.")

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

    def _recover(self, journal: Journal) -> Outcome | None:
        """What has become of the transaction in it; None if there is none, and the journal is gone."""
        outcome = Outcome(journal.name)
        try:
            written = self._read(journal)
            if written is None:
                journal.remove()
                return None
            outcome.name, outcome.changes = written.name, len(written.changes)
            if written.is_decided or not written.changes:
                outcome.committed = written.is_decided
                self.end(written.using, written.changes, written.is_decided)
            else:
                outcome.committed = self.settle(written.using, written.name, written.changes)
        except Exception as error:
            # Whatever it is: the others are to be recovered all the same.
            outcome.left = str(error) if isinstance(error, Undecided) else f"{type(error).__name__}: {error}"
            journal.leave()
            return outcome
        self._remove_markers(journal, written.changes)
        journal.finish()
        return outcome

    def _read(self, journal: Journal) -> Written | None:
        entries = journal.entries()
        if not entries:
            return None
        written = Written(journal.name)
        for entry in entries:
            if "using" in entry:
                written.name, written.using = entry["id"], entry["using"]
            elif "kept" in entry:
                del written.changes[entry["kept"] :]
            elif "decided" in entry:
                written.is_decided = True
            else:
                written.changes.append(Change.from_json(entry, self._place_of))
        return written

    def _remove_markers(self, journal: Journal, made: list[Change]) -> None:
        for digest in {digest_of(change.place.key) for change in made}:
            # Whoever has the path by now waits for this journal, and writes its own name over this one's.
            if self.folder.locks.take(digest, journal):
                unmark(self.folder, digest, journal.name)
                self.folder.locks.release(digest, journal)
