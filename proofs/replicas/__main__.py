"""`make replicas`: lets it happen for ten minutes, and fails if anybody has seen what may not be seen."""

from __future__ import annotations

import argparse
import random
import sys

from tools.drivers import driver_of

from .world import play


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.replicas", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--browsers", type=int, default=12)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    print(f"{options.browsers} browsers for {options.seconds:g} seconds, seed {options.seed}")
    with driver_of("postgres"):
        world = play(options.seconds, options.browsers, options.seed)
    for wrong in world.wrong:
        print(f"WRONG: {wrong}")
    print("Somebody saw the past." if world.wrong else "No browser saw the past of its own writes.")
    return 1 if world.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
