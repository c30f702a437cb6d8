"""Which transaction a change belongs to, and what a follower of that transaction hears of it.

Zope's, if one was begun, or if the alias is the engine's and in one; else Django's own on that alias; else none, and
the change happens at once. Followers hear of the commit, of an abort, and of a rollback to a savepoint of either kind.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import transaction
from django.db import DatabaseError, connections
from transaction.interfaces import ISavepointDataManager, ISynchronizer
from zope.interface import implementer

from .engine import is_engines
from .savepoints import Watch

logger = logging.getLogger("djintegrate.following")

F = TypeVar("F", bound="Follower")


class Follower:
    """Keeps the changes that one app makes in one transaction. Override what concerns it."""

    def mark(self) -> Any:
        """How far its changes have come: a savepoint is taken now."""
        return None

    def rolled_back(self, mark: Any) -> None:
        """Undo what was changed after `mark`; or everything, if it is None."""

    def before_commit(self) -> None:
        """The last moment at which statements are part of the transaction. An error here aborts it."""

    def committed(self) -> None:
        """Everybody has committed. An error here is logged, and changes nothing."""

    def aborted(self) -> None:
        """Undo everything. An error here is logged, and changes nothing."""

    def in_doubt(self) -> None:
        """The commit has failed after `before_commit`. Mostly nothing was committed; only the database knows."""
        self.aborted()


class Followed:
    """One transaction, as those see it who follow it for one alias."""

    # Whether statements on the alias are part of the transaction. They are not those of a native alias in Zope's.
    has_statements = True

    def __init__(self, alias: str, connection: Any) -> None:
        self.alias = alias
        self._connection = connection
        # An atomic() block in manual mode commits nothing.
        self._is_manual = connection is not None and not (connection.in_atomic_block and connection.commit_on_exit)
        self.is_over = False
        self._followers: dict[Any, Follower] = {}
        self._is_prepared = False

    def follower(self, key: Any, make: Callable[[], F]) -> F:
        """The follower known by this key; the first time it is made."""
        if key not in self._followers:
            self._followers[key] = make()
        return self._followers[key]  # type: ignore[return-value]

    def known(self, key: Any) -> Any | None:
        """The follower known by this key, if there is one."""
        return self._followers.get(key)

    def marks(self) -> dict[Any, Any]:
        """What is handed to `roll_back` if the savepoint that is taken now is rolled back."""
        return {key: follower.mark() for key, follower in self._followers.items()}

    def roll_back(self, marks: dict[Any, Any]) -> None:
        for key, follower in _latest_first(self._followers):
            _robustly(follower.rolled_back, marks.get(key))

    def prepare(self) -> None:
        """The commit comes next."""
        if self._is_prepared:
            return
        self._is_prepared = True
        asked: set[Any] = set()
        # One may make a change of which another is to hear.
        while waiting := [key for key in self._followers if key not in asked]:
            for key in waiting:
                asked.add(key)
                self._followers[key].before_commit()

    def end(self, committed: bool, in_doubt: bool = False) -> None:
        """Tell everybody, once."""
        if self.is_over:
            return
        self.is_over = True
        if committed:
            for follower in self._followers.values():
                _robustly(follower.committed)
        else:
            for _, follower in _latest_first(self._followers):
                _robustly(follower.in_doubt if in_doubt and self._is_prepared else follower.aborted)
        if self._is_manual:
            _leave_nothing_open(self._connection)


def current(alias: str) -> Followed | None:
    """The transaction that a change made now belongs to; from now on its followers hear of its end."""
    connection = connections[alias]
    # The engine's may stand for one that only reads, while the change is the primary's in any case.
    connection = getattr(connection, "primary", connection)
    if is_engines(connection):
        txn = connection.zope_transaction()
        if txn is not None:
            return _in_zope(txn, alias, connection)
    else:
        txn = _begun()
        if txn is not None:
            # Django's own savepoints are of another transaction then.
            return _in_zope(txn, alias, None)
    return _in_django(alias, connection)


def joined(alias: str) -> Followed | None:
    """The transaction that this thread follows for the alias already, if any. Joins nothing, and costs nothing."""
    known = _known(alias)
    while known and known[-1].is_over:
        known.pop()
    return known[-1] if known else None


def after_commit(alias: str, function: Callable[[], object]) -> None:
    """Call `function` once the transaction has committed, unless its savepoint is rolled back; or now, without one."""
    followed = current(alias)
    if followed is None:
        function()
    else:
        followed.follower(_Callbacks, _Callbacks).functions.append(function)


class _Callbacks(Follower):
    """Functions that wait for the commit, in order."""

    def __init__(self) -> None:
        self.functions: list[Callable[[], object]] = []

    def mark(self) -> int:
        return len(self.functions)

    def rolled_back(self, mark: int | None) -> None:
        del self.functions[mark or 0 :]

    def committed(self) -> None:
        for function in self.functions:
            _robustly(function)


@implementer(ISavepointDataManager)
class InZope(Followed):
    """A data manager of Zope's transaction."""

    transaction_manager = transaction.manager

    def __init__(self, txn: Any, alias: str, connection: Any | None) -> None:
        super().__init__(alias, connection)
        txn.join(self)
        txn.addAfterCommitHook(self._after_commit)
        # The engine's atomic() blocks are savepoints of which Zope knows nothing.
        self._watch = None if connection is None else Watch(connection, self)
        self.has_statements = connection is not None
        self._has_voted = False

    def end(self, committed: bool, in_doubt: bool = False) -> None:
        if self._watch is not None:
            self._watch.stop()
        super().end(committed, in_doubt)

    def sortKey(self) -> str:
        # Before the engine's, "}" and "~": what is written before the commit is still to be flushed and committed.
        return f"|djintegrate.following:{self.alias}:{id(self)}"

    def tpc_begin(self, txn: Any) -> None:
        """Others flush now, and may still make changes."""

    def commit(self, txn: Any) -> None:
        self.prepare()

    def tpc_vote(self, txn: Any) -> None:
        self._has_voted = True

    def tpc_finish(self, txn: Any) -> None:
        """Others may finish after this. The hook comes when all have."""

    def tpc_abort(self, txn: Any) -> None:
        self.abort(txn)

    def abort(self, txn: Any) -> None:
        # Zope calls this again after hooks and after a commit. When a commit fails after this vote, somebody may have
        # committed, and others still have to abort: the hook comes when all have.
        if not self._has_voted:
            self.end(committed=False)

    def savepoint(self) -> _ZopeSavepoint:
        return _ZopeSavepoint(self)

    def _after_commit(self, success: bool) -> None:
        self.end(committed=success, in_doubt=True)


class _ZopeSavepoint:
    def __init__(self, followed: Followed) -> None:
        self._followed = followed
        self._marks = followed.marks()

    def rollback(self) -> None:
        self._followed.roll_back(self._marks)


class InDjango(Followed):
    """Django's own transaction on one connection: an outermost atomic() block, or manual mode."""

    def __init__(self, alias: str, connection: Any) -> None:
        super().__init__(alias, connection)
        self._has_failed = False
        self._watch = Watch(connection, self, commit=self._commit, rollback=self._rollback, close=self._close)

    @property
    def is_open(self) -> bool:
        """Whether the transaction goes on; its end may have come in a way that nobody told of."""
        connection = self._connection
        return not self.is_over and (connection.in_atomic_block or not connection.autocommit)

    def end(self, committed: bool, in_doubt: bool = False) -> None:
        self._watch.stop()
        super().end(committed, in_doubt)

    def wait(self) -> None:
        """Hear of the commit when Django is through with it. To be called for each change.

        Django drops the callback with its savepoint, and captureOnCommitCallbacks() knows only those of its block.
        """
        connection = self._connection
        if self._is_manual or not connection.in_atomic_block:
            # In manual mode Django has no on_commit(), or runs it only when the mode ends; and in the middle of the
            # commit it is in place.
            return
        in_test = connection.atomic_blocks[0]._from_testcase
        if in_test or not any(callback == self._after_commit for _, callback, _ in connection.run_on_commit):
            connection.on_commit(self._after_commit, robust=True)

    def _after_commit(self) -> None:
        if not self.is_over:
            # Nobody was asked before if the callbacks of a TestCase are run, in which nothing commits.
            self.prepare()
            self.end(committed=True)

    def _commit(self, commit: Callable[[], None]) -> None:
        try:
            self.prepare()
        except BaseException:
            # Django does this itself only after a database's error.
            self._connection.rollback()
            raise
        if not self._is_manual:
            # First, so that whoever else waits for the commit finds it complete; and even if Django has dropped it with
            # a savepoint after which nothing was changed any more.
            waiting = [entry for entry in self._connection.run_on_commit if entry[1] != self._after_commit]
            self._connection.run_on_commit = [(set(), self._after_commit, True), *waiting]
        try:
            commit()
        except BaseException as error:
            self._has_failed = True
            if not isinstance(error, DatabaseError):
                self._connection.rollback()
            raise
        if self._is_manual:
            self.end(committed=True)

    def _rollback(self, rollback: Callable[[], None]) -> None:
        rollback()
        self.end(committed=False, in_doubt=self._has_failed)

    def _close(self, close: Callable[[], None]) -> None:
        close()
        self.end(committed=False, in_doubt=self._has_failed)


@implementer(ISynchronizer)
class _Begun:
    """Which of this thread's transactions was begun: get() makes one without announcing it, begin() announces it.

    One that was there before this object counts as begun.
    """

    def __init__(self, manager: Any) -> None:
        self.manager = manager
        self.txn: Any = None
        manager.registerSynch(self)

    def newTransaction(self, txn: Any) -> None:
        self.txn = txn

    def beforeCompletion(self, txn: Any) -> None:
        """Nothing: until the end it is a transaction."""

    def afterCompletion(self, txn: Any) -> None:
        self.txn = None


def _begun() -> Any | None:
    manager = transaction.manager.manager
    here: _Begun | None = getattr(_local, "begun", None)
    if here is None or here.manager is not manager:
        here = _local.begun = _Begun(manager)
    return here.txn


def _in_zope(txn: Any, alias: str, connection: Any | None) -> Followed | None:
    try:
        known: dict[str, InZope] = txn.data(_KEY)
    except KeyError:
        known = {}
        txn.set_data(_KEY, known)
    followed = known.get(alias)
    if followed is not None and not followed.is_over:
        return followed
    if txn.status in _ENDING:
        # A hook, or another data manager, in the middle of the commit.
        return None
    # A savepoint from before it has joined was rolled back, or there was none.
    followed = known[alias] = InZope(txn, alias, connection)
    _known(alias).append(followed)
    return followed


def _in_django(alias: str, connection: Any) -> Followed | None:
    followed: InDjango | None = vars(connection).get(_ATTRIBUTE)
    if followed is not None and followed.is_open:
        followed.wait()
        return followed
    if followed is not None:
        followed.end(committed=False, in_doubt=True)
        delattr(connection, _ATTRIBUTE)
    if not connection.in_atomic_block:
        connected = connection.connection is not None
        if connection.autocommit if connected else connection.settings_dict["AUTOCOMMIT"]:
            return None
        connection.ensure_connection()
    connection.validate_no_broken_transaction()
    followed = InDjango(alias, connection)
    followed.wait()
    setattr(connection, _ATTRIBUTE, followed)
    _known(alias).append(followed)
    return followed


def _known(alias: str) -> list[Followed]:
    """Those that this thread follows, the latest last."""
    known: dict[str, list[Followed]] | None = getattr(_local, "known", None)
    if known is None:
        known = _local.known = {}
    return known.setdefault(alias, [])


def _leave_nothing_open(connection: Any) -> None:
    """What followers do after the end, mostly to ask something, is in no transaction: in manual mode it began one."""
    is_still_manual = connection.connection is not None and not (connection.in_atomic_block or connection.autocommit)
    if is_still_manual and getattr(connection, "data_manager", None) is None:
        # Not commit(), of which other followers hear, and which the engine takes for the end of Zope's transaction.
        _robustly(connection._commit)


def _latest_first(followers: dict[Any, Follower]) -> list[tuple[Any, Follower]]:
    return list(reversed(followers.items()))


def _robustly(function: Callable[..., object], *args: Any) -> None:
    """Others have to hear of it as well."""
    try:
        function(*args)
    except Exception:
        logger.exception("An error after the end of a transaction, which stays as it is.")


_local = threading.local()
_KEY = object()
_ATTRIBUTE = "_djintegrate_followed"
# What the package calls the states of a transaction that nobody can join any more.
_ENDING = ("Committing", "Committed")
