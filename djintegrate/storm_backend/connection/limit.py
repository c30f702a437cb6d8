"""At most so many connections to a store in one process: MAX_CONNECTIONS. They go round among the threads that work.

A connection is given back when its request ends, or its thread, and waits here for the next who needs one. Who waits
for longer than MAX_WAIT_SECONDS gets an error. Nothing here runs for a store without MAX_CONNECTIONS.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from django.db import OperationalError

from .wrapper import StormWrapper


class TooManyConnections(OperationalError):
    """A thread has waited for a connection for as long as it may."""


class Waiting:
    """A thread in the queue. When it is its turn, it has a place, and perhaps the connection that was there."""

    def __init__(self) -> None:
        self.turn = threading.Event()
        self.raw: Any = None


class Places:
    """The connections of one store in this process. Who comes first is served first."""

    def __init__(self, name: str, most: int, seconds: float) -> None:
        self._name, self._most, self._seconds = name, most, seconds
        self._idle: list[Any] = []
        self._open = 0
        # Empty as long as a connection rests, or another may be opened.
        self._queue: deque[Waiting] = deque()
        self._lock = threading.Lock()

    def take(self, connect: Callable[[], Any], is_alive: Callable[[Any], bool]) -> Any:
        """One that rests and is alive; or a new one, as soon as there may be another."""
        resting = self._take_place()
        try:
            return resting if resting is not None and is_alive(resting) else connect()
        except BaseException:
            self.closed()
            raise

    def give(self, raw: Any) -> None:
        with self._lock:
            if self._queue:
                self._call(raw)
            else:
                self._idle.append(raw)

    def closed(self) -> None:
        with self._lock:
            if self._queue:
                self._call(None)
            else:
                self._open -= 1

    def begin_anew(self) -> None:
        """In a forked child: what is open is the parent's."""
        # To let go of it would close it, with some drivers.
        _of_parent.extend(self._idle)
        self._idle, self._open, self._queue, self._lock = [], 0, deque(), threading.Lock()

    def _take_place(self) -> Any | None:
        """A place, with the connection that rests there; without one, another may be opened."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
            if self._open < self._most:
                self._open += 1
                return None
            waiting = Waiting()
            self._queue.append(waiting)
        try:
            waiting.turn.wait(self._seconds)
        except BaseException:
            # Ctrl-C, say. What this thread may have got in the meantime is for the next one.
            if self._has_turn(waiting):
                self.closed() if waiting.raw is None else self.give(waiting.raw)
            raise
        if self._has_turn(waiting):
            return waiting.raw
        raise TooManyConnections(
            f"The store {self._name!r} has no connection free: all {self._most} that this process may have "
            f"(MAX_CONNECTIONS) were in use for {self._seconds:g} seconds (MAX_WAIT_SECONDS). Raise MAX_CONNECTIONS if "
            "the server can take it, or have fewer requests at a time."
        )

    def _has_turn(self, waiting: Waiting) -> bool:
        """Whether it has; if not, it waits no longer."""
        with self._lock:
            if not waiting.turn.is_set():
                self._queue.remove(waiting)
            return waiting.turn.is_set()

    def _call(self, raw: Any) -> None:
        """Whoever has waited longest gets this place. The next one that comes does not overtake."""
        waiting = self._queue.popleft()
        waiting.raw = raw
        waiting.turn.set()


class LimitedWrapper(StormWrapper):
    """Mixed in before the wrapper of a store that has MAX_CONNECTIONS."""

    # A copy() has a connection of its own, which does not count: storm_indoubt's, say.
    goes_round = False
    _has_place = False

    def take_part(self) -> None:
        super().take_part()
        self.goes_round = True

    def is_pooled(self) -> bool:
        return self.goes_round or super().is_pooled()

    def get_new_connection(self, conn_params: Any) -> Any:
        connect = super().get_new_connection
        if not self.goes_round:
            return connect(conn_params)
        raw = places(self).take(lambda: connect(conn_params), self._is_alive)
        self._has_place = True
        return raw

    def _close(self) -> None:
        if not self._has_place:
            super()._close()
            return
        self._has_place = False
        if self.autocommit and not self.in_atomic_block and not self.errors_occurred and self.data_manager is None:
            places(self).give(self.connection)
            return
        try:
            super()._close()
        finally:
            places(self).closed()

    def _is_alive(self, raw: Any) -> bool:
        self.connection, before = raw, self.connection
        try:
            if self.is_usable():
                return True
            with contextlib.suppress(Exception):
                raw.close()
            return False
        finally:
            self.connection = before


def places(connection: Any) -> Places:
    """Those of the store that the connection is to."""
    settings = connection.settings_dict
    key = (settings["STORM_STORE"], settings["STORM_SECRET_URI"], str(settings["NAME"]), *settings["STORM_LIMIT"])
    with _making:
        if key not in _places:
            _places[key] = Places(settings["STORM_STORE"], *settings["STORM_LIMIT"])
        return _places[key]


def _begin_anew() -> None:
    global _making
    _making = threading.Lock()
    for each in _places.values():
        each.begin_anew()


_places: dict[Any, Places] = {}
_making = threading.Lock()
_of_parent: list[Any] = []
os.register_at_fork(after_in_child=_begin_anew)
