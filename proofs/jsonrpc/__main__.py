"""The command behind `make fuzz-jsonrpc`: so many requests, of two kinds, to the tests' service.

Random messages, each answered as the plain model says. And requests whose bytes, content types, headers and addresses
are mutated: each has an answer that is JSON, or none; none is a 500, none gets in, and nobody's password is taken.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ["tests/jsonrpc/test_model.py", "tests/jsonrpc/test_fuzz.py"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.jsonrpc", description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000, help="how many requests in all")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="to have the same ones again")
    options = parser.parse_args()
    print(f"{options.cases} requests, --seed {options.seed}", flush=True)
    environment = {**os.environ, "JSONRPC_EXAMPLES": str(options.cases // len(TESTS))}
    command = [sys.executable, "-m", "pytest", "-q", "-x", f"--hypothesis-seed={options.seed}", *TESTS]
    return subprocess.run(command, cwd=ROOT, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
