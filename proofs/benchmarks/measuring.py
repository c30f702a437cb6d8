"""Runs two sides in turn, batch by batch, so that whatever slows this machine down slows both.

Each pair of batches gives one ratio; what counts is the median of these, not the ratio of two totals.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from itertools import groupby
from math import sqrt
from operator import add
from statistics import median
from typing import Any, Literal, get_args

from proofs.benchmarks.starting import start
from proofs.benchmarks.worker import Batch, Worker
from tools.servers import Kind, Server

Side = Callable[[Server], dict[str, Any]]
Quantity = Literal["seconds", "cpu"]
Comparison = Literal["ratio", "difference"]
SECONDS: Quantity
CPU: Quantity
RATIO: Comparison
DIFFERENCE: Comparison
SECONDS, CPU, RATIO, DIFFERENCE = "seconds", "cpu", "ratio", "difference"

SECONDS_OF_A_BATCH = 0.008
# On a busy machine it takes longer, and then it is enough at some time.
SECONDS_OF_A_CASE = 9
# Two processes of the very same code may differ by a per cent for as long as they live: where their memory came to lie,
# for instance. So there are several, and no verdict from fewer than so many of each.
GENERATIONS = 8
GENERATIONS_AT_LEAST = 3
EVERYWHERE: tuple[str, ...] = get_args(Kind)
PAIRS_BEFORE_EMPTYING = 25
# A process that starts takes as long as so many batches.
BATCHES_OF_A_START = 10


@dataclass(frozen=True)
class Case:
    """An operation, and how much more of `quantity` than the other side the engine may take for it."""

    title: str
    operation: str
    other: Side
    engine: Side
    # Times as much; or so many seconds more, where the difference is looked at. It may depend on the database; where
    # there is none, what is found is only shown.
    bound: float | Mapping[str, float] | None
    quantity: Quantity = SECONDS
    comparison: Comparison = RATIO
    # What the other side does, where that is something else; and what is added to it, from a third side.
    other_operation: str = ""
    plus: tuple[Side, str] | None = None
    # Each time in a process that ends with it: the operation is the function of that name in `starting`.
    in_fresh_processes: bool = False
    measured_on: tuple[str, ...] = EVERYWHERE

    @property
    def sides(self) -> tuple[Side, ...]:
        """The engine's is the last."""
        return (self.other, *([self.plus[0]] if self.plus else []), self.engine)

    @property
    def operations(self) -> tuple[str, ...]:
        """One for each side."""
        return (self.other_operation or self.operation, *([self.plus[1]] if self.plus else []), self.operation)

    def beside_itself(self) -> Case:
        """The other side on both sides: what differs then is noise."""
        return replace(
            self, engine=self.other, operation=self.other_operation or self.operation, other_operation="", plus=None
        )

    def bound_on(self, database: str) -> float | None:
        return self.bound.get(database) if isinstance(self.bound, Mapping) else self.bound


@dataclass(frozen=True)
class Measurement:
    """What was found for one case: a batch of each side, again and again. The engine's is the last of each."""

    case: Case
    database: str
    batches: list[tuple[Batch, ...]] = field(default_factory=list)

    @property
    def figures(self) -> list[float]:
        """The median of each side."""
        return [median(map(self._quantity, side)) for side in zip(*self.batches, strict=True)]

    @property
    def ratio(self) -> float:
        """Or the difference, where that is looked at."""
        return median(self._compared(self._quantity))

    @property
    def cpu_ratio(self) -> float:
        """Of the CPU time that the Python process itself used, which noise hardly touches."""
        return median(engine.cpu / other.cpu for other, engine in self._pairs())

    @property
    def interval(self) -> tuple[float, float]:
        """Where the ratio is, with 99 of 100 chances, going by how the pairs scatter."""
        ratios = sorted(self._compared(self._quantity))
        middle, reach = len(ratios) / 2, 2.576 * sqrt(len(ratios)) / 2
        return ratios[max(0, int(middle - reach))], ratios[min(len(ratios) - 1, int(middle + reach))]

    @property
    def bound(self) -> float | None:
        return self.case.bound_on(self.database)

    @property
    def holds(self) -> bool:
        return self.bound is None or self.ratio <= self.bound

    @property
    def decided(self) -> bool:
        """Whether more pairs would hardly change on which side of its bound the ratio is."""
        lower, upper = self.interval
        return self.bound is None or upper <= self.bound or lower > self.bound

    def _quantity(self, batch: Batch) -> float:
        return batch.cpu if self.case.quantity == CPU else batch.seconds

    def _pairs(self) -> Iterator[tuple[Batch, Batch]]:
        """The other side's, with what is added to it, and the engine's."""
        return ((reduce(add, others), engine) for *others, engine in self.batches)

    def _compared(self, quantity: Callable[[Batch], float]) -> list[float]:
        pairs = [(quantity(other), quantity(engine)) for other, engine in self._pairs()]
        if self.case.comparison == DIFFERENCE:
            return [engine - other for other, engine in pairs]
        return [engine / other for other, engine in pairs]


def measure(cases: Sequence[Case], server: Server, rounds: int) -> list[Measurement]:
    """Every case, with at most so many pairs of batches, on the tables that the server has already."""
    measurements = [Measurement(case, server.kind) for case in cases if server.kind in case.measured_on]
    deadline = time.monotonic() + SECONDS_OF_A_CASE * len(measurements)
    for generation in range(GENERATIONS):
        if generation >= GENERATIONS_AT_LEAST and time.monotonic() > deadline:
            break
        undecided = [each for each in measurements if generation < GENERATIONS_AT_LEAST or not each.decided]
        for (sides, fresh), group in groupby(
            undecided, key=lambda each: (each.case.sides, each.case.in_fresh_processes)
        ):
            settings = [side(server) for side in sides]
            if fresh:
                _measure_starts(list(group), settings, max(1, rounds // GENERATIONS // BATCHES_OF_A_START))
            else:
                _measure_in_workers(list(group), settings, rounds // GENERATIONS)
    return measurements


def _measure_in_workers(group: Sequence[Measurement], settings: Sequence[dict[str, Any]], rounds: int) -> None:
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(each)) for each in settings]
        for worker in workers:
            worker.run("prepare_worker")
        for each in group:
            each.batches.extend(_in_turn(list(zip(workers, each.case.operations, strict=True)), rounds))


def _measure_starts(group: Sequence[Measurement], settings: Sequence[dict[str, Any]], rounds: int) -> None:
    runs = [partial(start, each) for each in settings]
    for each in group:
        each.batches.extend(_one_of_each(runs, number) for number in range(rounds))


def _in_turn(tasks: Sequence[tuple[Worker, str]], rounds: int) -> Iterator[tuple[Batch, ...]]:
    for worker, operation in tasks:
        worker.run(operation, 3)
    times = max(1, round(SECONDS_OF_A_BATCH / min(worker.run(operation, 3).seconds for worker, operation in tasks)))
    runs = [partial(worker.run, operation, times) for worker, operation in tasks]
    for number in range(rounds):
        if number % PAIRS_BEFORE_EMPTYING == 0:
            tasks[0][0].run("empty")
            # What the other process has just changed is read anew, and nobody's batch pays for it.
            for worker, operation in tasks:
                worker.run(operation)
        yield _one_of_each(runs, number)


def _one_of_each(runs: Sequence[Callable[[], Batch]], number: int) -> tuple[Batch, ...]:
    """A batch of each side, in their order. Who goes first changes, too."""
    found = {index % len(runs): runs[index % len(runs)]() for index in range(number, number + len(runs))}
    return tuple(found[index] for index in range(len(runs)))
