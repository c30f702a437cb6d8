"""Connections and memory: `python -m proofs.benchmarks.connections`.

10,000 requests, each writing one row with either ORM, are served by 50 threads that end and are replaced by others.
After every 1,000 there must be as many connections open as threads alive, at the end none, and from the 1,000th to the
10,000th the process must not grow: not in Python's objects, and in resident memory not more than beside the native
backend, which reads and writes in the same way (there the pools of malloc and of the driver fill, too).
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, get_args

from proofs.benchmarks import sides
from proofs.benchmarks.crowd import Crowd, Memory, memory, open_connections
from tools import drivers
from tools.servers import Kind, Server, running

STEPS = 10
# Noise. An object of 250 bytes left behind by each request would be 9,000 blocks and more than two megabytes.
MORE_BLOCKS = 900
MORE_BYTES = 2_000_000


@dataclass(frozen=True)
class Step:
    """What there was after a tenth of the requests, while the threads were alive."""

    threads_started: int
    connections: int
    memory: Memory


@dataclass(frozen=True)
class Run:
    steps: list[Step]
    left_open: int

    @property
    def more_bytes(self) -> int:
        return self.steps[-1].memory.resident - self.steps[0].memory.resident

    @property
    def more_blocks(self) -> int:
        return self.steps[-1].memory.blocks - self.steps[0].memory.blocks


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m proofs.benchmarks.connections", description="Look for what is left behind."
    )
    parser.add_argument("--db", choices=[*drivers.STRAIGHT, "all"], default="all")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=50)
    options = parser.parse_args()
    print((__doc__ or "").partition("\n\n")[2])
    problems = []
    for database in get_args(Kind) if options.db == "all" else [options.db]:
        with drivers.driver_of(database), running(drivers.kind_of(database), durable=False) as server:
            engine = _in_a_process(server, "engine", "request_with_both", options)
            native = _in_a_process(server, "native", "request", options)
        name = drivers.title(database)
        print(f"{name}\n{_table(engine, native, options.requests)}\n", flush=True)
        problems += [f"{name}: {problem}" for problem in _problems(engine, native, options.threads)]
    print("\n".join(problems) or "Nothing was left behind.")
    return 1 if problems else 0


def _in_a_process(server: Server, side: str, operation: str, options: argparse.Namespace) -> Run:
    # Native connections of threads that have ended stay open until the garbage collector comes by: no use to wait.
    expected = options.threads if side == "engine" else sys.maxsize
    # Django is set up once in a process, and each begins with the same memory.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        arguments = (_settings(server, side), operation, options.requests, options.threads, expected)
        return pool.submit(_serve, *arguments).result()


def _serve(settings: dict[str, Any], operation: str, requests: int, threads: int, expected: int) -> Run:
    import django
    from django.conf import settings as django_settings
    from django.db import connections

    django_settings.configure(**settings)
    django.setup()
    from proofs.benchmarks import operations

    observer = connections.create_connection("observer")
    operations.prepare_database()
    connections.close_all()
    crowd = Crowd(threads, getattr(operations, operation))

    def look() -> Step:
        return Step(crowd.started, open_connections(observer, expected), memory())

    steps = [crowd.serve(requests // STEPS, look) for _ in range(STEPS)]
    return Run(steps, open_connections(observer, expected - threads))


def _table(engine: Run, native: Run, requests: int) -> str:
    lines = [f"{'':>10}{'threads':>9}{'engine: open':>15}{'resident':>11}{'blocks':>10}"
             f"{'native: open':>15}{'resident':>11}{'blocks':>10}"]  # fmt: skip
    for number, (ours, theirs) in enumerate(zip(engine.steps, native.steps, strict=True), start=1):
        sides_ = "".join(
            f"{step.connections:>15}{step.memory.resident / 1e6:>8.1f} MB{step.memory.blocks:>10,}"
            for step in (ours, theirs)
        )
        lines.append(f"{number * requests // STEPS:>10,}{ours.threads_started:>9,}{sides_}")
    ends = "".join(
        f"{run.left_open:>15}{run.more_bytes / 1e6:>+8.1f} MB{run.more_blocks:>+10,}" for run in (engine, native)
    )
    return "\n".join([*lines, f"{'at the end':>19}{ends}"])


def _problems(engine: Run, native: Run, threads: int) -> Iterator[str]:
    for step in engine.steps:
        if step.connections != threads:
            yield f"{step.connections} connections were open for {threads} threads."
    if engine.left_open:
        yield f"{engine.left_open} connections were left open."
    if engine.more_blocks > MORE_BLOCKS:
        yield f"Python's objects grew by {engine.more_blocks:,} blocks; up to {MORE_BLOCKS:,} is held to be noise."
    if engine.more_bytes > native.more_bytes + MORE_BYTES:
        yield f"Memory grew by {engine.more_bytes:,} bytes, beside {native.more_bytes:,} of the native backend."


def _settings(server: Server, side: str) -> dict[str, Any]:
    settings: dict[str, Any] = getattr(sides, side)(server)
    if server.kind == "sqlite":
        # So many writers wait for each other for longer than the usual five seconds, and must not have read before.
        settings["DATABASES"]["default"].setdefault("OPTIONS", {})
        settings["DATABASES"]["default"]["OPTIONS"] |= {"timeout": 300, "transaction_mode": "IMMEDIATE"}
    settings["DATABASES"]["observer"] = server.django()
    return settings


if __name__ == "__main__":
    sys.exit(main())
