"""Associations that this process had from the database lately, so that it need not load them again to check an answer.

Whether one is still good the database alone says, when the answer's nonce is used.
"""

from __future__ import annotations

import threading
import time

from openid.association import Association

SECONDS = 5 * 60
SIZE = 1000


class RecentAssociations:
    def __init__(self, seconds: float = SECONDS, size: int = SIZE) -> None:
        self._seconds = seconds
        self._size = size
        self._entries: dict[tuple[str, str], tuple[float, Association]] = {}
        self._lock = threading.Lock()

    def add(self, server_url: str, association: Association) -> None:
        key = (server_url, association.handle)
        with self._lock:
            self._entries.pop(key, None)
            self._entries[key] = (time.monotonic() + self._seconds, association)
            if len(self._entries) > self._size:
                del self._entries[next(iter(self._entries))]

    def get(self, server_url: str, handle: str) -> Association | None:
        until, association = self._entries.get((server_url, handle), (0.0, None))
        usable = association is not None and time.monotonic() < until and association.expiresIn > 0
        return association if usable else None

    def discard(self, server_url: str, handle: str) -> None:
        with self._lock:
            self._entries.pop((server_url, handle), None)


recent = RecentAssociations()
