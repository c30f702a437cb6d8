"""The command behind `make coherence`: thousands of random sequences on each database, beside a model of the data."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from tools import run_tests

TEST = "tests/storm_backend/stores/test_coherence_model.py"
VARIABLE = "COHERENCE_SEQUENCES"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.coherence", description=__doc__)
    parser.add_argument("--db", default="all", help=f"{', '.join(run_tests.DATABASES)} or all (the default)")
    parser.add_argument("--sequences", type=int, default=os.environ.get(VARIABLE, 2000), help="on each (default: 2000)")
    parser.add_argument("pytest", nargs="*", metavar="ARG", help="passed on to pytest; put -- before them")
    options = parser.parse_args(arguments)
    os.environ[VARIABLE] = str(options.sequences)
    return run_tests.main(["--db", options.db, "--", TEST, *options.pytest])


if __name__ == "__main__":
    sys.exit(main())
