"""What the tests of transactions share: both ORMs' ways to write, a look from outside, and a data manager that spies.

The look from outside uses Django's native backend on a connection of its own, so that it sees what is committed and
nothing else. The fixtures are in `fixtures`.
"""

from __future__ import annotations

import contextlib
import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from typing import Any

import pytest
import transaction
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from django.test import TestCase
from transaction.interfaces import TransientError

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.transactions.thread import current
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson

ALIASES = {"main": "default", "second": "second"}

# The one middleware that the tests' own views need.
MIDDLEWARE = ["djintegrate.storm_backend.middleware.ZopeTransactionMiddleware"]

# For `pytestmark`: real commits, tables emptied after each test, and nothing left behind in the thread.
TRANSACTIONS = [
    pytest.mark.django_db(transaction=True, databases=list(ALIASES.values()), available_apps=["tests.apps.people"]),
    pytest.mark.usefixtures("nothing_left"),
]


def marked(test: Any) -> Any:
    """The same for one test of a file that has others as well."""
    for mark in reversed(TRANSACTIONS):
        test = mark(test)
    return test


class Oops(Exception):
    """What the tests raise to make something fail."""


class Retryable(TransientError):
    """An error of a data manager that asks to be tried again."""


class Spy:
    """A data manager that is no database: it remembers its calls, and fails at the step it is told to."""

    def __init__(self, fails_at: str | None = None, sort_key: str = "spy") -> None:
        self.transaction_manager = transaction.manager
        self.calls: list[str] = []
        self.watch: dict[str, Callable[[], Any]] = {}
        self.seen: dict[str, Any] = {}
        self._fails_at = fails_at
        self._sort_key = sort_key

    def sortKey(self) -> str:
        return self._sort_key

    def tpc_begin(self, txn: Any) -> None:
        self._step("tpc_begin")

    def commit(self, txn: Any) -> None:
        self._step("commit")

    def tpc_vote(self, txn: Any) -> None:
        self._step("tpc_vote")

    def tpc_finish(self, txn: Any) -> None:
        self._step("tpc_finish")

    def tpc_abort(self, txn: Any) -> None:
        self._step("tpc_abort")

    def abort(self, txn: Any) -> None:
        self._step("abort")

    @property
    def committed(self) -> bool:
        return self.calls == ["tpc_begin", "commit", "tpc_vote", "tpc_finish"]

    @property
    def aborted(self) -> bool:
        return "tpc_finish" not in self.calls and ("abort" in self.calls or "tpc_abort" in self.calls)

    def _step(self, name: str) -> None:
        self.calls.append(name)
        if name in self.watch:
            self.seen[name] = self.watch[name]()
        if name == self._fails_at:
            raise Oops(name)


class SpyWithSavepoints(Spy):
    """A Spy that takes part in transaction.savepoint()."""

    def savepoint(self) -> SpyWithSavepoints:
        self.calls.append("savepoint")
        return self

    def rollback(self) -> None:
        self.calls.append("rollback")


def joined(spy: Spy) -> Spy:
    """`spy`, as part of this thread's transaction."""
    transaction.get().join(spy)
    return spy


# Both ORMs


def django_add(name: str, using: str = "default") -> Person:
    return Person.objects.using(using).create(name=name)


def storm_add(name: str, store: str = "main") -> StormPerson:
    """Pending: no statement is executed before the store is flushed."""
    return get_store(store).add(StormPerson(name))


def storm_insert(name: str, store: str = "main") -> StormPerson:
    person = storm_add(name, store)
    get_store(store).flush()
    return person


def django_names(using: str = "default") -> list[str]:
    return sorted(Person.objects.using(using).values_list("name", flat=True))


def storm_names(store: str = "main") -> list[str]:
    return sorted(get_store(store).find(StormPerson).values(StormPerson.name))


def names_in_both(store: str = "main") -> list[str]:
    """What this thread's transaction sees, which has to be the same through either ORM."""
    # Storm first, for that flushes what it has pending.
    names = storm_names(store)
    assert django_names(ALIASES[store]) == names
    return names


# What begins a transaction


@contextmanager
def by_begin() -> Iterator[None]:
    transaction.begin()
    try:
        yield
    except BaseException:
        transaction.abort()
        raise
    transaction.commit()


@contextmanager
def by_attempts() -> Iterator[None]:
    for attempt in transaction.attempts(1):
        with attempt:
            yield


@contextmanager
def by_manager() -> Iterator[None]:
    with transaction.manager:
        yield


BEGINNINGS: list[Callable[[], AbstractContextManager[None]]] = [by_manager, by_begin, by_attempts]


# A look from outside


class Outside:
    """Reads, and writes, on connections that neither the engine nor Storm knows of."""

    def __init__(self) -> None:
        self._handler = ConnectionHandler({"default": {}, **{alias: native(alias) for alias in ALIASES.values()}})

    def names(self, alias: str = "default") -> list[str]:
        return [row[0] for row in self.rows("SELECT name FROM people_person ORDER BY name", alias)]

    def rows(self, sql: str, alias: str = "default") -> list[Any]:
        with self._handler[alias].cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def connection(self, alias: str = "default") -> BaseDatabaseWrapper:
        return self._handler[alias]

    def is_as_new(self) -> bool:
        """Whether each connection that was used is outside of a transaction, and still there."""
        used = self._handler.all(initialized_only=True)
        return all(each.get_autocommit() and not each.in_atomic_block and each.is_usable() for each in used)

    def close(self) -> None:
        for alias in ALIASES.values():
            self._handler[alias].close()


def native(alias: str) -> dict[str, Any]:
    """The DATABASES entry of the database behind `alias`, for Django's native backend."""
    engine = connections[alias]
    keys = ("NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")
    kind = {"sqlite": "sqlite3"}.get(engine.vendor, engine.vendor)
    return {"ENGINE": f"django.db.backends.{kind}", **{key: engine.settings_dict[key] for key in keys}}


def assert_nothing_left() -> None:
    assert current().begun is None
    for alias in ALIASES.values():
        engine = connections[alias]
        assert engine.data_manager is None
        assert engine.get_autocommit()
        assert not engine.in_atomic_block
        assert engine.atomic_blocks == engine.savepoint_ids == engine.run_on_commit == []
        assert not engine.needs_rollback
        assert engine.is_usable()


class LeavesNothing(TestCase):
    """After the class, the databases are empty and the thread has no transaction."""

    databases = {"default", "second"}

    @classmethod
    def tearDownClass(cls) -> None:
        super().tearDownClass()
        look = Outside()
        try:
            assert look.names() == look.names("second") == []
            assert_nothing_left()
        finally:
            look.close()
            start_afresh()


def forget_objects() -> None:
    """Empty the stores' caches, which hold on to objects whose rows are deleted after the test."""
    for alias in ALIASES.values():
        if connections[alias].store is not None:
            connections[alias].store.reset()


def start_afresh() -> None:
    """Throw away this thread's transaction and connections, whatever state they are in."""
    with contextlib.suppress(Exception):
        transaction.abort()
    for alias in ALIASES.values():
        engine = connections[alias]
        raw, engine.connection = engine.connection, None
        if raw is not None:
            with contextlib.suppress(Exception):
                raw.close()
        del connections[alias]


@contextlib.contextmanager
def extra_alias(settings: Any, uri: str, **entry: Any) -> Iterator[Any]:
    """The connection of one more alias, `extra`, on a store with this URI: as in production, no test database."""
    stores = settings.STORM_STORES
    settings.STORM_STORES = {**stores, "extra": uri}
    entry = {"ENGINE": "djintegrate.storm_backend", "NAME": "extra", **entry}
    connections.databases["extra"] = connections.configure_settings({"default": {}, "extra": entry})["extra"]
    try:
        yield connections["extra"]
    finally:
        with contextlib.suppress(Exception):
            transaction.abort()
        with contextlib.suppress(Exception):
            connections["extra"].close()
        with contextlib.suppress(AttributeError):
            del connections["extra"]
        del connections.databases["extra"]
        settings.STORM_STORES = stores


def with_keys(store: Any, **keys: Any) -> dict[str, Any]:
    """An entry of STORM_STORES with these keys as well."""
    return {**({"URI": store} if isinstance(store, str) else store), **keys}


def beside_pooler(reason: str) -> pytest.MarkDecorator:
    """For what is not so, or cannot be seen, where a pooler in transaction mode stands before the server."""
    return pytest.mark.skipif(bool(os.environ.get("TEST_POOLER")), reason=f"Behind a pooler {reason}.")


# Threads


def in_thread(work: Callable[[], Any]) -> Any:
    """The result of `work` in a thread of its own, which has ended; what it raises is raised here."""
    outcome: dict[str, Any] = {}

    def run() -> None:
        try:
            outcome["result"] = work()
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(timeout=60)
    assert not thread.is_alive()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["result"]


def connections_open(alias: str = "default") -> int:
    """How many connections to the database the server counts, without the one that asks. For SQLite: open files."""
    if connections[alias].vendor == "sqlite":
        name = os.path.realpath(connections[alias].settings_dict["NAME"])
        return sum(os.path.realpath(f"/proc/self/fd/{number}") == name for number in os.listdir("/proc/self/fd"))
    look = Outside()
    try:
        if connections[alias].vendor == "mysql":
            sql = "SELECT count(*) FROM information_schema.processlist WHERE db = database() AND id <> connection_id()"
        else:
            sql = (
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        return int(look.rows(sql, alias)[0][0])
    finally:
        look.close()


def connections_left(alias: str = "default") -> int:
    """`connections_open`, once those are gone that earlier tests have given up: what is in reference cycles, too."""
    gc.collect()
    found, before = connections_open(alias), -1
    while found != before:
        time.sleep(0.05)
        found, before = connections_open(alias), found
    return found


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Servers notice the end of a connection a little later than the one who ended it."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


wants_postgres_driver = pytest.mark.skipif(
    not (find_spec("psycopg") or find_spec("psycopg2")), reason="There is no driver for PostgreSQL."
)
"""For what reads a URI of PostgreSQL's, with or without a server."""


def is_postgres() -> bool:
    return connection.vendor == "postgresql"


def is_mariadb() -> bool:
    return connection.vendor == "mysql"


def is_sqlite() -> bool:
    return connection.vendor == "sqlite"
