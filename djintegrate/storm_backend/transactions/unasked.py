"""A request's transaction for as long as nobody asks for it: Django's and Storm's statements on one connection.

Zope's own costs about as much as a short atomic() block. It is made, with what has joined, as soon as anybody
calls `transaction.get()` or what is built on it; and for every end but a commit that succeeds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from transaction import Transaction

if TYPE_CHECKING:
    from .manager import DataManager
    from .thread import Coordinator


class UnaskedTransaction:
    """Of Zope's transaction what the engine itself uses."""

    status = "Active"
    user: str | None = None

    def __init__(self, here: Coordinator, description: str) -> None:
        self._here = here
        self._description = description
        self._part: DataManager | None = None
        self._after_commit: Callable[[bool], None] | None = None
        self._made: Any = None

    def join(self, part: DataManager) -> None:
        if self._part is None:
            self._part = part
        else:
            # Several agree through Zope's.
            self.make().join(part)

    def addAfterCommitHook(self, hook: Callable[[bool], None]) -> None:
        self._after_commit = hook

    def make(self) -> Any:
        """Zope's transaction, from now on the current one, in the place of this."""
        if self._made is not None:
            return self._made
        here = self._here
        self._made = txn = here.manager._txn = Transaction(here.manager._synchs, here.manager)
        txn.description = self._description
        if self.user is not None:
            txn.user = self.user
        here.manager.unasked = None
        here.replace(self, txn)
        for connection in here.connections.values():
            if connection.part is not None and connection.part.txn is self:
                connection.part.txn = txn
        if self._part is not None:
            txn.join(self._part)
        # In the middle of a commit nobody joins any more.
        txn.status = self.status
        return txn

    def commit(self) -> None:
        """As Zope's does it, but for its bookkeeping. One part alone can take part."""
        part = self._part
        if part is not None:
            try:
                # This flushes, so that anything may happen.
                part.tpc_begin(self)
            except BaseException as error:
                self._fail(part, error)
                raise
        if self._made is not None:
            self._made.commit()
            return
        self._here.beforeCompletion(self)
        self.status = "Committing"
        if part is not None:
            try:
                part.tpc_vote(self)
            except BaseException as error:
                self._fail(part, error)
                raise
            part.tpc_finish(self._made or self)
        self._end()

    def abort(self) -> None:
        self.make().abort()

    def _fail(self, part: DataManager, error: BaseException) -> None:
        # How it is undone, and what is left of it then, Zope's transaction knows.
        part.refusal = error
        try:
            self.make().commit()
        finally:
            # It knows this part: nothing is to wait for the garbage collector.
            part.refusal = None

    def _end(self) -> None:
        made, hook = self._made, self._after_commit
        if made is not None:
            # Somebody asked in the middle of the commit.
            made.status = "Committed"
            made._synchronizers.map(lambda synchronizer: synchronizer.afterCompletion(made))
            made._callAfterCommitHooks()
            made._free()
            return
        self._free_manager()
        self._here.afterCompletion(self)
        # They know this transaction, too.
        self._part = self._after_commit = None
        if hook is not None:
            hook(True)

    def _free_manager(self) -> None:
        # As Zope's is asked to, by what runs after the commit.
        self._here.manager.unasked = None
