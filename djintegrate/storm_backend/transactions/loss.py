"""What the log says of what was written and is lost; and the end of a thread, with which all goes that is open."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from typing import Any

from . import turns
from .interfaces import OPEN, Connection

# Why something is lost, and what to do.
_REMEDY = "Put `with transaction.manager:` around the work."
LEFT = f"nobody has committed it, and the thread or the process ends. {_REMEDY}"
REPLACED = f"nobody has committed it, and another transaction begins. {_REMEDY}"
NESTED = (
    "another transaction begins before the one that was begun is committed, which aborts it. Do not put one `with "
    "transaction.manager:` into another, nor into a request, which is in one: use atomic() for the inner one."
)

logger = logging.getLogger("djintegrate.storm_backend")


def tell(data_manager: Any, why: str) -> None:
    """Say in the log that what was written is lost, if anything was."""
    if data_manager.txn.status in OPEN and data_manager.has_something_to_lose:
        logger.warning("What was written to the store %r is lost, by Storm and by Django: %s", data_manager.name, why)


class EndOfThread:
    """Goes when its thread does, and has closed what the thread opened.

    The connections are in reference cycles, and would stay open until the garbage collector came by. The thread's
    transactions may be kept as well, by an error whose traceback has one of its frames. Nobody but the thread knows
    this object.
    """

    def __init__(self, connections: dict[str, Connection]) -> None:
        self._connections = connections
        self._thread = threading.get_ident()
        self._process = os.getpid()
        self._has_told = False

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            # A forked child has a copy of this object, and leaves alone what its parent has open.
            if os.getpid() == self._process:
                self.tell_of_what_is_lost()
                for connection in self._connections.values():
                    connection.close_at_end_of_thread(self._thread)

    def tell_of_what_is_lost(self) -> None:
        """Say in the log, once, what was written and nobody has committed."""
        if self._has_told:
            return
        self._has_told = True
        for connection in self._connections.values():
            data_manager = connection.data_manager
            # On a shared connection it may be another thread's.
            if data_manager is not None and data_manager.scope.root is None and connection not in turns.shared:
                tell(data_manager, LEFT)
