"""What the tests of two-phase commit share: stores that prepare, a look at what is prepared, and crashes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from djintegrate.storm_backend import conf
from djintegrate.storm_backend.two_phase import branches
from djintegrate.storm_backend.two_phase import decision_log as decisions
from tests.support.helpers import ALIASES, Outside, is_sqlite, start_afresh, with_keys


@pytest.fixture
def two_phase(nothing_left: None, settings: Any) -> Iterator[None]:
    """Both stores are TWO_PHASE. Afterwards nothing is prepared, and nothing recorded."""
    if is_sqlite():
        pytest.skip("SQLite cannot prepare a transaction.")
    configured = settings.STORM_STORES
    start_afresh()
    # While it is not there, nobody can say that it has no decision in it.
    Path(configured["plain"].removeprefix("sqlite:")).touch()
    settings.STORM_STORES = {
        name: with_keys(store, TWO_PHASE=True) if name in ALIASES else store for name, store in configured.items()
    }
    try:
        yield
        assert prepared() == []
    finally:
        for alias in ALIASES.values():
            with connections[alias].copy().cursor() as cursor:
                for xid in branches.all_prepared(cursor.db):
                    branches.end(cursor.db, xid, commit=False)
                cursor.execute(f"DROP TABLE IF EXISTS {decisions.TABLE}")
                cursor.db.close()
        decisions._made.clear()
        settings.STORM_STORES = configured
        start_afresh()


def prepared() -> list[str]:
    """The stores in which something is prepared, once for each transaction."""
    found = []
    for store, alias in sorted(ALIASES.items()):
        other = connections[alias].copy()
        name = branches.branch_of(store, other)
        found += [store for xid in branches.all_prepared(other) if xid.branch == name]
        other.close()
    return found


def records(store: str = "main") -> dict[str, bool]:
    other = connections[ALIASES[store]].copy()
    try:
        return decisions.outcomes(other)
    finally:
        other.close()


def transaction_name(age: float = 3600, site: str | None = None) -> str:
    """The name of a transaction that began `age` seconds ago."""
    begun = int(time.time() - age)
    return f"{site or conf.site()}:{begun:x}:{branches.new_transaction('x').rpartition(':')[2]}"


def leave_prepared(name: str, store: str, person: str, record: bool = False) -> None:
    """What a crash leaves: a prepared branch that has added `person`, and the record if it was the last to vote."""
    other = connections[ALIASES[store]].copy()
    if record:
        decisions._make_table_once(other)
    other.set_autocommit(False)
    branch = branches.branch(other, branches.Xid(name, branches.branch_of(store, other)))
    branch.begin()
    with other.cursor() as cursor:
        cursor.execute("INSERT INTO people_person (name) VALUES (%s)", [person])
    if record:
        decisions.record(other, store, name)
    branch.prepare()
    other.close()


def leave_committed(name: str, store: str, person: str) -> None:
    """What a crash leaves of the store whose commit was the decision."""
    other = connections[ALIASES[store]].copy()
    decisions.record(other, store, name)
    with other.cursor() as cursor:
        cursor.execute("INSERT INTO people_person (name) VALUES (%s)", [person])
    other.close()


def names_in_both(outside: Outside) -> tuple[list[str], list[str]]:
    return outside.names(), outside.names("second")
