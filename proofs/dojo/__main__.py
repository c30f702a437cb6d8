"""`python -m proofs.dojo`: 5,000 fields that Hypothesis puts together, as plain HTML and as dijits; none may differ.

`--pages 10` looks at 400. It is the harness of the tests, only longer.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

PAGES = 125
FIELDS = 40


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=PAGES, help=f"pages of {FIELDS} fields each; {PAGES} by default")
    pages = parser.parse_args().pages
    print(f"{pages * FIELDS:,} fields on {pages} pages, each page twice")
    test = "tests/dojo/test_beside_generated.py"
    environment = {**os.environ, "DB": "sqlite", "BESIDE_PAGES": str(pages)}
    return subprocess.run([sys.executable, "-m", "pytest", "-q", test], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
