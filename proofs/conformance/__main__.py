"""The command behind `make conformance`: both suites on both sides, compared."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from typing import get_args

import django

from proofs.conformance import django_suite, native_cache, report, storm_suite
from proofs.conformance.known import known_differences
from proofs.conformance.process import Side, cache_folder
from proofs.conformance.results import Run, differences, failed_natively_alone
from tools import drivers
from tools.drivers import STRAIGHT
from tools.servers import running


def main() -> int:
    options = _options()
    # A plain exit lets the servers be stopped; the default would end this process and leave them running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    suites = ["storm"] if options.storm else ["django"] if options.only else ["storm", "django"]
    databases = list(STRAIGHT) if options.db == "all" else [options.db]
    rows: list[tuple[str, Run]] = []
    objections: list[str] = []
    for database in databases:
        for suite in suites:
            try:
                native, engine = (_run(suite, side, database, options) for side in get_args(Side))
                again = failed_natively_alone(native, engine)
                if suite == "django" and again:
                    print(f"{suite}, {database}, native, once more: {', '.join(again)}", flush=True)
                    part = argparse.Namespace(**{**vars(options), "only": again, "engine_only": False})
                    native = native.updated(_run(suite, "native", database, part))
            except RuntimeError as error:  # ServerUnavailable is one, too.
                objections.append(f"{suite}, {database}: not run. {error}")
                print(objections[-1], file=sys.stderr)
                continue
            rows += [(f"{suite}, {database}, native", native), (f"{suite}, {database}, engine", engine)]
            objections += _compare(suite, database, native, engine, whole=not options.only)
    print(f"\nDjango {django.get_version()}, Python {sys.version.split()[0]}\n{report.table(rows)}\n")
    print("\n".join(objections) or "No difference but the listed ones.")
    return 1 if objections else 0


def _compare(suite: str, database: str, native: Run, engine: Run, whole: bool) -> list[str]:
    found = list(differences(native, engine))
    known = known_differences(suite, drivers.kind_of(database))
    details = cache_folder("results") / f"{suite}-{database}-failures.txt"
    report.write_details(details, native, engine)
    print(f"{suite}, {database}, tests that differ:\n{report.describe(found, known)}")
    print(f"  every failure of both sides in full: {os.path.relpath(details)}", flush=True)
    return [f"{suite}, {database}: {line}" for line in report.objections(found, known, engine, whole)]


def _run(suite: str, side: Side, database: str, options: argparse.Namespace) -> Run:
    # Each run has a server of its own: what one leaves behind, the next does not see.
    with running(drivers.kind_of(database), durable=False) as server:
        whole = not options.only
        kept = native_cache.file_for(suite, database, server)
        if side == "native" and options.engine_only and not options.fresh:
            stored = native_cache.load(kept, options.only)
            if stored is not None:
                print(f"{suite}, {database}, native: results of an earlier run", flush=True)
                return stored
        print(f"{suite}, {database}, {side}: running ...", flush=True)
        folder = cache_folder("runs")
        name = f"{suite}_{database}_{side}"
        if suite == "storm":
            run = storm_suite.run(name, side, server, folder, _hiding(database))
        else:
            run = django_suite.run(name, side, server, folder, _hiding(database), options.jobs, options.only)
        if side == "native" and whole:
            native_cache.save(kept, run)
        return run


def _hiding(database: str) -> Sequence[str]:
    """What to put before everything else on the path of the process that runs the tests."""
    return [drivers.path_without_psycopg3(cache_folder("hiding"))] if database == "psycopg2" else []


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m proofs.conformance", description=__doc__)
    parser.add_argument("--db", choices=[*STRAIGHT, "all"], default="sqlite")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="test processes (default: one per CPU)")
    parser.add_argument("--only", nargs="+", default=[], metavar="LABEL", help="some of Django's tests")
    parser.add_argument("--storm", action="store_true", help="Storm's tests alone")
    parser.add_argument("--engine-only", action="store_true", help="compare with the last whole native run")
    parser.add_argument("--fresh", action="store_true", help="with --engine-only: run the native side again")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
