"""What the tests of references share: a clean store for each test, and a count of both ORMs' statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import transaction
from django.contrib.auth.models import User
from django.db import connections

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.references.columns import every
from tests.apps.sprints.storm_models import Session
from tests.support.helpers import forget_objects

DATABASES = ["default", "second"]


@pytest.fixture
def clean() -> Iterator[None]:
    forget_objects()
    before = set(every)
    yield
    transaction.abort()
    forget_objects()
    # The test's own mistakes are not to be found by system checks in other tests.
    for made in set(every) - before:
        every.discard(made)


def session(title: str = "a session", store: str = "main", **attributes: Any) -> Session:
    """In the store, and not flushed."""
    added: Session = get_store(store).add(Session(title, **attributes))
    return added


def user(name: str, using: str = "default") -> User:
    return User.objects.using(using).create(username=name)


def forget() -> None:
    """Have Storm read everything anew."""
    get_store("main").flush()
    get_store("main").reset()


@contextmanager
def statements(alias: str = "default") -> Iterator[list[str]]:
    """All statements of both ORMs, savepoints not counted."""
    seen: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        return execute(sql, params, many, context)

    with connections[alias].execute_wrapper(note):
        yield seen
    seen[:] = [sql for sql in seen if "SAVEPOINT" not in sql]
