"""What a run of `make bench` has found, as a file. From it the chart in the documentation is drawn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from proofs.benchmarks.measuring import RATIO, Measurement

DIGITS = 4


@dataclass(frozen=True)
class Row:
    """One case on one database. A difference in time is no ratio, and is not among them."""

    database: str
    title: str
    ratio: float
    lower: float
    upper: float
    bound: float | None
    pairs: int

    @property
    def holds(self) -> bool:
        return self.bound is None or self.ratio <= self.bound


@dataclass(frozen=True)
class Results:
    """All rows of a run, and where it ran."""

    ran_on: str
    rows: tuple[Row, ...]


def results_of(measurements: Sequence[Measurement], ran_on: str) -> Results:
    return Results(ran_on, tuple(_row(each) for each in measurements if each.case.comparison == RATIO))


def save(results: Results, path: Path) -> None:
    path.write_text(json.dumps(asdict(results), indent=1) + "\n")


def load(path: Path) -> Results:
    saved = json.loads(path.read_text())
    return Results(saved["ran_on"], tuple(Row(**row) for row in saved["rows"]))


def _row(found: Measurement) -> Row:
    lower, upper = found.interval
    ratio, lower, upper = (round(each, DIGITS) for each in (found.ratio, lower, upper))
    bound = None if found.bound is None else round(found.bound, DIGITS)
    return Row(found.database, found.case.title, ratio, lower, upper, bound, len(found.batches))
