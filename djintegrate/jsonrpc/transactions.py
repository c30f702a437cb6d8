"""The transaction that calls belong to: the request's, or one of their own; and for each call of a batch a savepoint.

Zope's, where it was begun, or a database of Django's or a store takes part in it; else Django's, for each of its
databases. What nobody touches costs nothing: a transaction of Django's begins when a connection is first used.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from django.db import connections, transaction
from django.db.transaction import TransactionManagementError
from django.utils.functional import SimpleLazyObject

from djintegrate.common.engine import has_stores, is_engines

from .settling import settle


class RequestTransaction:
    """Used with `with`, around all calls of a request. Leaving it commits what began here, unless it is doomed."""

    def __init__(self) -> None:
        self._databases: list[Block] = []
        self._zope: ZopeTransaction | None = None

    def __enter__(self) -> RequestTransaction:
        blocks: list[Block] = []
        engines: list[Block] = []
        for alias in connections:
            connection = connections[alias]
            (engines if is_engines(connection) else blocks).append(Block(alias, connection))
        begun = _zope_has_begun(engines)
        if begun or ((engines or _has_stores()) and not any(block.is_in_another for block in engines)):
            self._zope = ZopeTransaction(begun)
        else:
            # Zope's cannot begin within a block of Django's: then the engine's connections go by Django's rules.
            blocks += engines
        for block in blocks:
            if not block.is_in_another:
                block.wait()
        self._databases = blocks
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        entered = [block for block in self._databases if not block.left_alone()]
        if self._zope is None and not entered:
            return
        with ExitStack() as stack:
            # The last is left first; an error of one has the others roll back.
            if self._zope is not None:
                stack.push(self._zope.end)
            for block in entered:
                stack.push(block.end)
            if error is not None:
                raise error

    def doom(self) -> None:
        """Have nothing of this committed, whoever began it, and whatever the answer's status is."""
        for block in self._databases:
            block.doom()
        if self._zope is not None:
            self._zope.doom()

    def settle(self) -> None:
        """Raise if what was done cannot be committed; `settling` says why that must be asked."""
        _settle(self._databases, self._zope)

    def savepoint(self) -> Savepoint:
        return Savepoint(self._databases, self._zope)


class Savepoint:
    """Used with `with`, around one call of a batch: an error that leaves it undoes what the call did."""

    def __init__(self, databases: list[Block], zope: ZopeTransaction | None) -> None:
        self._databases = [Block(block.alias, block.connection) for block in databases]
        self._zope = zope
        self._point: Any = None

    def __enter__(self) -> Savepoint:
        for block in self._databases:
            block.connection = connections[block.alias]
            block.wait()
        if self._zope is not None:
            self._point = self._zope.savepoint()
        return self

    def settle(self) -> None:
        """Raise if what the call did cannot be committed; leaving the savepoint by that error mends it."""
        _settle(self._databases, self._zope)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with ExitStack() as stack:
            for block in self._databases:
                if not block.left_alone():
                    stack.push(block.end)
            if error is not None:
                if self._point is not None:
                    self._point.rollback()
                raise error


class Block:
    """An atomic() block of Django's on one database, that may be entered late or not at all."""

    def __init__(self, alias: str, connection: Any) -> None:
        self.alias = alias
        self.connection = connection
        self._atomic: Any = None
        self._waits = False

    @property
    def is_in_another(self) -> bool:
        """Whether somebody has begun a transaction of Django's, and not just a test that rolls back what it does."""
        connection = self.connection
        if not connection.in_atomic_block:
            return False
        blocks = connection.atomic_blocks
        return not (blocks and blocks[-1]._from_testcase)

    def wait(self) -> None:
        """Enter the block as soon as anybody asks anything of the connection."""
        self._waits = True
        connections[self.alias] = SimpleLazyObject(self._enter)

    def doom(self) -> None:
        if self._is_open:
            transaction.set_rollback(True, using=self.alias)

    def settle(self) -> None:
        if self._is_open:
            settle(self.connection)

    def end(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._atomic.__exit__(kind, error, at)

    def left_alone(self) -> bool:
        """Whether nobody asked, or there is no block of this object's; from now on nobody is waited for."""
        if self._waits and self._atomic is None:
            connections[self.alias] = self.connection
        return self._atomic is None

    @property
    def _is_open(self) -> bool:
        """Whether a block is open: this object's, or somebody's around it."""
        return not self._waits or self._atomic is not None

    def _enter(self) -> Any:
        connections[self.alias] = self.connection
        atomic = transaction.atomic(using=self.alias)
        atomic.__enter__()
        self._atomic = atomic
        return self.connection


class ZopeTransaction:
    """Zope's transaction: one that was begun already is ended by whoever did."""

    def __init__(self, begun: bool) -> None:
        import transaction  # which a site without Storm need not load

        self._package: Any = transaction
        self._begun = begun
        self._doomed = False
        self._was_doomed = begun and transaction.isDoomed()
        if not begun:
            transaction.begin()

    def doom(self) -> None:
        self._doomed = True
        if self._begun and not self._package.isDoomed():
            self._package.doom()

    def settle(self) -> None:
        # The manager's get() would make a transaction, where a call has ended this one.
        found = self._package.manager.manager._txn
        if found is None:
            return
        if found.isDoomed() and not self._was_doomed:
            raise TransactionManagementError(
                "What the call did cannot be committed: it called transaction.doom(). To undo it, raise an error."
            )
        for each in list(found._resources):
            # Those of the engine, with and without a database of Django's.
            connection = getattr(each, "connection", None)
            if connection is not None and is_engines(connection):
                settle(connection)

    def savepoint(self) -> Any:
        return self._package.savepoint(optimistic=True)

    def end(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._begun:
            return
        if error is not None or self._doomed:
            self._package.abort()
            return
        try:
            self._package.commit()
        except BaseException:
            self._package.abort()
            raise


def _settle(databases: list[Block], zope: ZopeTransaction | None) -> None:
    for block in databases:
        block.settle()
    if zope is not None:
        zope.settle()


def runs_again(request: Any, error: Exception) -> bool:
    """Whether the middleware around this request would run all of it again because of this error."""
    attempt = getattr(request, "_storm_attempt", None)
    return attempt is not None and attempt.may_run_again(error)


def _has_stores() -> bool:
    """Whether there may be stores that are no database of Django's. Zope's transaction is the only one they know."""
    return has_stores() and "transaction" in sys.modules


def _zope_has_begun(engines: list[Block]) -> bool:
    """Whether this thread is in a transaction of Zope's that somebody will end.

    One that nobody has begun or joined may be left from anything that asked for the current transaction.
    """
    package = sys.modules.get("transaction")
    # The manager's get() would make a transaction, or refuse.
    found = None if package is None else package.manager.manager._txn
    if found is None:
        return False
    return not engines or bool(found._resources) or any(block.connection.data_manager is not None for block in engines)
