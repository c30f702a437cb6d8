"""Runs two sides in turn, batch by batch, so that whatever slows this machine down slows both.

Each pair of batches gives one ratio; what counts is the median of these, not the ratio of two totals.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from math import sqrt
from statistics import median
from typing import Any, get_args

from proofs.benchmarks.worker import Batch, Worker
from tools.servers import Kind, Server

Side = Callable[[Server], dict[str, Any]]

SECONDS_OF_A_BATCH = 0.008
# On a busy machine it takes longer, and then it is enough at some time.
SECONDS_OF_A_DATABASE = 90
# Two processes of the very same code may differ by a per cent for as long as they live: where their memory came to lie,
# for instance. So there are several, and no verdict from fewer than so many of each.
GENERATIONS = 8
GENERATIONS_AT_LEAST = 3
EVERYWHERE: tuple[str, ...] = get_args(Kind)
PAIRS_BEFORE_EMPTYING = 25


@dataclass(frozen=True)
class Case:
    """An operation, for which the engine may take at most `bound` times as long as the other side."""

    title: str
    operation: str
    other: Side
    engine: Side
    bound: float | None
    # Where the bound holds; elsewhere the ratio is only shown.
    bound_on: tuple[str, ...] = EVERYWHERE
    measured_on: tuple[str, ...] = EVERYWHERE


@dataclass(frozen=True)
class Measurement:
    """The pairs of batches of one case: the other side's, and the engine's."""

    case: Case
    database: str
    pairs: list[tuple[Batch, Batch]] = field(default_factory=list)

    @property
    def seconds(self) -> tuple[float, float]:
        """The median of each side."""
        return median(other.seconds for other, _ in self.pairs), median(engine.seconds for _, engine in self.pairs)

    @property
    def ratio(self) -> float:
        return median(self._ratios())

    @property
    def cpu_ratio(self) -> float:
        """Of the CPU time that the Python process itself used, which noise hardly touches."""
        return median(engine.cpu / other.cpu for other, engine in self.pairs)

    @property
    def interval(self) -> tuple[float, float]:
        """Where the ratio is, with 99 of 100 chances, going by how the pairs scatter."""
        ratios = self._ratios()
        middle, reach = len(ratios) / 2, 2.576 * sqrt(len(ratios)) / 2
        return ratios[max(0, int(middle - reach))], ratios[min(len(ratios) - 1, int(middle + reach))]

    @property
    def bound(self) -> float | None:
        return self.case.bound if self.database in self.case.bound_on else None

    @property
    def holds(self) -> bool:
        return self.bound is None or self.ratio <= self.bound

    @property
    def decided(self) -> bool:
        """Whether more pairs would hardly change on which side of its bound the ratio is."""
        lower, upper = self.interval
        return self.bound is None or upper <= self.bound or lower > self.bound

    def _ratios(self) -> list[float]:
        return sorted(engine.seconds / other.seconds for other, engine in self.pairs)


def measure(cases: Iterable[Case], server: Server, rounds: int) -> list[Measurement]:
    """Every case, with at most so many pairs of batches, on the tables that the server has already."""
    measurements = [Measurement(case, server.kind) for case in cases if server.kind in case.measured_on]
    deadline = time.monotonic() + SECONDS_OF_A_DATABASE
    for generation in range(GENERATIONS):
        if generation >= GENERATIONS_AT_LEAST and time.monotonic() > deadline:
            break
        undecided = [each for each in measurements if generation < GENERATIONS_AT_LEAST or not each.decided]
        for (other, engine), group in groupby(undecided, key=lambda each: (each.case.other, each.case.engine)):
            with ExitStack() as stack:
                workers = stack.enter_context(Worker(other(server))), stack.enter_context(Worker(engine(server)))
                for worker in workers:
                    worker.run("prepare_worker")
                for each in group:
                    each.pairs.extend(_in_turn(each.case.operation, *workers, rounds // GENERATIONS))
    return measurements


def _in_turn(operation: str, other: Worker, engine: Worker, pairs: int) -> Iterable[tuple[Batch, Batch]]:
    for worker in (other, engine):
        worker.run(operation, 3)
    times = max(1, round(SECONDS_OF_A_BATCH / min(worker.run(operation, 3).seconds for worker in (other, engine))))
    for number in range(pairs):
        if number % PAIRS_BEFORE_EMPTYING == 0:
            other.run("empty")
            # What the other process has just changed is read anew, and nobody's batch pays for it.
            other.run(operation)
            engine.run(operation)
        # Who goes first changes, too.
        if number % 2:
            batch = engine.run(operation, times)
            yield other.run(operation, times), batch
        else:
            batch = other.run(operation, times)
            yield batch, engine.run(operation, times)
