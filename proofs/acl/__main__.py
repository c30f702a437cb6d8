"""`make access`: 10,000 random lists, people and questions beside the model, and 10,000 slips of the pen.

`--cases 1000` is shorter. It is the harness of the tests, only longer.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

TEST = "tests/acl/test_beside_model.py"
VARIABLE = "ACL_CASES"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.acl", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="of each of the two properties (default: 10,000)")
    cases = parser.parse_args().cases
    print(f"{cases:,} cases of each of two properties", flush=True)
    environment = {**os.environ, "DB": "sqlite", VARIABLE: str(cases)}
    return subprocess.run([sys.executable, "-m", "pytest", "-q", TEST], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
