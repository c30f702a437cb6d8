"""Runs Storm's own store and database tests, on connections of Storm's or on connections that the engine opened.

`run()` starts this module in a process of its own, with the side and the kind of database as arguments.
"""

from __future__ import annotations

import importlib
import itertools
import os
import sys
import unittest
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

from proofs.conformance.process import ROOT, Side, run_recorded
from proofs.conformance.recorder import RecordingResult
from proofs.conformance.results import Run
from tools.servers import Server


def run(name: str, side: Side, server: Server, folder: Path, hiding: Sequence[str] = ()) -> Run:
    """Runs the tests on a server, in its database `test`. PostgreSQL's native ones want psycopg2 in any case."""
    environment = {"PYTHONPATH": os.pathsep.join([*hiding, str(ROOT)])}
    # Storm's tests run where such a variable names a database, and are skipped elsewhere.
    if server.kind == "mysql":
        environment["STORM_MYSQL_URI"] = server.uri("test")
    if server.kind == "postgres":
        # One of them sets an sslmode, which only a socket ignores; others put a proxy before a host.
        environment["STORM_POSTGRES_URI"] = server.uri("test").replace(server.host, quote(str(server.folder), safe=""))
        environment["STORM_POSTGRES_HOST_URI"] = server.uri("test")
    command = [sys.executable, "-m", "proofs.conformance.storm_suite", side, server.kind]
    return run_recorded(name, command, ROOT, environment, folder)


def main(side: str, kind: str) -> int:
    """The process in which the tests run."""
    from django.conf import settings

    settings.configure(STORM_STORES={}, USE_TZ=False)
    modules = [importlib.import_module(f"storm.tests.{part}.{kind}") for part in ("store", "databases")]
    if side == "engine":
        import storm.tests.databases.base

        for module in [*modules, storm.tests.databases.base]:
            _use_engine(module)
    suite = unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromModule(module) for module in modules)
    outcome = unittest.TextTestRunner(resultclass=RecordingResult, verbosity=2).run(suite)
    if side == "engine" and not settings.STORM_STORES:
        print("Storm's tests asked nowhere for a database of the engine: they create theirs in another way.")
        return 2
    return 0 if outcome.wasSuccessful() else 1


def _use_engine(module: ModuleType) -> None:
    """Lets the module's tests create the engine's Databases where they create Storm's."""
    module.create_database = _create_database  # type: ignore[attr-defined]
    if plain := getattr(module, "SQLite", None):
        module.SQLite = _CallableAsEngine("SQLite", (plain,), {})  # type: ignore[attr-defined]


class _CallableAsEngine(type):
    """Makes a Database class that tests both call and hand to isinstance()."""

    def __call__(cls, uri: Any) -> Any:
        return _create_database(uri)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.__bases__)


def _create_database(uri: Any) -> Any:
    """As Storm's create_database(), but each connection is opened by a Django connection of the engine's."""
    from django.conf import settings
    from django.db.utils import ConnectionHandler

    from proofs.conformance.own_connection import database_for

    store = f"store{next(_numbers)}"
    settings.STORM_STORES[store] = str(uri)
    handler = ConnectionHandler({"default": {"ENGINE": "djintegrate.storm_backend", "NAME": store}})
    return database_for(handler.create_connection("default"))


_numbers = itertools.count(1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
