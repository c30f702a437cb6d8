"""The two kinds of connections in a pair: the primary's, which notes writes, and a replica's, which notes refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import Error
from django.db.transaction import Atomic

from ..conf import uris
from ..connection.factory import connection_of
from ..connection.limit import TooManyConnections
from ..connection.pooled import PooledDataManager
from ..connection.wrapper import StormWrapper
from ..sql import catalogue, errors
from ..sql.effects import Effect
from ..transactions.manager import DataManager, State
from . import lag, policy

READ_ONLY = "-c default_transaction_read_only=on"
CONNECT_TIMEOUT = 3
"""Seconds, unless the replica's URI says connect_timeout: a request waits for them before the primary serves."""


class PairedLayer(StormWrapper):
    """A connection that shares its alias with others."""

    pair: Any = None

    @property
    def is_in_use(self) -> bool:
        """Whether a transaction is open on it, of whatever kind."""
        has_begun = self.connection is not None and not self.autocommit
        return self.data_manager is not None or self.in_atomic_block or has_begun

    def own_block(self) -> Atomic:
        return OwnBlock(self)


class PrimaryLayer(PairedLayer):
    """In front of the other layers of a primary's connection."""

    def take_part(self) -> None:
        super().take_part()
        self.counts_writes = True

    def note_write(self) -> None:
        policy.note_write()

    def run(self, execute: Callable[[Any, Any], Any], sql: Any, params: Any) -> Any:
        # In a transaction it is the data manager that notes; after one, a callback of on_commit() may write.
        if self.data_manager is None and catalogue.effect_of(self, sql).writes:
            self.note_write()
        return super().run(execute, sql, params)


class ReplicaDataManager(DataManager):
    """A part in a transaction that writes nothing, whatever it looks like: the database would have refused."""

    connection: Any

    def note(self, sql: object) -> Effect:
        effect = super().note(sql)
        self.wrote = False
        return effect

    def note_unseen(self) -> None:
        super().note_unseen()
        self.wrote = False

    def _rollback(self, goes_on: bool) -> None:
        try:
            super()._rollback(goes_on)
        except Error:
            # The replica is lost, and nothing with it.
            self.connection.discard()


class ReplicaLayer(PairedLayer):
    """In front of the other layers of a connection to a replica."""

    two_phase = False
    data_manager_class = ReplicaDataManager
    # What this process knows of the replica.
    known: lag.Replica

    def note_error(self, error: BaseException) -> None:
        is_lost = self.connection is None or bool(self.connection.closed)
        if is_lost:
            self.known.has_failed()
        here = policy.current()
        if here is None:
            return
        if errors.is_refused_by_replica(error):
            here.run.was_refused = True
        elif is_lost or errors.is_retryable(self.vendor, error):
            here.run.was_let_down = True

    def answer(self) -> lag.Answer:
        """What the replica says of its lag."""
        if self.connection is None:
            self.connect()
        try:
            return lag.answer_on(self.connection)
        except self.Database.Error:
            if not self._may_connect_anew:
                raise
        # The connection may be from before a restart.
        self.discard()
        self.connect()
        return lag.answer_on(self.connection)

    def receiver_timeout(self) -> float:
        """In how many seconds the replica notices that the way to its primary is cut. 0: never."""
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT setting FROM pg_settings WHERE name = 'wal_receiver_timeout'")
            return int(cursor.fetchone()[0]) / 1000

    def can_be_reached(self) -> bool:
        if self.connection is None:
            try:
                self.connect()
            except TooManyConnections:
                raise
            except Exception:
                # Each driver has its own ways to say that nobody answers.
                self.known.has_failed()
                return False
        return True

    @property
    def _may_connect_anew(self) -> bool:
        data_manager = self.data_manager
        return not self.in_atomic_block if data_manager is None else data_manager.state is State.WAITING


class PooledReplicaDataManager(ReplicaDataManager, PooledDataManager):
    """The same, behind a pooler."""


class PooledReplicaLayer(ReplicaLayer):
    """In front of the other layers, where a pooler lends the session."""

    data_manager_class = PooledReplicaDataManager


class OwnBlock(Atomic):
    """An atomic() block on one connection of a pair. Django asks for the connection by its alias."""

    def __init__(self, connection: PairedLayer) -> None:
        super().__init__(connection.alias, True, False)
        self._connection = connection

    def __enter__(self) -> None:
        with policy.standing_for_its_alias(self._connection):
            super().__enter__()

    def __exit__(self, *error: Any) -> None:
        with policy.standing_for_its_alias(self._connection):
            super().__exit__(*error)


def replica_on(primary: PrimaryLayer, uri: str) -> ReplicaLayer:
    """A connection to the replica with this URI, which takes no part in transactions yet."""
    layer = PooledReplicaLayer if primary.is_lent else ReplicaLayer
    settings = _settings_of_replica(primary.settings_dict, uri, is_lent=primary.is_lent)
    replica = connection_of(settings, primary.alias, layer)
    assert isinstance(replica, ReplicaLayer)
    return replica


def _settings_of_replica(primary: dict[str, Any], uri: str, is_lent: bool) -> dict[str, Any]:
    """Those of the primary's connection, but for what the replica's URI says."""
    location = uris.location(uri)
    of_uri = uris.location(primary["STORM_SECRET_URI"]).settings["OPTIONS"]
    # The primary's has the options of its own URI as well as those of the DATABASES entry, which are for both. A pool
    # would have a request wait for a replica that is dead.
    given = {name: value for name, value in primary["OPTIONS"].items() if of_uri.get(name) != value and name != "pool"}
    options = {"connect_timeout": CONNECT_TIMEOUT, **location.settings["OPTIONS"], **given}
    if "isolation_level" in options:
        options["isolation_level"] = _isolation_of_standby(options["isolation_level"])
    if not is_lent:
        # A pooler would refuse it, or ignore it. Whether it holds is asked with the lag.
        options["options"] = f"{options.get('options', '')} {READ_ONLY}".strip()
    return {**primary, **location.settings, "OPTIONS": options, "STORM_SECRET_URI": uri}


def _isolation_of_standby(level: Any) -> Any:
    # A hot standby has no serializable transactions. The nearest to them is a snapshot.
    from django.db.backends.postgresql.psycopg_any import IsolationLevel

    return IsolationLevel.REPEATABLE_READ if IsolationLevel(level) is IsolationLevel.SERIALIZABLE else level
