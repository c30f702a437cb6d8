"""What a crash has left prepared: what there is of it, what is to become of it, and how that is done.

A transaction is to be committed if a store has recorded its commit (see `global_transaction`), and to be rolled back
if none has. Never touches what another site, or another program, has prepared.
"""

from __future__ import annotations

import enum
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import Error, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from .. import conf
from ..sql import catalogue, errors
from . import branches, decision_log

READ_ONLY = {
    "postgresql": "SELECT current_setting('transaction_read_only')::boolean",
    "mysql": "SELECT @@read_only OR @@tx_read_only",
}
SECONDS_TO_KEEP_REFUSALS = 86400
"""So long a refusal is kept: a process that is still alive finds by it that its transaction was refused."""


class Verdict(enum.Enum):
    COMMIT = "committed"
    ROLLBACK = "rolled back"
    UNKNOWN = "unknown"


class CannotEnd(Exception):
    """A transaction could not be ended; the message says why, and what to do."""


@dataclass(frozen=True)
class Doubt:
    """A transaction of this site that is prepared somewhere."""

    transaction: str
    stores: tuple[str, ...]
    verdict: Verdict
    why: str

    @property
    def age(self) -> float:
        """How many seconds ago it began, by the clocks of this machine and of the one where it began."""
        return max(0.0, time.time() - branches.begun_at(self.transaction))


@dataclass
class Place:
    """A store as it was found."""

    name: str
    wrapper: BaseDatabaseWrapper
    # What is prepared here and ours, what is recorded here, and what others have prepared.
    prepared: set[str] = field(default_factory=set)
    records: dict[str, bool] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)
    error: Error | None = None
    # Nothing can be ended or recorded here, a hot standby say; what is recorded here counts all the same.
    is_read_only: bool = False

    @property
    def is_missing(self) -> bool:
        """Whether the store is a file that does not exist, perhaps not mounted: to connect would create it."""
        return self.wrapper.vendor == "sqlite" and not os.path.exists(str(self.wrapper.settings_dict["NAME"]))

    def end(self, transaction: str, commit: bool) -> None:
        try:
            xid = branches.Xid(transaction, branches.branch_of(self.name, self.wrapper))
            branches.end(self.wrapper, xid, commit)
        except Error as error:
            raise CannotEnd(
                f"The store {self.name!r} says: {error}. Only the user who prepared a transaction, or a superuser, can "
                "end it; and MariaDB lets nobody while it has the connection of a machine that is gone: KILL that."
            ) from error


class Survey:
    """Stores of the site, each on a connection of its own: `connections` has one for each store's name."""

    def __init__(self, connections: Mapping[str, BaseDatabaseWrapper]) -> None:
        self.site = conf.site()
        # What a database in memory held is gone with its process.
        self.places = [
            Place(name, connection)
            for name, connection in connections.items()
            if not (connection.vendor == "sqlite" and connection.is_in_memory_db())
        ]

    def look(self, say: Callable[[str], object] = lambda line: None) -> None:
        """Read what is prepared, in all places, and then what is recorded; `say` is told of each place once."""
        for read in (self._read_prepared, self._read_records):
            for number, place in enumerate(self.places, start=1):
                try:
                    if place.is_missing:
                        raise OperationalError(
                            f"there is no file {place.wrapper.settings_dict['NAME']!r}. Bring it back; if the store "
                            "was never used, an empty file will do"
                        )
                    read(place)
                except Error as error:
                    place.error = error
                if read == self._read_prepared:
                    found = f"{len(place.prepared)} prepared" if place.error is None else "cannot be reached"
                    say(f"[{number}/{len(self.places)}] {place.name}: {found}")

    @property
    def unreachable(self) -> list[Place]:
        return [place for place in self.places if place.error is not None]

    @property
    def others(self) -> set[str]:
        """The transactions of other sites, and of stores that this one does not have."""
        return {name for place in self.places for name in place.others} - self._prepared()

    def doubts(self) -> list[Doubt]:
        """What is prepared, the oldest first."""
        return [self._doubt(name) for name in sorted(self._prepared(), key=branches.begun_at)]

    def end(self, doubt: Doubt, commit: bool, by_force: bool = False) -> bool:
        """Commit `doubt`, or roll it back, in all stores. True if it was committed, now or before by its process."""
        if not (commit or by_force):
            commit = self._refuse(doubt)
        for place in self._writable():
            if doubt.transaction in place.prepared:
                place.end(doubt.transaction, commit)
        return commit

    def forget(self, older_than: float) -> None:
        """Delete the records that nothing prepared needs any more."""
        if any(not place.is_missing for place in self.unreachable):
            return
        # A record that was read before nothing was prepared under its name is no longer needed.
        found = [place for place in self._writable() if not place.is_missing]
        for place in found:
            self._read_prepared(place)
        prepared = self._prepared()
        for place in found:
            done = [
                name
                for name, committed in place.records.items()
                if name not in prepared
                and branches.is_of_site(name, self.site)
                and time.time() - branches.begun_at(name) > (older_than if committed else SECONDS_TO_KEEP_REFUSALS)
            ]
            decision_log.forget(place.wrapper, done)

    def _doubt(self, name: str) -> Doubt:
        where = tuple(place.name for place in self._writable() if name in place.prepared)
        recorded = [place.name for place in self.places if place.records.get(name)]
        if recorded:
            return Doubt(name, where, Verdict.COMMIT, f"{recorded[0]!r} has recorded its commit.")
        if self.unreachable:
            missing = ", ".join(repr(place.name) for place in self.unreachable)
            return Doubt(name, where, Verdict.UNKNOWN, f"{missing} cannot be asked.")
        return Doubt(name, where, Verdict.ROLLBACK, "No store has recorded its commit.")

    def _refuse(self, doubt: Doubt) -> bool:
        """Keep every store from recording the commit from now on. True if one has recorded it before."""
        if self.unreachable:
            raise CannotEnd(f"{doubt.why} Bring it up, or say --force if it is lost.")
        # Two stores may be on one database, which has one record for both.
        databases: defaultdict[Any, list[Place]] = defaultdict(list)
        for place in self._writable():
            databases[catalogue.place(place.wrapper)].append(place)
        holders: list[Place] = []
        for places in databases.values():
            name, wrapper = places[0].name, places[0].wrapper
            prepared = [place for place in places if doubt.transaction in place.prepared]
            try:
                if decision_log.settle(wrapper, doubt.transaction, wait=not prepared):
                    return True
            except Error as error:
                if not errors.is_retryable(wrapper.vendor, error):
                    raise CannotEnd(f"The store {name!r} says: {error}") from error
                if not prepared:
                    raise CannotEnd(f"The store {name!r} is committing it just now. Look again.") from error
                # What is prepared here has the record in it. To roll that back is the decision.
                holders += prepared
        for place in holders:
            place.end(doubt.transaction, commit=False)
            if decision_log.settle(place.wrapper, doubt.transaction):
                return True
        return False

    def _writable(self) -> list[Place]:
        return [place for place in self.places if not place.is_read_only]

    def _prepared(self) -> set[str]:
        return {name for place in self._writable() for name in place.prepared}

    def _read_prepared(self, place: Place) -> None:
        if place.wrapper.vendor == "sqlite":
            place.is_read_only = not os.access(str(place.wrapper.settings_dict["NAME"]), os.W_OK)
        else:
            [(is_read_only,)] = branches.run(place.wrapper, READ_ONLY[place.wrapper.vendor])
            place.is_read_only = bool(is_read_only)
        found = branches.all_prepared(place.wrapper)
        here = branches.branch_of(place.name, place.wrapper)
        place.prepared = {
            xid.transaction for xid in found if xid.branch == here and branches.is_of_site(xid.transaction, self.site)
        }
        place.others = {xid.transaction for xid in found} - place.prepared

    def _read_records(self, place: Place) -> None:
        place.records = decision_log.outcomes(place.wrapper)


@contextmanager
def survey(
    connections: Mapping[str, BaseDatabaseWrapper], say: Callable[[str], object] = lambda line: None
) -> Iterator[Survey]:
    """A survey that has looked, and closes its connections."""
    found = Survey(connections)
    try:
        found.look(say)
        yield found
    finally:
        for place in found.places:
            place.wrapper.close()
