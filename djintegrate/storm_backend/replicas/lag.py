"""How far a replica is behind its primary, as this process knows it: asked at most once a second.

Asked of the replica itself, by its position in the log and by its receiver, so that an idle primary is no lag.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..connection.limit import TooManyConnections

ASKED_EVERY = 1.0
"""Seconds for which an answer is used. It ages: by its end the replica may be a second further behind."""
DEAD_FOR = 30.0
"""Seconds after which a replica that could not be asked is asked again."""

# The receiver's position is read after that of the replay, so that what arrives in between is a lag and not overlooked.
# Without pg_read_all_stats only the receiver's pid is seen; when it has lost its primary, there is none.
QUESTION = """
SELECT (SELECT pid FROM pg_stat_wal_receiver WHERE coalesce(status, 'streaming') = 'streaming'),
       pg_last_wal_replay_lsn()
       >= greatest(pg_last_wal_receive_lsn(), (SELECT latest_end_lsn FROM pg_stat_wal_receiver)),
       CAST(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) AS float),
       CAST(current_setting('default_transaction_read_only') AS boolean)
"""

clock = time.monotonic
logger = logging.getLogger("djintegrate.storm_backend")


@dataclass(frozen=True)
class Answer:
    """What a replica says of itself."""

    # The process that receives the log; None if there is none.
    receiver: int | None
    has_replayed_all: bool | None
    # Since the last transaction that was replayed was committed.
    seconds: float | None
    # Whether the connection takes no write, even after a promotion.
    is_read_only: bool = True

    @property
    def lag(self) -> float:
        """In seconds; infinite for what is no replica, or not to be used as one."""
        if self.receiver is None or not self.is_read_only:
            return math.inf
        if self.has_replayed_all:
            return 0
        return math.inf if self.seconds is None else self.seconds


def answer_on(raw_connection: Any) -> Answer:
    """Ask on a driver's connection, past whoever watches Django's."""
    with raw_connection.cursor() as cursor:
        cursor.execute(QUESTION)
        return Answer(*cursor.fetchone())


class Replica:
    """One replica of a store, for all threads of this process."""

    def __init__(self, name: str, most: float) -> None:
        """`name` is for the log; `most` is how many seconds it may be behind."""
        self.name = name
        self.most = most
        self._lock = threading.Lock()
        self._not_before = -math.inf
        self._is_dead = False
        self._receiver: int | None = None
        # When it was last asked and had replayed all that it had received.
        self._level_at = -math.inf
        # Until when it is near enough to its primary, as far as is known.
        self._serves_until = -math.inf

    def may_serve(self, ask: Callable[[], Answer]) -> bool:
        """Whether it is near enough now. One thread asks; for others it may not serve as long as no answer is there."""
        began = clock()
        if began <= self._serves_until:
            return True
        with self._lock:
            if began < self._not_before:
                return False
            # Nobody else asks while the answer is not there: it may be long in coming.
            self._not_before = began + DEAD_FOR
        try:
            answer = ask()
        except TooManyConnections:
            # That says nothing of the replica.
            self._not_before = began
            raise
        except Exception as error:
            # Each driver has its own ways to say that nobody answers.
            self._is_dead = True
            logger.warning(
                "The replica %s cannot be reached, and is asked again in %d seconds: %s", self.name, DEAD_FOR, error
            )
            return False
        if self._is_dead:
            self._is_dead = False
            logger.warning("The replica %s can be reached again.", self.name)
        self._serves_until = began + min(ASKED_EVERY, self.most - self._lag(answer, began))
        self._not_before = began + ASKED_EVERY
        return clock() <= self._serves_until

    def _lag(self, answer: Answer, now: float) -> float:
        if answer.lag == math.inf or answer.receiver != self._receiver:
            # A receiver that has just begun does not know yet how far its primary is.
            self._receiver, self._level_at = answer.receiver, -math.inf
            return math.inf
        if answer.has_replayed_all:
            self._level_at = now
        # Where nothing was committed for long, the log of a vacuum would look like a long lag until it is replayed.
        return min(answer.lag, now - self._level_at)

    def has_failed(self) -> None:
        """A connection to it was lost: whether it still serves is to be asked."""
        self._serves_until = -math.inf
        self._not_before = -math.inf


@cache
def replica(store: str, number: int, uri: str, most: float) -> Replica:
    """What this process knows of a replica: one object for all threads. The URI is a part of what it is known by."""
    return Replica(f"{number + 1} of the store {store!r}", most)
