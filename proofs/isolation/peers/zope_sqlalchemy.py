"""zope.sqlalchemy's tests of its data manager: in the place of its session is a thin one over both ORMs and our stores.

What the session is asked for, both ORMs are asked for, and have to say the same.
"""

from __future__ import annotations

import importlib
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from .stores import execute, stores

MANAGERS = "It wants two transaction managers in one thread; ours is the thread's."
LEFT_OUT = {
    "testMarkUnknownSession": "It is about the marks that zope.sqlalchemy keeps of sessions.",
    "testExpireAll": "It asks SQLAlchemy about the state of an instance.",
    "testRelations": "It is about SQLAlchemy's relationships.",
    "testSessionCommitDisallowed": "It is about the commit() of SQLAlchemy's session.",
    "RetryTests": MANAGERS,
}
TABLE = "CREATE TABLE test_users (id INTEGER PRIMARY KEY, firstname VARCHAR(255), lastname VARCHAR(255))"


@contextmanager
def adapted(source: Path) -> Iterator[unittest.TestSuite]:
    with stores():
        execute("main", TABLE)
        tests: Any = importlib.import_module("zope.sqlalchemy.tests")
        from django.db.transaction import TransactionManagementError

        from djintegrate.storm_backend.transactions.manager import DataManager

        from ..models import StormUser

        tests.User = StormUser
        tests.Session = tests.EventSession = tests.KeepSession = Session
        tests.tx = SimpleNamespace(NO_SAVEPOINT_SUPPORT=(), SessionDataManager=DataManager)
        # A transaction whose commit has failed takes no statement: Django's own error says so.
        tests.TransactionFailedError = TransactionManagementError
        tests.mark_changed = lambda session: None
        tests.ZopeSQLAlchemyTests.setUp = _set_up
        tests.ZopeSQLAlchemyTests.tearDown = _tear_down
        yield unittest.defaultTestLoader.loadTestsFromModule(tests)


class Session:
    """What the tests want of SQLAlchemy's."""

    twophase = False

    @property
    def store(self) -> Any:
        from djintegrate.storm_backend import get_store

        return get_store("main")

    def add(self, user: Any) -> None:
        self.store.add(user)

    def delete(self, user: Any) -> None:
        self.store.remove(user)

    def flush(self) -> None:
        self.store.flush()

    def get(self, model: Any, key: int) -> Any:
        return self.store.get(model, key)

    def rollback(self) -> None:
        import transaction

        transaction.abort()

    def query(self, model: Any) -> Query:
        return Query(self.store, model)

    def begin_nested(self) -> Any:
        from django.db.transaction import atomic

        self.store.execute("SELECT 1").close()
        block = atomic()
        block.__enter__()
        return SimpleNamespace(commit=lambda: block.__exit__(None, None, None))

    def connection(self) -> Any:
        from django.db import connection

        self.store.execute("SELECT 1").close()
        return _Connection(connection)


class Query:
    """Of all users. Both ORMs are asked, Django's first, and the objects are Storm's."""

    def __init__(self, store: Any, model: Any) -> None:
        self._store, self._model = store, model

    def order_by(self, column: Any) -> Query:
        return self

    def all(self) -> list[Any]:
        from ..models import User

        self._store.execute("SELECT 1").close()
        by_django = list(User.objects.order_by("id").values_list("id", "firstname", "lastname"))
        by_storm = list(self._store.find(self._model).order_by(self._model.id))
        assert by_django == [(user.id, user.firstname, user.lastname) for user in by_storm]
        return by_storm

    def delete(self) -> None:
        """By Django, of what Storm may hold."""
        from ..models import User

        self._store.execute("SELECT 1").close()
        User.objects.all().delete()

    def update(self, values: dict[str, str]) -> None:
        self._store.find(self._model).set(**values)


class _Connection:
    """Executes SQLAlchemy's statements on one of Django's connections."""

    def __init__(self, django: Any) -> None:
        self._django = django

    def execute(self, statement: Any) -> Any:
        if not isinstance(statement, str):
            statement = str(statement.compile(compile_kwargs={"literal_binds": True}))
        cursor = self._django.cursor()
        cursor.execute(statement)
        return cursor

    @contextmanager
    def begin(self) -> Iterator[None]:
        """It is in autocommit mode."""
        yield

    def close(self) -> None:
        self._django.close()


def _set_up(test: Any) -> None:
    from djintegrate.storm_backend import get_store_uri

    from ..sites import native

    execute("main", "DELETE FROM test_users")
    test.conn = _Connection(native(get_store_uri("main")))


def _tear_down(test: Any) -> None:
    import transaction

    transaction.abort()
    test.conn.close()
