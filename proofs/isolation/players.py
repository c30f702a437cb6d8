"""Who plays the steps of a session: plain SQL, or both ORMs by turns in one transaction of the engine's.

A player belongs to one thread. It begins its transaction with its first step.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import transaction
from django.db import connections
from django.db.models import F
from django.db.models.functions import Mod
from storm.expr import Func

from djintegrate.storm_backend import get_store

from .models import Item, StormItem
from .scenarios import Step

Rows = tuple[tuple[int, int], ...]


class Player(Protocol):
    def connect(self) -> Any:
        """The driver's connection, opened, with nothing begun on it."""

    def play(self, step: Step) -> Rows | None:
        """The rows of a read."""

    def abort(self) -> None: ...

    def close(self) -> None: ...


class Plain:
    """SQL on a connection of the driver's; the same statements that the ORMs make."""

    def __init__(self, native: Any) -> None:
        self._native = native
        self._is_begun = False

    def connect(self) -> Any:
        self._native.ensure_connection()
        if self._native.vendor != "sqlite":
            self._native.set_autocommit(False)
        return self._native.connection

    def play(self, step: Step) -> Rows | None:
        if step.verb in ("commit", "abort"):
            self._end(step.verb == "commit")
            return None
        self._begin()
        sql, parameters = _statement(step)
        sign = "?" if self._native.vendor == "sqlite" else "%s"
        cursor = self._native.connection.cursor()
        cursor.execute(sql.replace("?", sign), parameters)
        rows = tuple(map(tuple, cursor.fetchall())) if sql.startswith("SELECT") else None
        cursor.close()
        return rows

    def abort(self) -> None:
        self._end(False)

    def close(self) -> None:
        self._native.close()

    def _begin(self) -> None:
        if self._native.vendor == "sqlite" and not self._is_begun:
            self._native.connection.execute("BEGIN")
        self._is_begun = True

    def _end(self, commit: bool) -> None:
        if self._native.vendor == "sqlite":
            if self._native.connection.in_transaction:
                self._native.connection.execute("COMMIT" if commit else "ROLLBACK")
        elif commit:
            self._native.connection.commit()
        else:
            self._native.connection.rollback()
        self._is_begun = False


class Both:
    """Each step by the other ORM than the one before it, in the same transaction."""

    def __init__(self, alias: str, store: str, first: str) -> None:
        self._alias, self._store = alias, store
        orms = {"django": self._by_django, "storm": self._by_storm}
        self._turns = _by_turns(orms[first], *(orm for name, orm in orms.items() if name != first))

    def connect(self) -> Any:
        connections[self._alias].ensure_connection()
        driver = connections[self._alias].connection
        transaction.begin()
        return driver

    def play(self, step: Step) -> Rows | None:
        if step.verb == "commit":
            transaction.commit()
        elif step.verb == "abort":
            transaction.abort()
        else:
            rows: Rows | None = next(self._turns)(step)
            return rows
        return None

    def abort(self) -> None:
        transaction.abort()

    def close(self) -> None:
        transaction.abort()
        connections.close_all()

    def _by_django(self, step: Step) -> Rows | None:
        items, numbers = Item.objects.using(self._alias), step.numbers
        if step.verb in ("read", "where", "multiples"):
            found = items.order_by("id")
            if step.verb == "read" and numbers:
                found = found.filter(id__in=numbers) if len(numbers) > 1 else found.filter(id=numbers[0])
            elif step.verb == "where":
                found = found.filter(value=numbers[0])
            elif step.verb == "multiples":
                found = found.alias(rest=Mod("value", numbers[0])).filter(rest=0)
            return tuple(found.values_list("id", "value"))
        if step.verb == "write":
            items.filter(id=numbers[0]).update(value=numbers[1])
        elif step.verb == "add":
            chosen = items.filter(id=numbers[1]) if numbers[1:] else items
            chosen.update(value=F("value") + numbers[0])
        elif step.verb == "delete":
            items.filter(value=numbers[0])._raw_delete(self._alias)  # one statement, whatever listens to deletions
        else:
            items.create(id=numbers[0], value=numbers[1])
        return None

    def _by_storm(self, step: Step) -> Rows | None:
        store, numbers = get_store(self._store), step.numbers
        if step.verb in ("read", "where", "multiples"):
            conditions: list[Any] = []
            if step.verb == "read" and numbers:
                conditions = [StormItem.id.is_in(numbers) if len(numbers) > 1 else StormItem.id == numbers[0]]
            elif step.verb == "where":
                conditions = [StormItem.value == numbers[0]]
            elif step.verb == "multiples":
                conditions = [
                    Func("MOD", StormItem.value, numbers[0]) == 0
                ]  # Storm's own % trips over the drivers' placeholders
            found = store.find(StormItem, *conditions).order_by(StormItem.id)
            return tuple(found.values(StormItem.id, StormItem.value))
        if step.verb == "write":
            store.find(StormItem, id=numbers[0]).set(value=numbers[1])
        elif step.verb == "add":
            chosen = store.find(StormItem, id=numbers[1]) if numbers[1:] else store.find(StormItem)
            chosen.set(value=StormItem.value + numbers[0])
        elif step.verb == "delete":
            store.find(StormItem, value=numbers[0]).remove()
        else:
            store.add(StormItem(*numbers))
            store.flush()
        return None


def _statement(step: Step) -> tuple[str, tuple[int, ...]]:
    numbers = step.numbers
    select = "SELECT id, value FROM isolation_item {} ORDER BY id"
    if step.verb == "read":
        chosen = f"WHERE id IN ({', '.join('?' * len(numbers))})" if len(numbers) > 1 else "WHERE id = ?"
        return select.format(chosen if numbers else ""), numbers
    return {
        "where": (select.format("WHERE value = ?"), numbers),
        "multiples": (select.format("WHERE MOD(value, ?) = 0"), numbers),
        "write": ("UPDATE isolation_item SET value = ? WHERE id = ?", numbers[::-1]),
        "add": (f"UPDATE isolation_item SET value = value + ?{' WHERE id = ?' if numbers[1:] else ''}", numbers),
        "delete": ("DELETE FROM isolation_item WHERE value = ?", numbers),
        "insert": ("INSERT INTO isolation_item (id, value) VALUES (?, ?)", numbers),
    }[step.verb]


def _by_turns(*orms: Any) -> Iterator[Any]:
    while True:
        yield from orms
