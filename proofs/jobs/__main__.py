"""Kills workers, whole processes of `jobs run`, and connections, while requests enqueue jobs; then compares.

Every job of a committed request has run, none of an aborted one has, and what it wrote is there once: a second time
only what was in a step of a job in several.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast, get_args

import django

from tools.servers import Kind, Server, running

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 4
SECONDS_TO_FINISH = 600


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.jobs", description=__doc__)
    parser.add_argument("--db", choices=get_args(Kind), default="postgres")
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--native", action="store_true", help="with Django's native backend instead of the engine")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="djintegrate-"))
        server = stack.enter_context(running(cast(Kind, options.db)))
        _settings(server, folder, options.native)
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0, run_syncdb=True)
        kills = _play(server, options.requests, random.Random(options.seed))
        return _compare(options, kills)


def _settings(server: Server, folder: str, native: bool) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "proofs.jobs.site",
        "JOBS_PROOF_FOLDER": folder,
        "JOBS_PROOF_URI": server.uri() + ("?timeout=30" if server.kind == "sqlite" else ""),
    }
    if native:
        os.environ["JOBS_PROOF_NATIVE"] = json.dumps(server.django())


def _play(server: Server, requests: int, chance: random.Random) -> Counter[str]:
    """Let requests come, kill something every now and then, and wait until the queue is empty. What was killed."""
    from django.db import OperationalError
    from django_tasks_db.models import DBTaskResult

    kills: Counter[str] = Counter()
    with _requests(requests, chance) as clients:
        runner = _Runner()
        deadline = time.monotonic() + SECONDS_TO_FINISH
        while True:
            time.sleep(chance.uniform(0.2, 0.8))
            busy = any(client.poll() is None for client in clients)
            try:
                left = DBTaskResult.objects.filter(status__in=["READY", "RUNNING"]).count()
            except OperationalError:
                continue
            if not busy and not left:
                break
            assert time.monotonic() < deadline, f"{left} jobs are left after {SECONDS_TO_FINISH} s."
            if busy or left > requests // 10:
                kills[_kill(runner, server, chance)] += 1
        runner.end()
    return kills


def _kill(runner: _Runner, server: Server, chance: random.Random) -> str:
    what = chance.choices(["a worker", "jobs run", "a connection"], [6, 1, 3 if server.kind != "sqlite" else 0])[0]
    if what == "a worker":
        runner.kill_worker(chance)
    elif what == "jobs run":
        runner.kill()
    else:
        _kill_connection(chance)
    return what


class _Runner:
    """A process of `jobs run`, which is started anew when it was killed."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        command = [sys.executable, "-m", "django", "jobs", "run", "--workers", "3", "--no-reload", "--interval", "0.05"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def kill_worker(self, chance: random.Random) -> None:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        if children:
            os.kill(int(chance.choice(children)), signal.SIGKILL)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._start()

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()


def _kill_connection(chance: random.Random) -> None:
    """Any but this process's own."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL")
            kill = "SELECT pg_terminate_backend(%s)"
        else:
            cursor.execute(
                "SELECT id FROM information_schema.processlist WHERE id <> connection_id() AND db IS NOT NULL"
            )
            kill = "KILL %s"
        found = [number for (number,) in cursor.fetchall()]
        if found:
            cursor.execute(kill, [chance.choice(found)])


@contextmanager
def _requests(count: int, chance: random.Random) -> Iterator[list[subprocess.Popen[bytes]]]:
    commands = [
        [
            sys.executable,
            "-m",
            "proofs.jobs.requests",
            f"client{number}",
            str(count // PROCESSES),
            str(chance.random())[2:8],
        ]
        for number in range(PROCESSES)
    ]
    clients = [subprocess.Popen(command, cwd=ROOT) for command in commands]
    try:
        yield clients
    finally:
        for client in clients:
            client.kill()
            client.wait()


def _compare(options: argparse.Namespace, kills: Counter[str]) -> int:
    from django_tasks_db.models import DBTaskResult

    from proofs.jobs.models import Effect, Wish

    wishes = dict(Wish.objects.values_list("key", "is_in_steps"))
    effects: Counter[Any] = Counter(Effect.objects.filter(is_step=False).values_list("key", flat=True))
    steps: Counter[Any] = Counter(Effect.objects.filter(is_step=True).values_list("key", flat=True))
    failed = list(DBTaskResult.objects.filter(status="FAILED").values_list("traceback", flat=True))
    lost = wishes.keys() - effects.keys()
    unasked = (effects.keys() | steps.keys()) - wishes.keys()
    doubled = [key for key, count in effects.items() if count > 1]
    steps_lost = {key for key, in_steps in wishes.items() if in_steps} - steps.keys()
    side = "Native" if options.native else "Engine"
    print(f"{side}, {options.db}: {options.requests} requests, {len(wishes)} committed.")
    print("Killed: " + ", ".join(f"{what} {count} times" for what, count in sorted(kills.items())))
    not_run = len(lost) + len(steps_lost)
    print(f"Jobs that did not run: {not_run}; of aborted requests: {len(unasked)}; failed: {len(failed)}")
    steps_twice = sum(count > 1 for count in steps.values())
    print(f"What a job wrote is there twice: {len(doubled)}; a step of a job in several: {steps_twice}")
    for traceback in failed:
        print(traceback)
    return 1 if lost or steps_lost or unasked or doubled or failed else 0


if __name__ == "__main__":
    sys.exit(main())
