"""What the engine, or a tracer of Storm's, sets on a connection ends with the transaction it was set for.

Behind a pooler a session is lent to others afterwards: a timeout that stays would be theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import Any

import pytest
import storm.tracer
import transaction
from django.core.management import call_command
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import atomic

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.management.commands import storm_indoubt
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import (
    TRANSACTIONS,
    Oops,
    beside_pooler,
    by_manager,
    django_add,
    is_postgres,
    is_sqlite,
    storm_add,
)
from tests.support.two_phase import leave_committed, leave_prepared, prepared, transaction_name
from tests.support.two_phase import two_phase as two_phase

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


def setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return str(cursor.fetchone()[0])


@pytest.fixture
def timeouts(nothing_left: None) -> Iterator[list[float]]:
    """Storm's own tracer of timeouts; each statement has as many seconds left as the last item says."""
    if not is_postgres():
        pytest.skip("Storm has a tracer of timeouts for PostgreSQL only.")
    from storm.databases.postgres import PostgresTimeoutTracer

    seconds = [77.0]

    class Tracer(PostgresTimeoutTracer):
        def get_remaining_time(self) -> float:
            return seconds[-1]

    tracer = Tracer()
    storm.tracer.install_tracer(tracer)
    yield seconds
    storm.tracer.remove_tracer(tracer)


AROUND: list[Callable[[], AbstractContextManager[Any]]] = [by_manager, atomic]


@pytest.mark.parametrize("around", AROUND, ids=["begun", "in a block"])
@pytest.mark.parametrize("fails", [False, True], ids=["committed", "aborted"])
class TestATimeoutOfATracer:
    def test_ends_with_its_transaction(
        self, around: Callable[[], AbstractContextManager[Any]], fails: bool, timeouts: list[float]
    ) -> None:
        before = setting("statement_timeout")
        with suppress(Oops), around():
            get_store("main").find(StormPerson).count()
            assert setting("statement_timeout") == "77s"
            if fails:
                raise Oops
        assert setting("statement_timeout") == before

    def test_is_set_anew_in_the_next(
        self, around: Callable[[], AbstractContextManager[Any]], fails: bool, timeouts: list[float]
    ) -> None:
        for _ in range(2):
            with suppress(Oops), around():
                get_store("main").find(StormPerson).count()
                assert setting("statement_timeout") == "77s"
                if fails:
                    raise Oops

    @beside_pooler("a site has no timeout of its own that outlives a transaction")
    def test_leaves_a_timeout_of_the_sites_own_as_it_was(
        self, around: Callable[[], AbstractContextManager[Any]], fails: bool, timeouts: list[float]
    ) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '99s'")
        with suppress(Oops), around():
            get_store("main").find(StormPerson).count()
            if fails:
                raise Oops
        assert setting("statement_timeout") == "99s"
        connection.close()


SETTINGS = {
    "postgresql": ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"],
    "mysql": ["innodb_lock_wait_timeout", "max_statement_time"],
}


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What each connection had set when it was given up, whoever had opened it."""
    found: list[tuple[str, ...]] = []
    close = BaseDatabaseWrapper.close

    def note_and_close(self: BaseDatabaseWrapper) -> None:
        if self.connection is not None and self.vendor in SETTINGS:
            found.append(tuple(_settings(self)))
        close(self)

    monkeypatch.setattr(BaseDatabaseWrapper, "close", note_and_close)
    return found


def _settings(wrapper: BaseDatabaseWrapper) -> Iterator[str]:
    for name in SETTINGS[wrapper.vendor]:
        with suppress(Exception), wrapper.connection.cursor() as cursor:
            cursor.execute(f"SHOW {name}" if wrapper.vendor == "postgresql" else f"SELECT @@{name}")
            yield f"{name} = {cursor.fetchone()[0]}"


@pytest.mark.usefixtures("two_phase")
class TestSettling:
    @pytest.mark.parametrize("recorded", [False, True], ids=["rolled back", "committed"])
    def test_storm_indoubt_leaves_no_timeout_on_a_session(self, recorded: bool, left: list[tuple[str, ...]]) -> None:
        connection.copy().close()
        fresh = connection.copy()
        fresh.ensure_connection()
        fresh.close()
        (as_new,) = left
        name = transaction_name()
        leave_prepared(name, "main", "ann", record=not recorded)
        if recorded:
            leave_committed(name, "second", "ann")
        left.clear()
        call_command(storm_indoubt.Command(), all=True, older_than=0)
        assert prepared() == []
        assert left
        assert set(left) == {as_new}


def test_a_tracer_of_timeouts_does_not_disturb_other_databases(nothing_left: None) -> None:
    """The control: without one, nothing is set."""
    if is_sqlite():
        pytest.skip("SQLite has no sessions.")
    with transaction.manager:
        django_add("ann")
        storm_add("bob")
    if is_postgres():
        assert setting("statement_timeout") == "0"
