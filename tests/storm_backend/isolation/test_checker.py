"""The checker of histories finds each kind of anomaly that is planted, and nothing in clean histories."""

from __future__ import annotations

from random import Random

import pytest

from proofs.isolation.checker import READ_COMMITTED, SERIALIZABLE, SNAPSHOT, Kind, check
from proofs.isolation.history import Append, Fate, Read, Transaction
from proofs.isolation.made import planted, serial, snapshots

SEEDS = range(20)


def kinds(history: list[Transaction]) -> set[Kind]:
    return {anomaly.kind for anomaly in check(history, frozenset(Kind))}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_serial_history_is_clean(seed: int) -> None:
    assert check(serial(200, Random(seed))) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_snapshots_are_clean_but_for_what_snapshot_isolation_allows(seed: int) -> None:
    history = snapshots(200, Random(seed))
    assert check(history, SNAPSHOT) == []
    assert kinds(history) <= {Kind.G2}


def test_write_skew_is_found_in_snapshots_and_lost_writes_in_careless_ones() -> None:
    assert {kind for seed in SEEDS for kind in kinds(snapshots(200, Random(seed)))} == {Kind.G2}
    careless = {kind for seed in SEEDS for kind in kinds(snapshots(200, Random(seed), first_wins=False))}
    assert {Kind.LOST} <= careless


@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_planted_is_found_and_nothing_else(kind: Kind) -> None:
    # To read a list before and after, or in the middle of, another transaction is to be before and after it; what was
    # aborted is not there in the end.
    also = {Kind.INTERNAL: {Kind.G_SINGLE}, Kind.G1B: {Kind.G_SINGLE}, Kind.G1A: {Kind.ORDER}}
    for seed in SEEDS:
        for history in (serial(100, Random(seed)), []):
            clean = history or [Transaction(1, [Read("x", ())])]
            found = kinds(planted(kind, clean, Random(seed)))
            assert kind in found
            assert found - {kind} <= also.get(kind, set()), seed


def test_each_level_forbids_what_the_one_before_it_does() -> None:
    assert READ_COMMITTED < SNAPSHOT < SERIALIZABLE == frozenset(Kind)


def test_a_long_cycle_is_found_and_said_in_its_order() -> None:
    length = 500
    history = [
        Transaction(number, [Read(f"k{number}", ()), Append(f"k{(number + 1) % length}", number)])
        for number in range(length)
    ]
    final = Transaction(length, [Read(f"k{(number + 1) % length}", (number,)) for number in range(length)])
    [anomaly] = check([*history, final])
    assert anomaly.kind is Kind.G2
    assert anomaly.said.count("rw") == length


def test_what_was_not_told_counts_if_somebody_saw_it() -> None:
    unknown = Transaction(1, [Append("p", 1)], Fate.UNKNOWN)
    assert check([unknown, Transaction(2, [Read("p", (1,))])]) == []
    assert check([unknown, Transaction(2, [Read("p", ())])]) == []
    dirty = Transaction(1, [Append("p", 1)], Fate.ABORTED)
    assert kinds([dirty, Transaction(2, [Read("p", (1,))])]) == {Kind.G1A}
