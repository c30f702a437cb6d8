"""What Django announces to nobody: that a savepoint on a connection is rolled back, and that a transaction ends.

A Watch stands in the way of a few methods of one connection, for as long as its transaction is followed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

Around = Callable[[Callable[[], None]], None]


class Undoable(Protocol):
    def marks(self) -> dict[Any, Any]: ...

    def roll_back(self, marks: dict[Any, Any]) -> None: ...


class Watch:
    """Tells `followed` of the savepoints of `connection`; each of `ends` is called around the method of its name."""

    def __init__(self, connection: Any, followed: Undoable, **ends: Around) -> None:
        self._connection = connection
        self._followed = followed
        self._marks: dict[Any, dict[Any, Any]] = {}
        self._methods: dict[str, Any] = {
            "savepoint": self._savepoint,
            "savepoint_commit": self._savepoint_commit,
            "savepoint_rollback": self._savepoint_rollback,
            **{name: self._around(name, end) for name, end in ends.items()},
        }
        if hasattr(connection, "undo_to"):
            # The engine's, for a savepoint with a mark of an error on it.
            self._methods["undo_to"] = self._undo_to
        own = vars(connection)
        # Another transaction may be followed already: that of a TestCase, around this one.
        self._outer = {name: own[name] for name in self._methods if name in own}
        own.update(self._methods)
        self._is_on = True

    def stop(self) -> None:
        """Give the connection back the methods that it had."""
        if not self._is_on:
            return
        self._is_on = False
        own = vars(self._connection)
        for name, method in self._methods.items():
            if own.get(name) is method:
                del own[name]
                own.update({name: self._outer[name]} if name in self._outer else {})

    def _savepoint(self) -> Any:
        sid = self._native("savepoint")
        if self._is_on:
            self._marks[sid] = self._followed.marks()
        return sid

    def _savepoint_commit(self, sid: Any) -> None:
        self._native("savepoint_commit", sid)
        self._marks.pop(sid, None)

    def _savepoint_rollback(self, sid: Any) -> None:
        self._native("savepoint_rollback", sid)
        # Where Django has taken none, as on SQLite outside of a block, it rolls back to none, without a word.
        if self._connection._savepoint_allowed():
            self._undone(sid)

    def _undo_to(self, sid: Any, *args: Any) -> None:
        self._native("undo_to", sid, *args)
        self._undone(sid)

    def _undone(self, sid: Any) -> None:
        # One that is unknown was taken before anything was followed.
        if self._is_on:
            self._followed.roll_back(self._marks.get(sid, {}))

    def _around(self, name: str, end: Around) -> Callable[[], None]:
        return lambda: end(lambda: self._native(name)) if self._is_on else self._native(name)

    def _native(self, name: str, *args: Any) -> Any:
        if name in self._outer:
            return self._outer[name](*args)
        return getattr(type(self._connection), name)(self._connection, *args)
