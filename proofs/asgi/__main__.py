"""The command behind `make asgi`: 500 requests at a time, 20,000 in all, under uvicorn, hypercorn and daphne.

Half of the requests are for a sync view and half for an async one; each writes a row by Django and one by Storm. While
they run, PostgreSQL is asked again and again how many connections there are: never more than threads, never more than
requests at a time, and, with MAX_CONNECTIONS, never more than that for each process. At the end none is left but those
that MAX_CONNECTIONS keeps. Each acknowledged request has both of its rows. Then so many come that some must wait for
longer than they may: those get a 503, and nobody a 500.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import django
from django.conf import settings

from proofs.asgi import load, watch
from tools.daemons import HOST, free_port
from tools.servers import Server, ServerUnavailable, running

APPLICATION = "proofs.asgi.application:application"
SERVERS = {
    "uvicorn": ["uvicorn", APPLICATION, "--host", HOST, "--port", "{port}", "--log-level", "warning"],
    "hypercorn": ["hypercorn", APPLICATION, "--bind", f"{HOST}:{{port}}", "--log-level", "warning"],
    "daphne": ["daphne", "--bind", HOST, "--port", "{port}", "-v", "0", APPLICATION],
}
"""As somebody starts them; {workers} where a server has several processes."""
WORKERS = {"uvicorn": ["--workers", "2"], "hypercorn": ["--workers", "2"]}
UNAVAILABLE = 77
MOST = 40


@dataclass(frozen=True)
class Case:
    """A server, and what its site may have."""

    server: str
    most: int | None = None
    workers: int = 1
    overload: bool = False

    def __str__(self) -> str:
        limit = f"MAX_CONNECTIONS {self.most}" if self.most else "no limit"
        processes = "" if self.workers == 1 else f", {self.workers} processes"
        return f"{self.server}, {limit}{processes}{', overloaded' if self.overload else ''}"

    @property
    def store(self) -> dict[str, Any]:
        if self.most is None:
            return {}
        return {"MAX_CONNECTIONS": self.most, "MAX_WAIT_SECONDS": 0.5 if self.overload else 60}


CASES = [
    *(Case(server) for server in SERVERS),
    *(Case(server, MOST) for server in SERVERS),
    *(Case(server, MOST // 2, workers=2) for server in WORKERS),
    *(Case(server, 5, overload=True) for server in SERVERS),
]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.asgi", description=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--at-a-time", type=int, default=500)
    parser.add_argument("--server", choices=SERVERS, help="one of them only")
    options = parser.parse_args(arguments)
    cases = [case for case in CASES if options.server in (None, case.server)]
    problems = []
    with TemporaryDirectory(prefix="djintegrate-") as folder:
        try:
            # Without a limit each request may have its own.
            with running("postgres", durable=False, max_connections=options.at_a_time + 100) as server:
                _prepare(server)
                print(f"{'':44}{'requests':>9}{'/s':>7}{'503':>7}{'most open':>11}{'threads':>9}{'at the end':>12}")
                for case in cases:
                    found = _play(case, server, Path(folder), options)
                    problems += [f"{case}: {problem}" for problem in found]
        except ServerUnavailable as error:
            print(error)
            return UNAVAILABLE
    print("\n" + ("\n".join(problems) or "Nothing was more than it may be, and nothing is left."))
    return 1 if problems else 0


def _prepare(server: Server) -> None:
    observer = {**server.django(), "OPTIONS": {"application_name": watch.OBSERVER}}
    settings.configure(DATABASES={"default": observer}, INSTALLED_APPS=[])
    django.setup()
    from django.db import connection

    from proofs.asgi import models

    with connection.cursor() as cursor:
        for statement in models.TABLES:
            cursor.execute(statement)


def _play(case: Case, server: Server, folder: Path, options: argparse.Namespace) -> list[str]:
    from django.db import connection

    requests = max(options.requests // 10, options.at_a_time) if case.overload else options.requests
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE asgi_row, asgi_storm_row")
    with _serving(case, server, folder) as (process, port):
        begun = time.monotonic()
        with watch.Watch(process.pid) as watching:
            answers = asyncio.run(load.send(port, requests, options.at_a_time))
        seconds = time.monotonic() - begun
        kept = (case.most or 0) * case.workers
        left = watch.connections_at_last(kept)
        alive = process.poll() is None
    most = max(look.connections for look in watching.looks)
    threads = max(look.threads for look in watching.looks)
    numbers = f"{requests:>9,}{requests / seconds:>7.0f}{answers[503]:>7}{most:>11}{threads:>9}{left:>12}"
    print(f"{case!s:44}{numbers}", flush=True)
    found = list(_wrong(case, answers, watching.looks, left, options.at_a_time))
    if watch.connections_at_last(0):
        found.append("Connections outlive the server.")
    if not alive:
        found.append("The server has died.")
    if found and (said := (folder / "log").read_text()):
        print(f"What the server said at last:\n{said[-3000:]}")
    return found


def _wrong(case: Case, answers: Counter[int], looks: list[watch.Look], left: int, at_a_time: int) -> Iterator[str]:
    from django.db import connection

    allowed = {200, 503} if case.overload else {200}
    if set(answers) - allowed or not answers[200]:
        yield f"Answers were {dict(answers)}; 0 is none."
    if case.overload and not answers[503]:
        yield "Nobody was told to come back later, so that this has shown nothing."
    most = max(look.connections for look in looks)
    if case.most and most > case.most * case.workers:
        yield f"{most} connections were open with MAX_CONNECTIONS = {case.most}."
    more = [look for look in looks if look.connections > look.threads]
    if more and not case.most:
        # With a limit, connections rest while no thread has them.
        yield f"Connections were more than threads, {len(more)} times: {more[0]}."
    if most > at_a_time and not case.most:
        yield f"{most} connections were open for {at_a_time} requests at a time."
    if left > (case.most or 0) * case.workers:
        yield f"{left} connections were left."
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM asgi_row), (SELECT count(*) FROM asgi_storm_row)")
        rows = cursor.fetchone()
    if rows != (answers[200], answers[200]):
        yield f"{answers[200]} requests were acknowledged, and {rows} rows are there."


@contextmanager
def _serving(case: Case, server: Server, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = free_port()
    command = [word.format(port=port) for word in SERVERS[case.server]]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "proofs.asgi.site",
        "ASGI_PROOF_STORE": json.dumps({"URI": server.uri(), **case.store}),
        "ASGI_PROOF_SECONDS": "0.2" if case.overload else "0.02",
    }
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command, *(WORKERS[case.server] if case.workers > 1 else [])],
            env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        _await(port, process, folder)
        yield process, port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            for child in watch.children_of(process.pid):
                os.kill(child, signal.SIGKILL)
            process.kill()
            process.wait()


def _await(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"The server did not start:\n{(folder / 'log').read_text()[-3000:]}")


if __name__ == "__main__":
    sys.exit(main())
