"""The fixtures of the tests that end transactions; a test file names this module in `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import transaction
from django.db import connection, connections

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.transactions.thread import current
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import ALIASES, Outside, assert_nothing_left, forget_objects, start_afresh


@pytest.fixture(scope="session")
def outsides(django_db_setup: None) -> Iterator[list[Outside]]:
    """At most one, whose connections are kept for the next test."""
    kept: list[Outside] = []
    yield kept
    for look in kept:
        look.close()


@pytest.fixture
def outside(outsides: list[Outside], transactional_db: None) -> Iterator[Outside]:
    """What others see of the databases: the committed state."""
    look = outsides.pop() if outsides else Outside()
    if not look.is_as_new():
        # An earlier test has ended its connections, or left them in a transaction.
        look.close()
    yield look
    if connection.vendor == "sqlite":
        look.close()
    else:
        outsides.append(look)


@pytest.fixture
def nothing_left(transactional_db: None) -> Iterator[None]:
    """After the test, this thread has no transaction, and its connections are as new."""
    yield
    have_sister_stores(True)
    try:
        assert_nothing_left()
        forget_objects()
    except BaseException:
        # One failure is enough: the next test is to begin on a clean thread.
        start_afresh()
        raise


@pytest.fixture(params=["sisters", pytest.param("alone", marks=pytest.mark.at_length)])
def sister_stores(request: pytest.FixtureRequest, nothing_left: None) -> None:
    """Once as with several stores, as they are here, and once as on a site with one: then a block joins later."""
    have_sister_stores(request.param == "sisters")


def have_sister_stores(they_do: bool) -> None:
    """All connections of this thread, those too whose aliases an earlier test had for itself."""
    for engine in [*current().connections.values(), *(connections[alias] for alias in ALIASES.values())]:
        engine.counts_writes = they_do


@pytest.fixture
def unguarded(django_db_blocker: Any) -> Iterator[None]:
    """Aliases that a test adds may be used: Django's own guard forbids them. No test database is made for this."""
    with django_db_blocker.unblock():
        yield
        transaction.abort()


@pytest.fixture
def plain(nothing_left: None) -> Iterator[None]:
    """The plain store has an empty table of people."""
    with transaction.manager:
        get_store("plain").execute(
            "CREATE TABLE IF NOT EXISTS people_person (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL)",
            noresult=True,
        )
    yield
    transaction.abort()
    with transaction.manager:
        get_store("plain").find(StormPerson).remove()
