"""The files of one transaction: what it has claimed, and what it has changed so far.

The order is: claim a place, note the change, and only then touch a file. Without a transaction the same is done and
ended at once, without a journal.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from django.db import connections

from djintegrate.common import following
from djintegrate.common.following import Followed, Follower

from ..exceptions import TransactionError, Undecided
from . import decisions
from .changes import Change, Kind
from .journal import Journal
from .paths import Paths
from .places import PathPlace, stage_of
from .recovery import Recovery
from .sight import followed_link, here

logger = logging.getLogger("djintegrate.files")


class Unit(Follower):
    """What one transaction does to files. Without `followed` nothing is written to a journal."""

    def __init__(self, world: World, using: str, followed: Followed | None) -> None:
        self.using = using
        self.name = os.urandom(16).hex()
        self.changes: list[Change] = []
        self._world = world
        self._followed = followed
        self._process = os.getpid()
        self._journal: Journal | None = None
        self._latest: dict[str, Change] = {}
        # Those of the latest that paths may lead through.
        self._trees: dict[str, Change] = {}
        self._staged = 0
        self._is_recorded = False
        self._broken: OSError | None = None
        self._paths = Paths(world.folder, self._begun, lambda name: world.recovery.one(name, world.seconds))

    # What changes do

    def claim(self, place: Any) -> Any | None:
        """Have the place for this transaction alone, or wait for it. Where a change of it is to be made: see here()."""
        self._paths.wait(place, self._world.seconds)
        found = self.here(place)
        if found is not None and found is not place:
            self._paths.wait(found, self._world.seconds)
        return found

    def try_claim(self, place: Any) -> bool:
        return self._paths.take(place)

    def give_back(self, place: Any) -> None:
        """A place that was claimed, and then not used."""
        if place.key not in self._latest:
            self._paths.give_back(place)

    def note(
        self, kind: Kind, place: Any, staged: Any = None, unless_named: bool = False, leads_on: bool = False
    ) -> Change:
        """What is about to be done to a place that was claimed; whether a folder, or a link, comes to it."""
        change = Change(kind, place, staged, unless_named)
        if change.is_deferred and (leads_on or not place.is_plain()):
            change = replace(change, is_tree=True)
        journal = self._begun()
        if journal is not None:
            journal.write(change.as_json())
            if self._world.fsync:
                journal.sync()
        self.changes.append(change)
        self._see(change)
        return change

    def cancel(self, change: Change) -> None:
        """The last change, of which nothing was done at its place. What was staged for it goes with the transaction."""
        self._keep(self.changes.index(change), change.staged_leftovers())
        self.give_back(change.place)

    def stage(self, place: Any) -> Any:
        """A place for the content that is to come to `place`."""
        self._staged += 1
        return stage_of(place, self.name, self._staged)

    # What the transaction itself sees

    def here(self, place: Any) -> Any | None:
        """Where a change of `place` is made: below a folder that was replaced, in what waits to take its place.

        None if it is in a folder that this transaction has removed.
        """
        return here(place, self._trees) if self._trees else place

    def latest(self, place: Any) -> Change | None:
        return self._latest.get(place.key)

    def where(self, place: Any) -> Any | None:
        """Where this transaction finds the content of `place`. None if it has removed it."""
        place = self.here(place)
        change = None if place is None else self._latest.get(place.key)
        if change is None or change.unless_named or change.kind in (Kind.CREATE, Kind.FOLDER):
            return place
        return change.staged if change.kind is Kind.REPLACE else None

    def followed(self, path: PathPlace) -> PathPlace | None:
        """The same, and if a link is there, of what it leads to."""
        return followed_link(path, self.where)

    def has_changes_in(self, folder: PathPlace) -> bool:
        start = f"path:{os.path.realpath(folder.path).rstrip(os.sep)}/"
        return any(key.startswith(start) for key in self._latest)

    # What it hears of the transaction

    def mark(self) -> int:
        return len(self.changes)

    def rolled_back(self, mark: int | None) -> None:
        mark = mark or 0
        undone = self.changes[mark:]
        if not undone or self._is_of_parent():
            return
        del self.changes[mark:]
        try:
            self._end_of(undone, committed=False)
        except Exception:
            logger.exception("Files of a transaction could not be removed yet. Its end tries again.")
            for change in reversed(undone):
                self.changes += change.leftovers()
        finally:
            self._keep(mark, self.changes[mark:])

    def before_commit(self) -> None:
        if self._broken is not None:
            raise TransactionError(
                f"The transaction cannot be committed: its journal in FILES_JOURNAL was not written. {self._broken}"
            ) from self._broken
        if self._journal is None or not self.changes:
            return
        if self._world.fsync:
            for change in self.changes:
                change.sync()
            self._journal.sync()
        if self._followed is not None and self._followed.has_statements:
            decisions.record(self.using, self.name, self._world.folder.identity)
            self._is_recorded = True

    def committed(self) -> None:
        if self._is_of_parent():
            return
        if self._journal is not None and self.changes and not self._is_recorded:
            # Zope's transaction, and the alias is no part of it. That the journal says so is for a crash from now on.
            with suppress(OSError):
                self._journal.write({"decided": True})
        self._finish(committed=True)
        if self._is_recorded:
            # Without its row, a journal that says no more that it is through would be that of no commit.
            decisions.is_through(self.using, self.name, self._world.folder.sync if self._world.fsync else None)

    def aborted(self) -> None:
        if not self._is_of_parent():
            self._finish(committed=False)

    def in_doubt(self) -> None:
        if self._is_of_parent():
            return
        if not self._is_recorded:
            self._finish(committed=False)
        elif connections[self.using].in_atomic_block:
            # A transaction inside of a TestCase.
            self._finish(committed=decisions.exists(self.using, self.name))
        else:
            self._settle()

    def _begun(self) -> Journal | None:
        """The journal, from the first path on that the transaction has for itself."""
        if self._journal is None and self._followed is not None:
            self._journal = self._world.folder.begin(self.name, self.using)
        return self._journal

    def _see(self, change: Change) -> None:
        key = change.place.key
        if change.unless_named and key in self._latest:
            # Until the commit, and perhaps after it, what came before can be read.
            return
        self._latest[key] = change
        if change.is_tree:
            self._trees[key] = change
        elif self._trees:
            self._trees.pop(key, None)

    def _keep(self, number: int, more: Iterable[Change] = ()) -> None:
        """Only so many changes count, and these."""
        self.changes[number:] = more
        self._latest, self._trees = {}, {}
        for change in self.changes:
            self._see(change)
        if self._journal is None:
            return
        try:
            self._journal.write({"kept": number}, *(change.as_json() for change in self.changes[number:]))
        except OSError as error:
            # After a crash the journal would tell of changes that were undone. Only an abort is right for both.
            logger.exception("The journal of a transaction cannot be written any more.")
            self._broken = error

    def _settle(self) -> None:
        try:
            self._world.recovery.settle(self.using, self.name, self.changes)
        except BaseException as error:
            self._leave()
            if not isinstance(error, Undecided):
                raise
            logger.warning("Files wait for manage.py files_recover: %s", error)
        else:
            self._close()

    def _finish(self, committed: bool) -> None:
        try:
            self._end_of(self.changes, committed)
        except BaseException:
            self._leave()
            raise
        self._close()

    def _end_of(self, changes: list[Change], committed: bool) -> None:
        self._world.recovery.end(self.using, changes, committed)

    def _close(self) -> None:
        if self._journal is not None:
            self._journal.finish()
        self._paths.release()

    def _leave(self) -> None:
        """Recovery does what could not be done now."""
        if self._journal is not None:
            self._journal.leave()
            self._paths.leave()
        else:
            self._paths.release()

    def _is_of_parent(self) -> bool:
        """Whether this process was forked in the middle of the transaction, which its parent ends."""
        return self._process != os.getpid()


class World:
    """One FILES_JOURNAL, and what units need to know of their site."""

    def __init__(self, recovery: Recovery, seconds: float, fsync: bool) -> None:
        self.folder = recovery.folder
        self.recovery = recovery
        self.seconds = seconds
        self.fsync = fsync


@contextmanager
def changing(world: World, using: str) -> Iterator[Unit]:
    """The files of the current transaction; or a change of its own. What the block has noted goes if it fails."""
    world.recovery.at_first_use()
    followed = following.current(using)
    if followed is None:
        with _at_once(Unit(world, using, None)) as unit:
            yield unit
        return
    unit = followed.follower(Unit, lambda: Unit(world, using, followed))
    mark = unit.mark()
    try:
        yield unit
    except BaseException:
        unit.rolled_back(mark)
        raise


def reading(world: World, using: str) -> Unit | None:
    """The files of the current transaction, if it has changed any. Joins nothing."""
    world.recovery.at_first_use()
    followed = following.joined(using)
    return None if followed is None else followed.known(Unit)


@contextmanager
def _at_once(unit: Unit) -> Iterator[Unit]:
    try:
        yield unit
    except BaseException:
        unit.aborted()
        raise
    unit.committed()
