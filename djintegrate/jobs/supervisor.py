"""What `jobs run` is: it starts workers, each a process of its own, and takes care of what they leave.

A worker is the inner engine's own. Here is no queue: only starting, stopping, leases, and the sending of the outbox.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from itertools import count
from types import FrameType
from typing import Any

from django.db import DatabaseError, OperationalError, close_old_connections, connections, router
from django.utils.autoreload import StatReloader
from django_tasks_db.utils import is_locked_database_exception

from . import conf, leases, outbox
from .models import Lease
from .tasks import ALL_QUEUES

Say = Callable[[str], None]

WORKER = "DJINTEGRATE_JOBS_WORKER"
"""Set in the environment of a worker: its name, and the process that has started it. Its command line is the same."""
TICK_SECONDS = 0.5
WAIT_SECONDS = 0.05
SHORT_LIFE_SECONDS = 5
LONGEST_PAUSE_SECONDS = 30
"""Workers that end as soon as they start, because the database is away say, start less and less often."""


class Supervisor:
    def __init__(
        self,
        backend_name: str | None,
        workers: int,
        grace: float,
        reload: bool,
        say: Say,
        queues: Sequence[str] = (ALL_QUEUES,),
    ) -> None:
        """`backend_name` is None where `jobs run` knows no worker of the queue, and only sends.

        The workers read from their command line which queues are theirs; others are to know it too.
        """
        self.backend_name = backend_name
        self.queues = queues
        self.grace = grace
        self.say = say
        self._wanted = workers if backend_name is not None else 0
        self._workers: dict[int, Worker] = {}
        self._starts = count()
        self._ended: list[str] = []
        self._is_stopping = False
        self._mishaps = 0
        self._not_before = 0.0
        self._renewed = 0.0
        self._locked_since: float | None = None
        self._has_said_locked = False
        self._files = _Files() if reload else None

    def run(self) -> None:
        """Until somebody asks it to end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_stop)
        lease = leases.take(self.backend_name or "", self.queues)
        try:
            while not self._is_stopping:
                self._look_after(lease)
                time.sleep(TICK_SECONDS)
        finally:
            try:
                self._stop_workers(lease)
                lease.delete()
            except DatabaseError as error:
                self.say(f"The database does not answer, so others give back what is left when the lease ends: {error}")

    def _look_after(self, lease: Any) -> None:
        try:
            self._bury()
            if self._files is not None and self._files.have_changed():
                self.say("The code has changed: workers begin again.")
                self._stop_workers(lease)
            while len(self._workers) < self._wanted and time.monotonic() >= self._not_before:
                self._start(lease)
            if self._is_due():
                self._upkeep(lease)
            close_old_connections()
            self._locked_since = None
        except DatabaseError as error:
            if isinstance(error, OperationalError) and is_locked_database_exception(error):
                self._note_lock()
            else:
                # A database that restarts is back soon.
                self.say(f"The database does not answer: {error}".strip())
            close_old_connections()

    def _note_lock(self) -> None:
        """On SQLite nobody can write while a job does, which is news only where it lasts."""
        if self._locked_since is None:
            self._locked_since, self._has_said_locked = time.monotonic(), False
        seconds = time.monotonic() - self._locked_since
        if seconds >= conf.lease_seconds() and not self._has_said_locked:
            self._has_said_locked = True
            self.say(
                f"For {seconds:.0f} s nobody could write to the database: a transaction keeps it locked. "
                "If it is a job's, `with jobs.step():` makes it several."
            )

    def _is_urgent(self) -> bool:
        return time.monotonic() - self._renewed > conf.lease_seconds() / 2

    def _is_due(self) -> bool:
        return time.monotonic() - self._renewed >= conf.lease_seconds() / leases.RENEWALS

    def _renew(self, lease: Any) -> None:
        leases.renew(lease)
        self._renewed = time.monotonic()

    def _upkeep(self, lease: Any) -> None:
        with nullcontext() if self._is_urgent() else _giving_way():
            self._renew(lease)
            lost = leases.give_back_lost(self.backend_name) if self.backend_name is not None else None
        if lost:
            self.say(lost.said("workers that were killed"))
        if sent := outbox.send_unsent():
            self.say(f"{leases.jobs(sent)} sent from the outbox.")

    def _start(self, lease: Any) -> None:
        free = next(each for each in range(len(self._workers) + 1) if each not in self._workers)
        # No two workers have one name: what an earlier one has left is never taken for the work of a later one.
        self._workers[free] = Worker(leases.worker_name(lease, next(self._starts)))

    def _bury(self) -> None:
        for number, worker in list(self._workers.items()):
            code = worker.process.poll()
            if code is None:
                continue
            del self._workers[number]
            self._ended.append(worker.name)
            self.say(f"Worker {number} has ended with {code}; another one starts.")
            is_mishap = code > 0 and worker.age() < SHORT_LIFE_SECONDS
            self._mishaps = self._mishaps + 1 if is_mishap else 0
            if is_mishap:
                self._not_before = time.monotonic() + min(2**self._mishaps, LONGEST_PAUSE_SECONDS)
        self._give_back_ended()

    def _give_back_ended(self) -> None:
        """Give back the jobs of workers that have ended; at the next try, if the database does not answer now."""
        while self._ended:
            assert self.backend_name is not None
            if given := leases.give_back_of(self.backend_name, self._ended[0]):
                self.say(given.said(self._ended[0]))
            del self._ended[0]

    def _stop_workers(self, lease: Any) -> None:
        """Let them finish what they have begun; after the grace, give it back."""
        workers, self._workers = list(self._workers.values()), {}
        self._ended += [worker.name for worker in workers]
        for worker in workers:
            worker.process.terminate()
        began = time.monotonic()
        while any(worker.process.poll() is None for worker in workers) and time.monotonic() - began < self.grace:
            with suppress(DatabaseError):
                if self._is_due():
                    self._renew(lease)
            time.sleep(WAIT_SECONDS)
        for worker in workers:
            worker.process.kill()
            worker.process.wait()
        self._give_back_ended()

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        if self._is_stopping:
            # Asked twice: whatever is still running is given back at once.
            self.grace = 0
        self._is_stopping = True


@contextmanager
def _giving_way() -> Iterator[None]:
    """On SQLite, what is written here does not wait for a lock, but fails, to be tried again at the next tick.

    A request that has read, such as a sign-in, is refused when it then writes while somebody waits for its end.
    """
    connection = connections[router.db_for_write(Lease)]
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        [before] = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute("PRAGMA busy_timeout = 0")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {before}")


class Worker:
    """A process that runs jobs, started by the command line of this one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._began = time.monotonic()
        # A session of its own: Ctrl-C at a terminal reaches `jobs run` alone, which lets it finish its job.
        environment = {**os.environ, WORKER: f"{name} {os.getpid()}"}
        self.process = subprocess.Popen(
            sys.orig_argv, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
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
