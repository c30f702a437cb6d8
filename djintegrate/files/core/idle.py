"""The journals of this process that no transaction is in: each waits for the next, open and locked.

To write into a file that is there costs a disk less than to make one, and less than to give it another name.
"""

from __future__ import annotations

import os
from typing import Generic, Protocol, TypeVar

AT_MOST = 8


class Waiting(Protocol):
    """What a journal is to those that wait."""

    def has_one_name(self) -> bool: ...

    def remove(self) -> None: ...

    def leave(self) -> None: ...


J = TypeVar("J", bound=Waiting)


class Idle(Generic[J]):
    def __init__(self) -> None:
        self._process = os.getpid()
        self._journals: list[J] = []

    def take(self) -> J | None:
        """One that can be begun. None if there is none."""
        self._after_fork()
        while self._journals:
            try:
                journal = self._journals.pop()
            except IndexError:
                # Another thread was faster.
                return None
            if journal.has_one_name():
                return journal
            # A marker could not be removed: it would name the next transaction. Or the file is gone.
            journal.remove()
        return None

    def keep(self, journal: J) -> bool:
        """Have it wait, unless enough do."""
        self._after_fork()
        if len(self._journals) >= AT_MOST:
            return False
        self._journals.append(journal)
        return True

    def _after_fork(self) -> None:
        if self._process != os.getpid():
            # Those of the parent are the parent's.
            self._process = os.getpid()
            parents, self._journals = self._journals, []
            for journal in parents:
                journal.leave()
