"""`make isolation`: the anomalies, whose tables go into the docs, and histories on each database at each level.

`--transactions 20000` is how many shall commit in each history. Each run is a process of its own, and can be had alone:
`python -m proofs.isolation.hermitage --help`, `….histories --help`, `….peers`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

DATABASES = ("sqlite", "postgres", "psycopg2", "mysql")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.isolation", description=__doc__)
    parser.add_argument("--transactions", type=int, default=2500, help="committed ones at each level (default: 2500)")
    transactions = str(parser.parse_args().transactions)
    runs = [["table"]]
    for database in DATABASES:
        histories = ["histories", "--db", database, "--transactions", transactions]
        runs += [histories, [*histories, "--held"]]
        if database != "sqlite":
            runs.append([*histories, "--stores", "2"])
    runs.append(["peers"])
    failed = [
        run for run in runs if subprocess.run([sys.executable, "-m", f"proofs.isolation.{run[0]}", *run[1:]]).returncode
    ]
    for run in failed:
        print(f"Failed, or could not run: {' '.join(run)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
