"""The short run of the histories of `make isolation`: processes with threads, both ORMs in each transaction, kills."""

from __future__ import annotations

import os

import pytest

from proofs.isolation.checker import READ_COMMITTED, SERIALIZABLE, SNAPSHOT
from proofs.isolation.histories import FORBIDDEN, Played, judge
from proofs.isolation.history import Append, Read, Transaction
from proofs.isolation.sites import LEVELS
from tests.support.doc_pages import ROOT
from tests.support.forks import python


def run(*arguments: str) -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": ""}
    done = python("-m", "proofs.isolation.histories", *arguments, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "committed" in done.stdout


def test_no_anomaly_that_the_strictest_level_forbids_through_objects_that_were_held(db_kind: str) -> None:
    run("--db", db_kind, "--transactions", "30", "--held", "--levels", [*LEVELS[db_kind]][-1])


def test_two_stores_commit_both_or_neither(db_kind: str) -> None:
    if db_kind == "sqlite":
        pytest.skip("SQLite has no two-phase commit.")
    run("--db", db_kind, "--transactions", "25", "--stores", "2", "--levels", "read-committed")


def test_each_level_has_what_it_forbids() -> None:
    assert {kind: list(levels) for kind, levels in FORBIDDEN.items()} == {kind: [*LEVELS[kind]] for kind in LEVELS}
    assert FORBIDDEN["postgres"]["repeatable-read"] == SNAPSHOT
    assert FORBIDDEN["mysql"]["read-committed"] == READ_COMMITTED
    assert FORBIDDEN["sqlite"]["write-ahead log"] == SERIALIZABLE


def test_a_store_is_judged_by_itself_and_both_together_by_what_two_phases_promise() -> None:
    """The second has seen the first in one store, and not yet in the other."""
    history = [
        Transaction(1, [Append("postgres0:1", 1), Append("postgres1:1", 2)]),
        Transaction(2, [Read("postgres0:1", (1,)), Read("postgres1:1", ())]),
        Transaction(3, [Read("postgres0:1", (1,)), Read("postgres1:1", (2,))]),
    ]
    wrong, allowed = judge("postgres", "serializable", Played(history), stores=2)
    assert wrong == []
    assert allowed == {"G-single, cycle with one anti-dependency"}
    history[2] = Transaction(3, [Read("postgres0:1", (1,)), Read("postgres1:1", ())])
    wrong, _ = judge("postgres", "read-committed", Played(history), stores=2)
    assert any("is not there in the end" in anomaly for anomaly in wrong)


def test_an_object_that_says_what_the_database_does_not_is_wrong_where_nothing_may_come_between() -> None:
    stale = Played([Transaction(1)], stale=[["postgres0:1", "storm", [1], [1, 2]]])
    assert judge("postgres", "read-committed", stale, stores=1)[0] == []
    assert len(judge("postgres", "serializable", stale, stores=1)[0]) == 1
    never = Played([Transaction(1)], stale=[["postgres0:1", "storm", [3], [1, 2]]])
    assert len(judge("postgres", "read-committed", never, stores=1)[0]) == 1
    assert judge("mysql", "read-uncommitted", never, stores=1)[0] == []
