"""A flush sends all that is pending, or leaves it all pending: what it did to an object is taken back if it fails.

An object is *new*, in no store; *pending*, in a store that has yet to send its row, change or removal; or *sent*.
Storm forgets that it is pending before it sends it. After an error it would be in a store that never sends it, and that
lets nobody add it again. Here it is pending until the whole flush has succeeded, with the values that it had; and one
that is added, and undone while it is pending, is new again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from storm import Undef
from storm.exceptions import LostObjectError
from storm.info import get_obj_info
from storm.references import Relation
from storm.store import PENDING_ADD, AutoReload
from storm.variables import Variable


class SendingStore(Protocol):
    _dirty: Any

    def forget_row(self, obj_info: Any) -> None: ...


class UndoneStore(Protocol):
    def _disable_lazy_resolving(self, obj_info: Any) -> None: ...


class Flush:
    """What one flush takes out of what is pending, and how to put it back."""

    def __init__(self) -> None:
        # Storm's infos, with what keeps their objects alive.
        self._taken: dict[Any, Any] = {}
        self._sent: list[tuple[Any, Any, list[Any]]] = []
        self._links: list[tuple[Any, Any, Any]] = []

    def take(self, obj_info: Any) -> None:
        """It is no longer in the store's own list."""
        self._taken[obj_info] = obj_info.get_obj()

    def send(self, obj_info: Any) -> None:
        """Its statement is about to be sent. All hooks before the flush have run."""
        if not self._sent:
            # The first that is sent gives its key to those who refer to it, and Storm then unties them.
            self._links = [link for added in adds(self._taken) for link in _links(added)]
        self.take(obj_info)
        pending = obj_info.get("pending")
        missing = _missing(obj_info) if pending is PENDING_ADD else []
        self._sent.append((obj_info, pending, missing))
        if "values_gone" in obj_info and any(lazy is AutoReload for _, lazy in missing):
            raise LostObjectError(f"The values of {obj_info.get_obj()!r} are gone with its row: it was not added.")

    def take_over(self, inner: Flush) -> None:
        """A flush within this one, by a hook say, has succeeded: it is undone with this one."""
        self._taken |= inner._taken
        self._sent += inner._sent
        self._links += inner._links

    def put_back(self, store: SendingStore) -> None:
        """The flush has failed: the transaction, or a block in it, is to be undone, and this flush with that."""
        for obj_info, pending, missing in reversed(self._sent):
            if obj_info.get("store") is not store:
                # Its removal is sent, or a hook has taken it out.
                continue
            if pending is PENDING_ADD:
                store.forget_row(obj_info)
                for variable, lazy in missing:
                    # Not the class's own method, for which there has to be a value.
                    Variable.set_state(variable, (lazy, Undef))
            if pending is not None:
                obj_info["pending"] = pending
        for relation, local, remote in self._links:
            if _is_add(get_obj_info(local)) and _is_add(get_obj_info(remote)):
                _link_anew(relation, local, remote)
        for obj_info, obj in self._taken.items():
            if obj_info.get("store") is store:
                store._dirty[obj_info] = obj


def adds(obj_infos: Iterable[Any]) -> list[Any]:
    """Those of which the row is yet to be sent."""
    return [obj_info for obj_info in obj_infos if _is_add(obj_info)]


def make_new(store: UndoneStore, obj_infos: list[Any]) -> None:
    """Objects that were added are in no store now: have them as they were before that."""
    links = [link for obj_info in obj_infos for link in _links(obj_info)]
    for obj_info in obj_infos:
        obj_info.pop("store", None)
        obj_info.pop("pending", None)
        store._disable_lazy_resolving(obj_info)
    for relation, local, remote in links:
        local_info, remote_info = get_obj_info(local), get_obj_info(remote)
        # The order of their rows goes with the store's next flush.
        local_info[relation].pop("flush_order", None)
        if "store" not in local_info and "store" not in remote_info:
            # To add one adds the other, as when it was assigned.
            _link_anew(relation, local, remote)


def _is_add(obj_info: Any) -> bool:
    return obj_info.get("pending") is PENDING_ADD


def _missing(obj_info: Any) -> list[tuple[Any, Any]]:
    """The variables that get their values by sending: a key, a default of the database's, an expression's result."""
    variables = obj_info.variables.values()
    return [(variable, variable.get_lazy(Undef)) for variable in variables if not variable.is_defined()]


def _links(obj_info: Any) -> Iterator[tuple[Any, Any, Any]]:
    """What Storm remembers of an object's references."""
    for relation, data in obj_info.items():
        if isinstance(relation, Relation):
            remote = data.get("remote")
            for each in remote.values() if relation.many else [remote]:
                if each is not None:
                    yield relation, obj_info.get_obj(), each


def _link_anew(relation: Any, local: Any, remote: Any) -> None:
    """Let the one wait for the other's key, as if it were assigned just now."""
    relation.unlink(get_obj_info(local), get_obj_info(remote))
    relation.link(local, remote, setting=True)
