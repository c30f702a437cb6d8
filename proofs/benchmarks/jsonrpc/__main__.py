"""The command behind `make bench-jsonrpc`: what a call costs that adds two numbers.

Beside a JsonResponse view that does the same, and beside django-modern-rpc, each through the whole of a new project's
middleware; on Django's own backend, and on the engine with its middleware. In several processes, batch by batch in
turn; what counts is the median of the ratios of CPU time. Fails where a ratio is above its bound.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[3]
BOUNDS = {"plain": 1.15, "modern": 1.05}
TITLES = {"plain": "a JsonResponse view", "modern": "django-modern-rpc"}
SITES = {"native": "Django's SQLite backend", "engine": "the engine and its middleware"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.benchmarks.jsonrpc", description=__doc__)
    parser.add_argument("--processes", type=int, default=6)
    parser.add_argument("--batches", type=int, default=60)
    options = parser.parse_args()
    broken = False
    for kind, site in SITES.items():
        found = [measure(kind, options.batches) for _ in range(options.processes)]
        own = median(seconds for one in found for seconds in one["ours"])
        print(f"On {site} a call takes {own * 1e6:.0f} µs of CPU time:")
        for other, bound in BOUNDS.items():
            # The median of the processes' medians: how memory came to lie makes a difference of its own.
            ratio = median(median(a / b for a, b in zip(one["ours"], one[other], strict=True)) for one in found)
            wrong = ratio > bound
            broken |= wrong
            print(f"  {ratio:.3f} times {TITLES[other]} (bound {bound}){'  TOO MUCH' if wrong else ''}", flush=True)
    return 1 if broken else 0


def measure(kind: str, batches: int) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory(prefix="djintegrate-") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "proofs.benchmarks.jsonrpc.worker", kind, folder, str(batches)],
            cwd=ROOT, capture_output=True, text=True,
        )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    sys.exit(main())
