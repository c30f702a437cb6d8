"""The command behind `make load`: the sample site under gunicorn on PostgreSQL, with 50 clients for 60 seconds.

Eight of ten requests read a day or a session, one proposes a session, one attends or leaves one. Both writes change a
row of Storm's and one of Django's. Afterwards the tables are held against what the clients were told: nothing
acknowledged may be lost, nothing doubled, no half be there. The same load goes to the same pages with everything in
Django's ORM, on Django's own backend and the same tables. The two take turns; the clients, wrk, share their CPUs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tools.servers import running

if TYPE_CHECKING:
    from proofs.benchmarks.load.world import Findings, Paths

SIDES = {
    "Storm and Django, on the engine": ("testproject.wsgi", "testproject.settings"),
    "all in Django's ORM, natively": (
        "django.core.wsgi:get_wsgi_application()",
        "proofs.benchmarks.load.native.settings",
    ),
}
TURNS = [0, 1, 1, 0]
SCRIPT = Path(__file__).with_name("clients.lua")
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Turn:
    requests: int
    seconds: float
    broken: int  # connections that failed, and answers that did not come
    middle: float  # milliseconds, of half of the answers
    slowest: float  # and of all but one in a hundred
    findings: Findings

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.benchmarks.load", description="Load on the sample site.")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=60, help="for each side, in two turns")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=4)
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("There is no wrk in PATH, which makes the load. On Debian or Ubuntu, as root: apt-get install wrk")
    print(__doc__.partition("\n\n")[2])
    with tempfile.TemporaryDirectory(prefix="djintegrate-") as name, running("postgres") as server:
        os.environ |= {
            "DATABASE_URL": server.uri(), "DJANGO_SETTINGS_MODULE": "testproject.settings", "DEBUG": "0",
            "SECRET_KEY": "only-for-the-length-of-this-load-and-long-enough", "SITE_FOLDER": name,
        }  # fmt: skip
        turns = _turns(Path(name), options)
        log = (Path(name) / "gunicorn.log").read_text()
    print(f"\n{options.clients} clients, {options.workers} workers with {options.threads} threads, "
          f"{os.cpu_count()} CPUs\n\n{'':34}requests      /s   median     99 %  writes  errors  wrong")  # fmt: skip
    for title in SIDES:
        _print(title, turns[title])
    engine, native = (sum(turn.rate for turn in turns[title]) for title in SIDES)
    print(f"\nThroughput, engine to native: {engine / native:.2f}")
    if log:
        print(f"\nWhat gunicorn said at last:\n{log[-3000:]}")
    return 0 if all(turn.findings.hold and not turn.broken for each in turns.values() for turn in each) else 1


def _turns(folder: Path, options: argparse.Namespace) -> dict[str, list[Turn]]:
    import django

    django.setup()
    # Needs Django set up.
    from proofs.benchmarks.load import world

    paths = world.prepare(options.clients, folder)
    turns: dict[str, list[Turn]] = {title: [] for title in SIDES}
    for number in TURNS:
        title = list(SIDES)[number]
        print(f"{title} …", flush=True)
        with _serving(*SIDES[title], folder, options) as address:
            requests, microseconds, broken, middle, slowest = _load(address, folder, paths, options)
        findings = world.compare(folder)
        turns[title].append(Turn(requests, microseconds / 1e6, broken, middle / 1e3, slowest / 1e3, findings))
        world.empty()
    return turns


@contextmanager
def _serving(application: str, settings: str, folder: Path, options: argparse.Namespace) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        address = f"{HOST}:{probe.getsockname()[1]}"
    command = [
        sys.executable, "-m", "gunicorn", application, "--bind", address, "--worker-class", "gthread",
        "--workers", str(options.workers), "--threads", str(options.threads), "--log-level", "warning",
    ]  # fmt: skip
    with (folder / "gunicorn.log").open("a+") as log:
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": settings}
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            _await(address, server, folder)
            yield f"http://{address}"
        finally:
            # In order: requests that run are answered.
            server.send_signal(signal.SIGTERM)
            server.wait(60)


def _await(address: str, server: subprocess.Popen[bytes], folder: Path) -> None:
    host, _, port = address.partition(":")
    for _ in range(300):
        if server.poll() is not None:
            break
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"gunicorn did not start:\n{(folder / 'gunicorn.log').read_text()[-3000:]}")


def _load(address: str, folder: Path, paths: Paths, options: argparse.Namespace) -> list[int]:
    seconds = options.seconds / TURNS.count(0)
    clients = ["-t", str(options.clients), "-c", str(options.clients)]
    command = ["wrk", *clients, "-d", f"{seconds:.0f}s", "--timeout", "30s", "-s", str(SCRIPT), address]
    done = subprocess.run([*command, "--", str(folder), *astuple(paths)], capture_output=True, text=True)
    result = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if not result:
        sys.exit(f"wrk failed:\n{done.stdout}{done.stderr}")
    return [int(float(number)) for number in result[0]]


def _print(title: str, turns: list[Turn]) -> None:
    findings = [turn.findings for turn in turns]
    wrong = [each for found in findings for each in (*found.lost, *found.doubled, *found.halves)]
    errors = [each for found in findings for each in found.errors]
    print(f"{title:32}{sum(turn.requests for turn in turns):10,}{sum(turn.rate for turn in turns) / len(turns):8.0f}"
          f"{median(turn.middle for turn in turns):6.0f} ms{max(turn.slowest for turn in turns):6.0f} ms"
          f"{sum(found.acknowledged for found in findings):8,}"
          f"{len(errors) + sum(turn.broken for turn in turns):8}{len(wrong):7}")  # fmt: skip
    for each in (*errors[:5], *wrong[:5]):
        print(f"    {each}")


if __name__ == "__main__":
    sys.exit(main())
