"""The command behind `make bench`: what the engine costs beside Django's native backends.

Two processes, one of each side, run small batches in turn on the same tables. The ratio is the engine's time over the
other side's: the median over all pairs of batches. A ratio beyond its bound fails the command. Measuring goes on until
the ratio is clearly on one side of its bound, or the rounds are used up. The last column, for information, is the same
ratio of the CPU time that the Python process used, without the server and the disk; in the rows that end with "CPU",
all columns are of that.

Both sides have the same settings: connections kept and checked at each request (CONN_MAX_AGE=None and
CONN_HEALTH_CHECKS=True, as the engine has it) and the middleware of `startproject`; the engine's has a Storm store open
too. The requests with both ORMs have no middleware but the transaction's. Such a request is compared with one that
writes the same two rows with Django alone, plus what Storm does for its row on a connection of its own; with Django and
ZStorm as they come; and, without a bound, with two kept connections that commit together or not at all, as the shared
one does (by two-phase commit, which SQLite has not), and with two that commit one after the other. What is saved then
are commits and round trips, which depends on the disk. Every commit reaches the disk, as in production.

Some rows at the end are of another kind: an update in a transaction of a Storm store that has 100,000 objects of other
tables beside one that has ten; a request with sixteen configured stores beside the same with one; and what a process
spends until Django is set up, whose bound is a difference in milliseconds.

A run of everything leaves its results in docs/images/cost.json, and draws the chart of the documentation from them.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import get_args

from proofs.benchmarks import chart, report, results, sides
from proofs.benchmarks.cases import CASES
from proofs.benchmarks.measuring import Case, Measurement, measure
from proofs.benchmarks.worker import Worker, on_cpu
from tools import drivers
from tools.run_tests import DATABASES
from tools.servers import Kind, running


def main() -> int:
    options = _options()
    cases = [case for case in CASES if options.only in case.title]
    if options.noise:
        cases = [case.beside_itself() for case in cases]
    print(__doc__.partition("\n\n")[2])
    packages = ", ".join(f"{name} {version(name)}" for name in ("Django", "storm", "transaction"))
    ran_on = f"Python {platform.python_version()}, {packages}; {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"
    print(ran_on)
    databases = get_args(Kind) if options.db == "all" else [options.db]
    with drivers.driver_of(options.db):
        found = [each for database in databases for each in _run(database, cases, options.rounds)]
    if options.results:
        results.save(results.results_of(found, ran_on), options.results)
    if (options.db, options.only, options.noise) == ("all", "", False):
        results.save(results.results_of(found, ran_on), chart.RESULTS)
        chart.draw()
        print(f"\nThe chart in the documentation is drawn anew: {chart.DRAWING}")
    broken = [each for each in found if not each.holds]
    for each in broken:
        assert each.bound is not None
        ratio, bound = (report.compared(each, value) for value in (each.ratio, each.bound))
        print(f"Beyond its bound: {each.case.title} on {DATABASES[each.database]}, {ratio} over {bound}")
    if options.noise:
        print("\nBoth columns are of the same side, not of the engine: what differs here is noise.")
        print("A bound that is exceeded here cannot be told on this machine." if broken else "Every bound can be told.")
        return 0
    return 1 if broken else 0


def _run(database: str, cases: list[Case], rounds: int) -> list[Measurement]:
    began = time.monotonic()
    with ExitStack() as stack:
        with on_cpu(-1):
            server = stack.enter_context(running(drivers.kind_of(database)))
        with Worker(sides.native(server)) as worker:
            worker.run("prepare_database")
        measurements = measure(cases, server, rounds)
    print(f"\n{drivers.title(database)}, {time.monotonic() - began:.0f} s\n{report.HEADING}")
    print("\n".join(map(report.line, measurements)), flush=True)
    return measurements


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m proofs.benchmarks", description="Measure the engine.")
    parser.add_argument("--db", choices=[*drivers.STRAIGHT, "all"], default="all")
    parser.add_argument("--only", default="", metavar="NAME", help="only the cases with NAME in their title")
    parser.add_argument("--rounds", type=int, default=400, metavar="N", help="pairs of batches for a case, at most")
    parser.add_argument("--noise", action="store_true", help="measure the other side beside itself, to see the noise")
    parser.add_argument("--results", type=Path, metavar="FILE", help="write what was found as JSON")
    options = parser.parse_args()
    if not any(options.only in case.title for case in CASES):
        parser.error(f"No case has {options.only!r} in its title: {'; '.join(case.title for case in CASES)}.")
    if options.rounds < 24:
        parser.error(f"--rounds is {options.rounds}. Make it 24 or more: fewer say nothing.")
    return options


if __name__ == "__main__":
    sys.exit(main())
