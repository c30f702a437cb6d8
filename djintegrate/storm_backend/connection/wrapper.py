"""The thin layer that makes a native Django backend share its connection with Storm.

It decides when the connection joins Zope's transaction; everything else is the native
backend's. What the connection is in that transaction, and how it ends, is in `parts`.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import transaction
from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import TransactionManagementError

from .. import conf
from ..stores.coherence import WatchedCursor, watched
from ..transactions import thread as coordinator
from ..transactions.parts import ConnectionPart
from .atomic_state import depth_of_testcase
from .django_block import DjangoBlock
from .testcase_part import SavepointPart
from .zope_block import ZopeBlock

if TYPE_CHECKING:
    from ..stores import SharedStore

logger = logging.getLogger("djintegrate.storm_backend")


class StormEngine(BaseDatabaseWrapper):
    """Mixed in before the DatabaseWrapper of a native backend."""

    # The Storm store on this connection, once somebody asked for it.
    store: SharedStore | None = None
    # The driver's connection, while there is one.
    connection: Any
    # What this connection is in Zope's transaction, if it is in one.
    part: ConnectionPart | None = None
    # Only connections[alias] takes part; a copy() of it is a connection of its own.
    takes_part = False
    rollback_requested = False
    has_sister_stores = False
    _lonely_block: Any = None
    # Whether its transactions are branches of a two-phase commit, and what they are then: see `twophase`.
    two_phase = False
    zope_block: type[ZopeBlock] = ZopeBlock
    django_block: type[DjangoBlock] = DjangoBlock

    @cached_property
    def store_name(self) -> str:
        return str(self.settings_dict["STORM_STORE"])

    def take_part(self) -> None:
        """Follow the transactions of this thread from now on."""
        self.takes_part = True
        self.has_sister_stores = len(conf.stores()) > 1
        here = coordinator.current()
        here.add(self)
        self.expect(here.begun)

    # Joining

    def expect(self, begun: Any) -> None:
        """Be ready to join the transaction that this thread has begun, if it has."""
        if begun is None or self.part is not None or self.open_blocks() or self.is_manual():
            return
        if coordinator.can_be_joined(begun):
            self._wait_for(begun)

    def enlist(self) -> None:
        """Storm is about to use the connection: be in a transaction."""
        self.validate_thread_sharing()
        if self.part is None:
            # Joins what Django has open, and asks whom Django's statements ask: a TestCase forbids the databases
            # that it does not name.
            self.cursor().close()
        if self.part is None:
            txn = transaction.get()
            # That alone may have let an open block join.
            if self.part is None:
                self._wait_for(txn)
        if self.part is not None:
            if self.part.waiting:
                # Storm's statements are not repeated, so Django is to ask.
                self.close_if_health_check_failed()
                self.part.start()
            if self.store is not None and self.part.store is not self.store:
                self.part.use(self.store)

    def open_blocks(self) -> list[Any]:
        """The open atomic() blocks, without the test's and the engine's own."""
        if self.part is not None:
            return self.part.open_blocks()
        return [block for block in self.atomic_blocks if not block._from_testcase]

    def is_manual(self) -> bool:
        """Whether Django's manual transaction mode is on."""
        if self.in_atomic_block:
            return False
        if self.connection is None:
            return not self.settings_dict["AUTOCOMMIT"]
        return not self.autocommit

    def is_pooled(self) -> bool:
        """Whether the connection is lent by Django's pool, and goes back to it after each request."""
        return bool(self.settings_dict["OPTIONS"].get("pool"))

    def _wait_for(self, txn: Any) -> None:
        self.rollback_requested = False
        if self.in_atomic_block:
            self.part = SavepointPart(self, txn, savepoint=None)
        elif self.is_manual():
            self.part = self.django_block(self, txn)
        else:
            self.part = self.zope_block(self, txn)
        self.part.wait()

    def _join(self) -> None:
        """Before a statement of Django's: be in the transaction that it belongs to, if any."""
        if self.part is not None:
            if self.part.waiting:
                self._start_waiting()
        elif self.takes_part and (self.in_atomic_block or not self.autocommit):
            self._join_open_transaction()

    def _start_waiting(self) -> None:
        if self.part is None or not self.part.waiting or self.part.busy:
            return
        if coordinator.can_be_joined(self.part.txn):
            self.part.start()
        else:
            # A hook, or another data manager, in the middle of the commit: as natively.
            self.part.dismiss()

    def _join_open_transaction(self) -> None:
        """If Django has opened a transaction, let it join Zope's."""
        if self.needs_rollback or self.connection is None:
            return
        if not (self.in_atomic_block or self.is_manual()):
            return
        depth = depth_of_testcase(self)
        savepoint = self.savepoint_ids[depth - 1] if 0 < depth <= len(self.savepoint_ids) else None
        if depth and savepoint is None:
            # The test's own blocks stay outside. So does an outermost atomic(savepoint=False) in them: nothing would
            # tell when it is left.
            return
        if self._is_alone(depth):
            self._lonely_block = self.atomic_blocks[0]
            return
        txn = coordinator.transaction_for_django()
        if txn is None:
            return
        if depth:
            self.part = SavepointPart(self, txn, savepoint)
            self.part.start()
        else:
            self.join_block(txn)

    def join_block(self, txn: Any) -> None:
        """Let Django's own transaction be part of `txn`."""
        self.part = self.django_block(self, txn)
        self.part.start()

    def _is_alone(self, depth: int) -> bool:
        # With sister stores, writes are counted from the first one.
        if depth or self.has_sister_stores or not (self.in_atomic_block and self.commit_on_exit):
            return False
        return not coordinator.current().has_transaction()

    def has_lonely_block(self) -> bool:
        """Whether Django's statements, in a block, were alone so far: Zope's transaction was not even made."""
        return self.part is None and self._lonely_block is not None and self._lonely_block in self.atomic_blocks[:1]

    # Django's hooks: a statement, a connection

    def _cursor(self, name: str | None = None) -> Any:
        self._join()
        return super()._cursor(name)

    def make_cursor(self, cursor: Any) -> Any:
        return WatchedCursor(cursor, self)

    def make_debug_cursor(self, cursor: Any) -> Any:
        wrapped = super().make_debug_cursor(cursor)
        kind: Any = type(wrapped)
        wrapped.__class__ = watched(kind)
        return wrapped

    def get_autocommit(self) -> bool:
        self._start_waiting()
        return super().get_autocommit()

    def temporary_connection(self) -> AbstractContextManager[Any]:
        # Django closes one that it opened. In a transaction that would end it.
        if self.part is not None:
            self.ensure_connection()
        context: AbstractContextManager[Any] = super().temporary_connection()
        return context

    def connect(self) -> None:
        if isinstance(self.part, DjangoBlock):
            # Its connection was closed, and Django leaves such a block without a word.
            self.part.txn.abort()
        super().connect()
        if self.settings_dict["CONN_MAX_AGE"] == 0 and not self.is_pooled():
            # Storm's connections live as long as their thread. One that a request finds
            # dead is replaced before its first statement.
            self.close_at = None
            self.health_check_enabled = True

    def close(self) -> None:
        self.abort_transaction()
        if isinstance(self.part, ZopeBlock) and self.part.waiting:
            # The block has not touched the database, so nothing of it is lost.
            self.in_atomic_block = False
            try:
                super().close()
            finally:
                self.in_atomic_block = True
            return
        super().close()
        if self.part is not None and (self.connection is None or self.closed_in_transaction):
            # What was done on it is lost, and must not look committed.
            self.needs_rollback = True

    def abort_transaction(self, even_begun: bool = False) -> None:
        """Abort what Storm has joined and nobody has begun; or anything that no atomic() block of Django's holds."""
        part = self.part
        if not isinstance(part, ZopeBlock) or part.busy or part.open_blocks():
            return
        if even_begun or part.txn is not coordinator.current().begun:
            part.txn.abort()

    def close_at_end_of_thread(self, thread: int) -> None:
        """Close what this thread has opened, unless other threads may use it."""
        if self._thread_ident != thread or self.allow_thread_sharing:
            return
        with contextlib.suppress(Exception):
            self._close()
        self.connection = None

    def close_if_unusable_or_obsolete(self) -> None:
        # Called where a request begins and where it ends.
        if isinstance(self.part, ZopeBlock):
            logger.error(
                "A transaction on the store %r was neither committed nor aborted before the request ended. It is "
                "aborted now.",
                self.store_name,
            )
            self.part.txn.abort()
        super().close_if_unusable_or_obsolete()

    # Django's hooks: transactions

    def on_commit(self, func: Callable[[], object], robust: bool = False) -> None:
        # Whoever waits for a commit takes part in it.
        if self.in_atomic_block:
            self._join()
        super().on_commit(func, robust)

    def set_autocommit(self, autocommit: bool, force_begin_transaction_with_broken_autocommit: bool = False) -> None:
        if self.part is not None and autocommit and isinstance(self.part, DjangoBlock) and not self.in_atomic_block:
            raise TransactionManagementError(
                "Autocommit cannot be turned on in the middle of a transaction. Call commit() or rollback() first."
            )
        super().set_autocommit(autocommit, force_begin_transaction_with_broken_autocommit)

    def set_rollback(self, rollback: bool) -> None:
        super().set_rollback(rollback)
        self.rollback_requested = rollback

    def commit(self) -> None:
        if self.part is None or self.part.busy or self.part.waiting:
            super().commit()
            return
        self.validate_thread_sharing()
        self.validate_no_atomic_block()
        self.part.commit_by_django()

    def commit_database(self) -> None:
        """What Django's commit() does after its checks, which `commit` has made."""
        self._commit()
        self.errors_occurred = False
        self.run_commit_hooks_on_set_autocommit_on = True

    def rollback(self) -> None:
        part = self.part
        if part is None or part.busy:
            super().rollback()
            return
        self.validate_thread_sharing()
        self.validate_no_atomic_block()
        part.rollback_by_django()
        if not isinstance(part, DjangoBlock):
            # The end of a TestCase class: its transaction is around the part.
            super().rollback()

    def savepoint(self) -> Any:
        # What Storm has pending was done before the savepoint.
        try:
            self._flush_store()
        except Error as error:
            # Storm does not try it again, so that to go on would be to lose it.
            self.needs_rollback, self.rollback_exc = True, error
            raise
        return super().savepoint()

    def savepoint_commit(self, sid: str | None) -> None:
        part = self.part
        if part is not None and not part.busy:
            if sid == part.root:
                part.commit_by_django()
                return
            # What Storm has pending was done inside of the savepoint.
            self._flush_store()
        super().savepoint_commit(sid)

    def savepoint_rollback(self, sid: str | None) -> None:
        part = self.part
        if part is not None and not part.busy:
            if sid == part.root:
                part.rollback_by_django()
                return
            if part.is_inside(sid):
                part.txn.abort()
        super().savepoint_rollback(sid)
        if part is not None and part.store is not None and not part.busy:
            part.store.forget_changes()
        if self.part is None and not self.open_blocks():
            # A test of a TestCase ends. The next one is not to find its failed commit.
            coordinator.abort_failed()

    @contextlib.contextmanager
    def in_one_phase(self) -> Iterator[None]:
        """For statements that a two-phase transaction cannot have: MariaDB makes no tables in one."""
        two_phase, self.two_phase = self.two_phase, False
        try:
            yield
        finally:
            self.two_phase = two_phase

    def begin_explicitly(self) -> None:
        """BEGIN, on a database where turning autocommit off does not."""
        if hasattr(self, "_start_transaction_under_autocommit"):
            self._start_transaction_under_autocommit()

    def _savepoint_allowed(self) -> bool:
        # SQLite's backend allows them only inside atomic(); Zope's savepoints are not.
        return self.part is not None or super()._savepoint_allowed()

    def _flush_store(self) -> None:
        part = self.part
        if part is not None and part.store is not None and not self.needs_rollback:
            # Entering and leaving an atomic() block is Django's act, so the errors are Django's.
            with self.wrap_database_errors:
                part.store.flush()
