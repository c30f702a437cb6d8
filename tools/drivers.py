"""Which driver the tests and the conformance run use: PostgreSQL has two, of which Django prefers psycopg 3."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.run_tests import DATABASES
from tools.servers import Kind

STRAIGHT = tuple(database for database in DATABASES if database != "pgbouncer")
"""The values of DB behind which there is a server without a pooler, or a file."""
MODULES = {"postgres": "psycopg", "psycopg2": "psycopg2", "pgbouncer": "psycopg", "mysql": "MySQLdb"}


def kind_of(database: str) -> Kind:
    """The kind of server behind a value of DB: PostgreSQL with its other driver, or behind PgBouncer, is PostgreSQL."""
    kinds: dict[str, Kind] = {"sqlite": "sqlite", "mysql": "mysql"}
    return kinds.get(database, "postgres")


def title(database: str) -> str:
    """How a table names a value of DB, with the driver."""
    pooler = "PgBouncer" if database == "pgbouncer" else None
    return ", ".join(filter(None, [DATABASES[kind_of(database)], pooler, MODULES.get(database)]))


@contextmanager
def driver_of(database: str) -> Iterator[None]:
    """The processes that start in here use the driver that a value of DB asks for."""
    with tempfile.TemporaryDirectory(prefix="djintegrate-") as folder:
        if database == "psycopg2":
            hide_psycopg3(Path(folder))
        yield


def hide_psycopg3(folder: Path) -> None:
    """Have this process, and those that it starts, do as if psycopg 3 were not installed. Before Django looks."""
    path = path_without_psycopg3(folder)
    sys.path.insert(0, path)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [path, os.environ.get("PYTHONPATH")]))


def path_without_psycopg3(folder: Path) -> str:
    """What a process that starts with this in PYTHONPATH does not find is psycopg 3."""
    (folder / "psycopg.py").write_text('raise ImportError("hidden, since DB is psycopg2")\n')
    return str(folder)
