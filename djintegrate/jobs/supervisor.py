"""What `jobs run` is: it starts workers, each a process of its own, and takes care of what they leave.

A worker is the inner engine's own. Here is no queue: only starting, stopping, leases, and the sending of the outbox.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from django.db import DatabaseError, close_old_connections
from django.utils.autoreload import StatReloader

from . import conf, leases, outbox

Say = Callable[[str], None]

WORKER = "DJINTEGRATE_JOBS_WORKER"
"""Set in the environment of a worker: its name, and the process that has started it. The rest of its command line is that of `jobs run`."""
TICK_SECONDS = 0.5
SHORT_LIFE_SECONDS = 5
LONGEST_PAUSE_SECONDS = 30
"""Workers that end as soon as they start, because the database is away say, start less and less often."""


class Supervisor:
    def __init__(
        self, backend_name: str | None, workers: int, grace: float, reload: bool, say: Callable[[str], None]
    ) -> None:
        """`backend_name` is None where `jobs run` knows no worker of the queue, and only sends."""
        self.backend_name = backend_name
        self.grace = grace
        self.say = say
        self._wanted = workers if backend_name is not None else 0
        self._workers: dict[int, Worker] = {}
        self._is_stopping = False
        self._mishaps = 0
        self._not_before = 0.0
        self._renewed = 0.0
        self._files = _Files() if reload else None

    def run(self) -> None:
        """Until somebody asks it to end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_stop)
        lease = leases.take(self.backend_name or "")
        try:
            while not self._is_stopping:
                self._look_after(lease)
                time.sleep(TICK_SECONDS)
        finally:
            self._stop_workers()
            lease.delete()

    def _look_after(self, lease: Any) -> None:
        try:
            self._bury()
            if self._files is not None and self._files.have_changed():
                self.say("The code has changed: workers begin again.")
                self._stop_workers()
            while len(self._workers) < self._wanted and time.monotonic() >= self._not_before:
                self._start(lease)
            if time.monotonic() - self._renewed >= conf.lease_seconds() / leases.RENEWALS:
                self._upkeep(lease)
            close_old_connections()
        except DatabaseError as error:
            # A database that restarts is back soon.
            self.say(f"The database does not answer: {error}".strip())
            close_old_connections()

    def _upkeep(self, lease: Any) -> None:
        leases.renew(lease)
        self._renewed = time.monotonic()
        if self.backend_name is not None and (lost := leases.give_back_lost(self.backend_name)):
            self.say(f"{_jobs(lost)} of workers that were killed: given back.")
        if sent := outbox.send_unsent():
            self.say(f"{_jobs(sent)} sent from the outbox.")

    def _start(self, lease: Any) -> None:
        free = next(each for each in range(len(self._workers) + 1) if each not in self._workers)
        self._workers[free] = Worker(leases.worker_name(lease, free))

    def _bury(self) -> None:
        for number, worker in list(self._workers.items()):
            code = worker.process.poll()
            if code is None:
                continue
            del self._workers[number]
            self._give_back(worker)
            self.say(f"Worker {number} has ended with {code}; another one starts.")
            is_mishap = code > 0 and worker.age() < SHORT_LIFE_SECONDS
            self._mishaps = self._mishaps + 1 if is_mishap else 0
            if is_mishap:
                self._not_before = time.monotonic() + min(2**self._mishaps, LONGEST_PAUSE_SECONDS)

    def _give_back(self, worker: Worker) -> None:
        assert self.backend_name is not None
        if given := leases.give_back_of(self.backend_name, worker.name):
            self.say(f"{_jobs(given)} of {worker.name}: given back.")

    def _stop_workers(self) -> None:
        """Let them finish what they have begun; after the grace, give it back."""
        for worker in self._workers.values():
            worker.process.terminate()
        ends = time.monotonic() + self.grace
        for worker in self._workers.values():
            try:
                worker.process.wait(max(0, ends - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            self._give_back(worker)
        self._workers = {}

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        if self._is_stopping:
            # Asked twice: whatever is still running is given back at once.
            self.grace = 0
        self._is_stopping = True


class Worker:
    """A process that runs jobs, started by the command line of this one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._began = time.monotonic()
        # A session of its own: Ctrl-C at a terminal reaches `jobs run` alone, which lets it finish its job.
        self.process = subprocess.Popen(
            sys.orig_argv, env={**os.environ, WORKER: f"{name} {os.getpid()}"}, stdin=subprocess.DEVNULL, start_new_session=True
        )

    def age(self) -> float:
        return time.monotonic() - self._began


class _Files:
    """The files of the code that is loaded here, as Django's own reloader knows them."""

    def __init__(self) -> None:
        self._reloader = StatReloader()
        self._seen = self._now()

    def have_changed(self) -> bool:
        before, self._seen = self._seen, self._now()
        return any(self._seen.get(path) != changed for path, changed in before.items())

    def _now(self) -> dict[Any, float]:
        return dict(self._reloader.snapshot_files())


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"
