"""The command behind `make bench-files`: what files cost that are part of the transaction.

A request that saves one small file and its row is compared with one that does so without any transaction, as Django
comes: autocommit, and a file system storage. What a transaction costs that has only the row in it, Django's own, is
shown as well: no files are in that. A request without files is compared with the same on a site without
djintegrate.files. Two processes, one of each side, run small batches in turn; what counts is the median of the ratios.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack
from typing import Any, get_args

from proofs.benchmarks import report, sides
from proofs.benchmarks.measuring import CPU, Case, Measurement, measure
from proofs.benchmarks.worker import Worker, on_cpu
from tools.servers import Kind, Server, running

FILE_SYSTEM = "django.core.files.storage.FileSystemStorage"
STATIC_FILES = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}


def without_transaction(server: Server) -> dict[str, Any]:
    """Django's own backend in autocommit, and its own storage."""
    settings = sides.native(server)
    database = {**settings["DATABASES"]["default"], "ATOMIC_REQUESTS": False}
    return {**settings, "DATABASES": {"default": database}, "STORAGES": _storages(_inner(server))}


def rows_only(server: Server) -> dict[str, Any]:
    """Django's own backend with ATOMIC_REQUESTS, and its own storage: the row is part of a transaction."""
    return {**without_transaction(server), "DATABASES": sides.native(server)["DATABASES"]}


def native(server: Server) -> dict[str, Any]:
    """Django's own backend with ATOMIC_REQUESTS."""
    return _with_files(sides.native(server), server)


def engine(server: Server) -> dict[str, Any]:
    """The engine with its middleware."""
    return _with_files(sides.engine(server), server)


def engine_with_fsync(server: Server) -> dict[str, Any]:
    return {**engine(server), "FILES_FSYNC": True}


CASES = [
    Case("with only the row in a transaction", "request_with_file", without_transaction, rows_only, None),
    Case("request that saves a file, ATOMIC_REQUESTS", "request_with_file", without_transaction, native, 1.3),
    Case("request that saves a file, the engine", "request_with_file", without_transaction, engine, 1.3),
    Case("the same with FILES_FSYNC", "request_with_file", without_transaction, engine_with_fsync, None),
    Case("request without files, the engine, CPU", "request", sides.engine, engine, 1.05, quantity=CPU),
    Case("request without files, ATOMIC_REQUESTS, CPU", "request", sides.native, native, 1.05, quantity=CPU),
]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.benchmarks.files", description="Measure files.")
    parser.add_argument("--db", choices=[*get_args(Kind), "all"], default="all")
    parser.add_argument("--rounds", type=int, default=400, metavar="N", help="pairs of batches for a case, at most")
    options = parser.parse_args()
    print(__doc__.partition("\n\n")[2])
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    databases = get_args(Kind) if options.db == "all" else [options.db]
    return int(not all(each.holds for database in databases for each in _run(database, options.rounds)))


def _run(database: str, rounds: int) -> list[Measurement]:
    with ExitStack() as stack:
        with on_cpu(-1):
            server = stack.enter_context(running(database))  # type: ignore[arg-type]
        with Worker(native(server)) as worker:
            worker.run("prepare_database")
        measurements = measure(CASES, server, rounds)
    print(f"\n{database}\n{report.HEADING}")
    print("\n".join(map(report.line, measurements)), flush=True)
    return measurements


def _with_files(settings: dict[str, Any], server: Server) -> dict[str, Any]:
    ours = {"BACKEND": "djintegrate.files.TransactionalStorage", "OPTIONS": {"storage": _inner(server)}}
    return {
        **settings,
        "INSTALLED_APPS": ["djintegrate.files", *settings["INSTALLED_APPS"]],
        "STORAGES": _storages(ours),
        "FILES_JOURNAL": str(server.folder / "journal"),
    }


def _inner(server: Server) -> dict[str, Any]:
    return {"BACKEND": FILE_SYSTEM, "OPTIONS": {"location": str(server.folder / "media")}}


def _storages(default: dict[str, Any]) -> dict[str, Any]:
    return {"default": default, "staticfiles": STATIC_FILES}


if __name__ == "__main__":
    sys.exit(main())
