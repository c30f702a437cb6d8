"""A process with the settings of one side, that runs batches of an operation when it is told to, and times them."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from time import perf_counter, process_time
from typing import Any


@contextmanager
def on_cpu(index: int) -> Iterator[None]:
    """What is started inside stays on this CPU, of those there are.

    Left to itself, a pair of a client and its server gets one CPU or two, mostly for as long as they live; by what
    that makes a round trip cheaper or dearer, two sides that are the same code differ by more than what is measured.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(cpus)[index]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cpus)


@dataclass(frozen=True)
class Batch:
    """How long one operation took, on average: by the clock, and of this process's CPU time."""

    seconds: float
    cpu: float

    def __add__(self, other: Batch) -> Batch:
        return Batch(self.seconds + other.seconds, self.cpu + other.cpu)


class Worker:
    """The parent's end of it. The process waits between batches, at no cost, and ends with the `with` statement."""

    def __init__(self, settings: dict[str, Any]) -> None:
        # A fresh interpreter: one with Django set up cannot be set up again, for another side.
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, settings), daemon=True)
        with on_cpu(0):
            self._process.start()
        theirs.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self._pipe.close()
        self._process.join()

    def run(self, operation: str, times: int = 1) -> Batch:
        """Run the function `operation` of proofs.benchmarks.operations so many times.

        What its `before_…` does, if there is one, and what settle() ends are nobody's time.
        """
        try:
            self._pipe.send((operation, times))
            batch: Batch = self._pipe.recv()
        except (EOFError, OSError):
            raise RuntimeError(f"The worker has ended in {operation}(); its error is above.") from None
        return batch


def _serve(pipe: Connection, settings: dict[str, Any]) -> None:
    import django
    from django.conf import settings as django_settings

    django_settings.configure(**settings)
    django.setup()
    from proofs.benchmarks import operations

    while True:
        try:
            name, times = pipe.recv()
        except EOFError:
            return
        operation = getattr(operations, name)
        gc.collect()
        getattr(operations, f"before_{name}", _nothing)()
        seconds, cpu = perf_counter(), process_time()
        for _ in range(times):
            operation()
        batch = Batch((perf_counter() - seconds) / times, (process_time() - cpu) / times)
        operations.settle()
        pipe.send(batch)


def _nothing() -> None:
    pass
