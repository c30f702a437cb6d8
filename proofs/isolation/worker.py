"""One process of a history: threads that append to lists and read them, with both ORMs in each transaction.

It may be killed at any moment. So each thread writes down what it will append before it does, what it was told before
it commits, and what became of that.
"""

from __future__ import annotations

import itertools
import json
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import transaction
from django.db import connections
from django.db.models import F, Value
from django.db.models.functions import Concat
from storm.expr import SQL, Func

from djintegrate.storm_backend import get_store

from .models import Register, StormRegister
from .stage import KINDS, kind_of

THREADS = 4
WINDOW = 6
"""So many lists are appended to at a time."""
LENGTH = 20
"""About so long does a list become."""


@dataclass(frozen=True)
class Work:
    """What all processes of a history have in common."""

    folder: Path
    stores: dict[str, str]
    """The alias of each store."""
    lists: int
    """How many there are in each store."""
    held: bool
    """Read through objects that the ORMs hold."""
    seed: int

    @property
    def stop(self) -> Path:
        return self.folder / "stop"


def run(work: Work, number: int, done: int) -> None:
    """Until `work.stop` is there. `number` is that of the process, `done` how many transactions there were before."""
    names = itertools.count(number * 10_000_000)
    log = os.open(work.folder / f"{number}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def say(**line: Any) -> None:
        os.write(log, f"{json.dumps(line)}\n".encode())

    threads = [
        threading.Thread(target=_Client(work, names, say, Random(f"{work.seed} {number} {thread}"), done).run)
        for thread in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class _Client:
    """One thread."""

    def __init__(self, work: Work, names: Any, say: Callable[..., None], random: Random, done: int) -> None:
        self.work, self.names, self.say, self.random, self.done = work, names, say, random, done
        self.count = 0
        self.objects: dict[tuple[str, int, str], Any] = {}

    def run(self) -> None:
        while not self.work.stop.exists():
            self._one(next(self.names))
            self.count += 4 * THREADS
        connections.close_all()

    def _one(self, name: int) -> None:
        plan = [*self._plan(name)]
        self.say(name=name, plan=[(f"{store}:{key}", element) for _, store, key, element in plan if element])
        is_committing = False
        try:
            transaction.begin()
            operations = [self._play(name, *step) for step in plan]
            self.say(name=name, operations=operations)
            is_committing = True
            transaction.commit()
        except Exception as error:
            with suppress(Exception):
                transaction.abort()
            self.say(name=name, fate="unknown" if is_committing and not _is_known(error) else "aborted")
        else:
            self.say(name=name, fate="committed")

    def _plan(self, name: int) -> Any:
        """ORM, store, list and element. The stores come in one order, so that no deadlock is beyond both servers."""
        first = (self.done + self.count) * WINDOW // (WINDOW * LENGTH)
        turns = itertools.cycle(self.random.sample(["django", "storm"], 2))
        elements = itertools.count(name * 10 + 1)
        for store in self.work.stores:
            for _ in range(self.random.randint(2, 4) // len(self.work.stores) + 1):
                key = (first + self.random.randrange(WINDOW)) % self.work.lists
                yield next(turns), store, key, self.random.random() < 0.5 and next(elements)

    def _play(self, name: int, orm: str, store: str, key: int, element: int) -> Any:
        label = f"{store}:{key}"
        if element:
            (_append_by_django if orm == "django" else _append_by_storm)(self.work.stores[store], store, key, element)
            return [label, element]
        if not self.work.held:
            return [label, _numbers(_read(orm, self.work.stores[store], store, key))]
        found = _numbers(self._held(orm, store, key))
        fresh = _numbers(_read("sql", self.work.stores[store], store, key))
        if found != fresh:
            self.say(name=name, stale=[label, orm, found, fresh])
        return [label, found]

    def _held(self, orm: str, store: str, key: int) -> str:
        """What an object says that this thread has since an earlier transaction, where it had one."""
        place, alias = (store, key, orm), self.work.stores[store]
        if orm == "storm":
            if place not in self.objects:
                self.objects[place] = get_store(store).get(StormRegister, key)
            return str(self.objects[place].elements)
        if place in self.objects:
            self.objects[place].refresh_from_db(using=alias)
        else:
            self.objects[place] = Register.objects.using(alias).get(pk=key)
        return str(self.objects[place].elements)


def _read(orm: str, alias: str, store: str, key: int) -> str:
    if orm == "django":
        return str(Register.objects.using(alias).values_list("elements", flat=True).get(id=key))
    if orm == "storm":
        return str(get_store(store).find(StormRegister, id=key).values(StormRegister.elements).__next__())
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT elements FROM isolation_register WHERE id = %s", [key])
        return str(cursor.fetchone()[0])


def _append_by_django(alias: str, store: str, key: int, element: int) -> None:
    Register.objects.using(alias).filter(id=key).update(elements=Concat(F("elements"), Value(f",{element}")))


def _append_by_storm(alias: str, store: str, key: int, element: int) -> None:
    longer: Any = Func("CONCAT", StormRegister.elements, f",{element}")
    if connections[alias].vendor == "sqlite":
        longer = SQL("elements || ?", (f",{element}",))
    get_store(store).find(StormRegister, id=key).set(elements=longer)


def _numbers(elements: str) -> list[int]:
    return [int(element) for element in elements.split(",") if element]


def _is_known(error: Exception) -> bool:
    """Whether the database itself has said that it did not commit."""
    try:
        return kind_of(error) in KINDS.values()
    except Exception:
        return False
