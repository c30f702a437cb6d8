"""What sessions have inserted and deleted in a transaction, so that it can be undone in them when others roll back.

SQLAlchemy remembers the same for its own rollbacks, and hears of no others.
"""

from __future__ import annotations

from typing import Any
from weakref import ref

from sqlalchemy import inspect
from sqlalchemy.orm import Session, make_transient, make_transient_to_detached


class Journal:
    """The changes of one transaction, and its savepoints between them."""

    def __init__(self) -> None:
        self._changes: list[tuple[Any, Any, bool]] = []
        # Each with its number, and with how many changes there were before it.
        self._savepoints: dict[str, tuple[int, int]] = {}
        # Those that are gone because an earlier one was rolled back to, or released: these with their numbers.
        self._undone: set[str] = set()
        self._released: dict[str, int] = {}
        # Who has written what it did not commit, and how many savepoints had been taken when it began to.
        self._writers: dict[object, int] = {}
        self.savepoints_taken = 0

    def note(self, session: Session, obj: Any, inserted: bool) -> None:
        self._changes.append((ref(session), ref(obj), inserted))

    def wrote(self, writer: object) -> None:
        self._writers.setdefault(writer, self.savepoints_taken)

    def take_writer(self, writer: object) -> int | None:
        """Forget that it has written; how many savepoints had been taken when it first did, if it did."""
        return self._writers.pop(writer, None)

    def take_savepoint(self, name: str) -> None:
        self.savepoints_taken += 1
        self._savepoints[name] = (self.savepoints_taken, len(self._changes))
        self._undone.discard(name)
        self._released.pop(name, None)

    def release_savepoint(self, name: str) -> None:
        """Those that were taken after it go with it."""
        self._released.update(self._cut(name, with_it=True))

    def is_undone(self, name: str) -> bool:
        return name in self._undone

    def is_released(self, name: str) -> bool:
        return name in self._released

    def roll_back(self, name: str, but: Session | None) -> None:
        """Undo what sessions have done since a savepoint, or all; SQLAlchemy itself sees to the session `but`."""
        number, position = self._savepoints.get(name, (0, 0))
        self._writers = {writer: before for writer, before in self._writers.items() if before < number}
        changes, self._changes = self._changes[position:], self._changes[:position]
        self._undone.update(self._cut(name, with_it=False))
        for each in [each for each, taken in self._released.items() if taken > number]:
            del self._released[each]
            self._undone.add(each)
        for session, obj, inserted in reversed([(session(), obj(), inserted) for session, obj, inserted in changes]):
            if session is not None and session is not but and obj is not None:
                (_remove if inserted else _bring_back)(session, obj)

    def _cut(self, name: str, with_it: bool) -> dict[str, int]:
        """Forget a savepoint and those that were taken after it, or these alone; their numbers."""
        names = list(self._savepoints)
        if name in names:
            names = names[names.index(name) + (not with_it) :]
        return {each: self._savepoints.pop(each)[0] for each in names}


def drop_pending(session: Session) -> None:
    """Nothing is to be flushed any more, and everything to be read anew."""
    for obj in list(session.new):
        session.expunge(obj)
    for obj in list(session.deleted):
        session.add(obj)
    session.expire_all()


def _remove(session: Session, obj: Any) -> None:
    if inspect(obj).session is session:
        session.expunge(obj)
        make_transient(obj)


def _bring_back(session: Session, obj: Any) -> None:
    state = inspect(obj)
    if state.session is session and state.deleted:
        make_transient(obj)
        make_transient_to_detached(obj)
        if state.key not in session.identity_map:
            session.add(obj)
