"""What `connections[alias]` is for a store with REPLICAS: whichever of its connections the policy names.

As `django.db.connection` stands for `connections["default"]`, a pair stands for one of two connections, each of which
has its own store, its own part in Zope's transaction, and its own state.
"""

from __future__ import annotations

import random
from typing import Any

from .. import conf
from ..conf import uris
from ..connection.factory import connection_of
from ..connection.wrapper import StormWrapper
from ..transactions import thread
from . import lag, policy
from .connections import PrimaryLayer, replica_on


def pair_of(settings_dict: dict[str, Any], alias: str, store: conf.StoreSettings) -> Pair:
    """The pair of a DATABASES entry."""
    primary = connection_of(settings_dict, alias, PrimaryLayer)
    primary.take_part()
    return Pair(primary, store)


class Pair:
    """A primary's connection, and those of its replicas that this thread has used."""

    def __init__(self, primary: Any, store: conf.StoreSettings) -> None:
        self.__dict__.update(
            primary=primary,
            store_name=store.name,
            _uris=store.replicas,
            _states=[
                lag.replica(store.name, number, uri, store.max_lag_seconds) for number, uri in enumerate(store.replicas)
            ],
            _replicas={},
            # The transaction of Zope's in which a replica was last chosen, if one was begun then.
            _begun=None,
            _database=uris.location(store.uri).settings["NAME"],
        )
        primary.pair = self

    @property
    def itself(self) -> Any:
        """The connection that this stands for now."""
        here = policy.current()
        return self.primary if here is None else here.connection_of(self)

    # What concerns all of its connections

    def members(self) -> dict[str, Any]:
        return {connection.key: connection for connection in self._all()}

    def close(self) -> None:
        for connection in self._all():
            connection.close()

    def close_if_unusable_or_obsolete(self) -> None:
        for connection in self._all():
            connection.close_if_unusable_or_obsolete()

    def inc_thread_sharing(self) -> None:
        for connection in self._all():
            connection.inc_thread_sharing()

    def dec_thread_sharing(self) -> None:
        for connection in self._all():
            connection.dec_thread_sharing()

    # What is the primary's, whoever asks

    @property
    def settings_dict(self) -> dict[str, Any]:
        settings: dict[str, Any] = self.primary.settings_dict
        return settings

    def copy(self, *args: Any, **kwargs: Any) -> Any:
        return self.primary.copy(*args, **kwargs)

    # What the policy asks

    def choose(self) -> int | None:
        """The number of a replica that may serve now, if there is one."""
        self.__dict__["_begun"] = thread.current().begun
        if self.settings_dict["NAME"] != self._database:
            # A test database: what a test has not committed is on no replica.
            return None
        for number in random.sample(range(len(self._uris)), len(self._uris)):
            replica, state = self.replica(number), self._states[number]
            if state.may_serve(replica.answer) and replica.can_be_reached():
                return number
        return None

    def may_keep(self, number: int | None) -> bool:
        """Whether what was chosen is kept: to the end of a transaction, and after that as long as it may serve."""
        begun = thread.current().begun
        if begun is not None:
            # The first statement in a transaction chooses for all of it.
            return self._begun is begun
        if (self.primary if number is None else self.replica(number)).is_in_use:
            return True
        return number is not None and self._states[number].may_serve(self.replica(number).answer)

    def replica(self, number: int) -> Any:
        """This thread's connection to the replica with this number."""
        if number not in self._replicas:
            self._replicas[number] = self._new_replica(number)
        return self._replicas[number]

    def _new_replica(self, number: int) -> Any:
        primary: Any = self.primary
        replica = replica_on(primary, self._uris[number])
        replica.pair, replica.key, replica.known = self, f"{primary.key} replica {number}", self._states[number]
        # `connection.queries` has what was asked of either.
        replica.queries_log = primary.queries_log
        replica.take_part()
        return replica

    def _all(self) -> list[StormWrapper]:
        return [self.primary, *self._replicas.values()]

    # Everything else is the one's that it stands for

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        # Of the same kind are they all; and who only looks for that needs no replica.
        return type(self.primary)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.itself, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.itself, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self.itself, name)
