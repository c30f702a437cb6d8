"""SQLAlchemy's sessions on one connection: what keeps them true to what Django and Storm do on it, and the reverse.

Before another ORM's statement they flush, and their savepoints are taken; after it, what it wrote expires; after a
rollback to a savepoint, and after an abort, they are as they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from weakref import WeakKeyDictionary

from django.db.transaction import TransactionManagementError
from sqlalchemy.orm import Session

from ..connection import atomic_state
from ..connection.wrapper import StormWrapper
from ..sql import catalogue, verbs
from ..sql.effects import EVERYTHING, Effect
from ..stores import coherence, get_store
from ..transactions import thread
from . import expiry
from .borrowed import BorrowedConnection, Said
from .journal import Journal, drop_pending


class Sessions:
    """All sessions on a connection of Django's. For its data manager, they are a store as Storm's is one."""

    def __init__(self, wrapper: StormWrapper) -> None:
        self.wrapper = wrapper
        # Each with what it is bound to.
        self._binds: WeakKeyDictionary[Session, Any] = WeakKeyDictionary()
        self._are_flushed = False
        self._are_undone = False
        # What has expired in a session that has read nothing since: tables, or None for all.
        self._expired: WeakKeyDictionary[Session, set[str | None]] = WeakKeyDictionary()
        # What others have written while a session flushes: some of its objects are known only after that.
        self._written_meanwhile: WeakKeyDictionary[Session, list[Effect]] = WeakKeyDictionary()
        self._journal = Journal()
        self._speaker: BorrowedConnection | None = None
        # Who begins a nested transaction, and has not taken its savepoint yet.
        self._beginner: Session | None = None
        # Storm's store, which tells when objects of its change.
        self._storm: Any = None

    # Taking part

    def join_transaction(self) -> None:
        """Be in the transaction: that which was begun, or the one that this begins, as Storm's first statement does."""
        self.wrapper.enlist(self)
        store: Any = self.wrapper.store
        if store is not self._storm:
            self._storm = store
            if store is not None:
                store.tell_before_changes(self._storm_changes)

    def take(self, session: Session, bind: Any) -> None:
        """A session does something, and what it has pending is part of the transaction."""
        self._binds[session] = bind
        if self not in _taken.setdefault(session, []):
            _taken[session].append(self)
        self._expired.pop(session, None)
        if not self._are_undone:
            self.join_transaction()

    def begin_nested(self, session: Session) -> None:
        """A session begins a nested transaction. What others have pending, and their savepoints, come before."""
        if self._are_undone or session not in self._binds:
            return
        # The session's own transaction may be older than the one that it is in now.
        self.join_transaction()
        store: Any = self.wrapper.store
        before, self._beginner = self._beginner, session
        try:
            if store is not None and store.has_pending and not store.is_sending:
                coherence.flush(store, even_blocked=True)
            self._flush([each for each in self._binds if each is not session])
        finally:
            self._beginner = before
        self._connect(session)

    def _storm_changes(self, obj_info: Any) -> None:
        """An object of Storm's is about to have pending changes. What sessions have pending is older, and is sent now.

        So whatever Storm has pending is older than what sessions have.
        """
        sessions = [each for each in self._binds if _is_pending(each)]
        store: Any = self.wrapper.store
        if sessions and self.wrapper.data_manager is not None and not store.is_sending:
            # Of an object with pending changes that are older still, only the last values are known.
            with self._storm_waits() if store._is_dirty(obj_info) else nullcontext():
                self._flush(sessions, of_all=False)

    def has_flushed(self, session: Session) -> None:
        for effect in self._written_meanwhile.pop(session, ()):
            self._expire([session], effect, even_flushing=True)

    def note(self, session: Session, obj: Any, inserted: bool) -> None:
        if session in self._binds:
            self._journal.note(session, obj, inserted)

    # Savepoints and the end

    @contextmanager
    def said_by(self, connection: BorrowedConnection) -> Iterator[None]:
        """The savepoint is SQLAlchemy's own."""
        before, self._speaker = self._speaker, connection
        try:
            yield
        finally:
            self._speaker = before

    @property
    def are_ending(self) -> bool:
        """Whether the transaction is being committed or aborted."""
        data_manager = self.wrapper.data_manager
        return data_manager is None or thread.current().is_ending(data_manager.txn)

    def may_commit(self, connection: BorrowedConnection) -> None:
        """What a connection has written is no business of its own any more: SQLAlchemy has committed it."""
        self._journal.take_writer(connection)

    def refuse_commit(self, connection: BorrowedConnection) -> None:
        """SQLAlchemy rolls back, or closes, a connection that may have written: others have done so, too."""
        savepoints = self._journal.take_writer(connection)
        data_manager = self.wrapper.data_manager
        if savepoints is None or data_manager is None or self.are_ending:
            return
        error = TransactionManagementError(
            "A session or a connection of SQLAlchemy's was rolled back, or closed without a commit(), after it had "
            "written. That cannot be undone alone: the transaction, or the atomic() block around it, is to be aborted."
        )
        if not self.wrapper.needs_rollback:
            atomic_state.mark_broken(self.wrapper, error)
        if self._journal.savepoints_taken != savepoints:
            # Leaving the block that is open now, or a savepoint that was taken since, would not undo all of it.
            data_manager.txn.doom()

    # What a data manager asks of a store

    watches_reads = True

    @property
    def has_pending(self) -> bool:
        return any(map(_is_pending, list(self._binds)))

    def flush(self) -> None:
        self._flush(list(self._binds))

    def committed(self) -> None:
        for session in self._end():
            if session.expire_on_commit:
                session.expire_all()

    def forget_changes(self) -> None:
        self._roll_back("", None)
        self._end()

    def reset(self) -> None:
        self.forget_changes()

    def flush_before_reading(self) -> None:
        self.flush()

    def wrote_unseen(self) -> None:
        self._flush(list(self._binds))
        self._expire(list(self._binds), EVERYTHING)

    def watch(self, effect: Effect, execute: Any, sql: Any, params: Any) -> Any:
        """Run a statement of anybody's between what the sessions need before it, and what it leads to in them."""
        verb = verbs.verb_of(sql) if isinstance(sql, str) and not effect.tables else ""
        is_savepoint = verb in verbs.MARKING or effect.undoes
        speaker = sql.connection if isinstance(sql, Said) else self._speaker if is_savepoint else None
        session = None if speaker is None else speaker.session
        others = [each for each in self._binds if each is not session]
        if session is not None:
            self._expired.pop(session, None)
        if is_savepoint and self._is_done(verb, _savepoint_of(sql)):
            return None
        if not effect.undoes:
            self._flush(others, of_all=is_savepoint)
        if speaker is not None and effect.writes and not effect.undoes and verb not in verbs.SHOWING:
            self._journal.wrote(speaker)
        try:
            result = execute(sql, params)
        except BaseException:
            if effect.outdates and not effect.undoes:
                self._expire(others, EVERYTHING)
            raise
        if effect.undoes:
            self._roll_back(_savepoint_of(sql), session)
        elif is_savepoint:
            mark = self._journal.take_savepoint if verb == "savepoint" else self._journal.release_savepoint
            mark(_savepoint_of(sql))
        elif effect.outdates:
            self._expire(others, effect)
        return result

    def _is_done(self, verb: str, savepoint: str) -> bool:
        """Whether that was done to an earlier savepoint already, and so to this one, which is gone."""
        if verb == verbs.UNDOING:
            return self._journal.is_undone(savepoint)
        is_gone = self._journal.is_released(savepoint) or self._journal.is_undone(savepoint)
        return verb != "savepoint" and is_gone

    def _flush(self, sessions: list[Session], of_all: bool = True) -> None:
        """Have the database know what they have pending; of_all: of those, too, that flush only when they are told."""
        if self._are_flushed or not sessions or self.wrapper.needs_rollback:
            return
        self._are_flushed = True
        try:
            # Whose savepoint is being released has flushed, and is in no state to be asked.
            of_speaker = None if self._speaker is None else self._speaker.session
            for session in sessions:
                if session is not of_speaker and not _flushes_itself(session):
                    self._flush_one(session, of_all or session.autoflush)
        except BaseException as error:
            # What could not be flushed is pending no more: to go on would be to lose it.
            if not self.wrapper.needs_rollback:
                atomic_state.mark_broken(self.wrapper, error)
            raise
        finally:
            self._are_flushed = False

    def _take_savepoint(self, session: Session) -> None:
        if session.in_nested_transaction() and session is not self._beginner:
            self._connect(session)

    def _connect(self, session: Session) -> None:
        """SQLAlchemy takes a savepoint when the session first needs it; what others write is to be in it."""
        with self._storm_waits():
            session.connection(bind_arguments={"bind": self._binds[session]})

    def _flush_one(self, session: Session, may_flush: bool) -> None:
        self._take_savepoint(session)
        store: Any = self.wrapper.store
        # What Storm sends just now is older.
        if may_flush and _is_pending(session) and not (store is not None and store.is_sending):
            session.flush()

    @contextmanager
    def _storm_waits(self) -> Iterator[None]:
        store: Any = self.wrapper.store
        if store is None:
            yield
            return
        waited, store.waits = store.waits, True
        store.block_implicit_flushes()
        try:
            yield
        finally:
            store.unblock_implicit_flushes()
            store.waits = waited

    def _expire(self, sessions: list[Session], effect: Effect, even_flushing: bool = False) -> None:
        if not even_flushing:
            for session in filter(_flushes_itself, sessions):
                self._written_meanwhile.setdefault(session, []).append(effect)
            sessions = [session for session in sessions if not _flushes_itself(session)]
        if not sessions:
            return
        tables = catalogue.reached(self.wrapper, effect.tables) if effect.tables else None
        wanted: set[str | None] = {None} if tables is None else set(tables)
        for session in sessions:
            before = self._expired.setdefault(session, set())
            if None not in before and not wanted <= before:
                expiry.expire(session, tables)
                before |= wanted

    def _roll_back(self, savepoint: str, but: Session | None) -> None:
        self._are_undone = True
        try:
            self._journal.roll_back(savepoint, but)
            for session in list(self._binds):
                if session is not but:
                    drop_pending(session)
        finally:
            self._are_undone = False

    def _end(self) -> list[Session]:
        """The transaction has ended. The sessions that were in it; those with a transaction of their own stay known."""
        self._journal = Journal()
        self._expired.clear()
        self._written_meanwhile.clear()
        sessions = list(self._binds)
        for session in sessions:
            if not session.in_transaction():
                del self._binds[session]
        return sessions


def sessions_on(store: str) -> Sessions:
    """The sessions on this thread's connection to a store."""
    wrapper = get_store(store).django_connection
    if wrapper.sessions is None:
        wrapper.sessions = Sessions(wrapper)
    sessions: Sessions = wrapper.sessions
    return sessions


def all_of(session: Session) -> list[Sessions]:
    """Of each connection that the session uses."""
    return _taken.get(session, [])


def _is_pending(session: Session) -> bool:
    return bool(session.new or session.deleted or session.dirty)


def _savepoint_of(sql: str) -> str:
    """The name in SAVEPOINT, RELEASE SAVEPOINT and ROLLBACK TO SAVEPOINT."""
    return sql.rstrip("; \n").rpartition(" ")[2].strip('"`').lower()


def _flushes_itself(session: Session) -> bool:
    # No event says that a flush with nothing to do is over.
    return bool(session._flushing)


_taken: WeakKeyDictionary[Session, list[Sessions]] = WeakKeyDictionary()
