"""`make third-orm`: zope.sqlalchemy's own tests on the engine of a store, on each database.

Each database has a process of its own, and its server only for that long. ARGS="--db postgres" runs one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from proofs.conformance.process import ROOT
from proofs.isolation.peers.__main__ import SOURCES, fetch
from tools.drivers import driver_of, kind_of, title
from tools.run_tests import DATABASES
from tools.servers import running

PEER = "zope_sqlalchemy"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.third_orm", description=__doc__)
    parser.add_argument("--db", default="all", help=f"{', '.join(DATABASES)} or all (the default)")
    databases = parser.parse_args().db
    source = fetch(PEER)
    failed = [
        database
        for database in (DATABASES if databases in ("", "all") else databases.split(","))
        if not passes(database, source)
    ]
    for database in failed:
        print(f"Failed on {title(database)}.")
    return 1 if failed else 0


def passes(database: str, source: Path) -> bool:
    print(f"{SOURCES[PEER]} on {title(database)}:", flush=True)
    with driver_of(database), running(kind_of(database)) as server:
        # Only its tests: zope.sqlalchemy itself is the one that is installed.
        command = [sys.executable, "-m", "proofs.third_orm.adapted", server.uri(), str(source)]
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        return subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
