"""Kills processes with SIGKILL while they write rows and files, and compares the two after files_recover.

At every named step of the protocol, in recovery as well, and at random moments, with two processes at once over the
same names: on SQLite and on PostgreSQL, with the engine and with Django's native backend.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django.core.management import CommandError, call_command

from proofs.crash.killing import Report, in_child
from proofs.files_crash import site
from tools.servers import ServerUnavailable, running

UNAVAILABLE = 77
RANDOM = "at a random moment"
LONGEST = 400
"""Transactions of a process that does not come to its step."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.files_crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="how many on each database (default: 300)")
    parser.add_argument("--seed", type=int, default=1, help="for the random moments and changes")
    parser.add_argument("--db", choices=["all", "sqlite", "postgres", "mysql"], default="all")
    options = parser.parse_args(arguments)
    if options.db == "all":
        # Settings are configured once in a process.
        given = ["--kills", f"{options.kills}", "--seed", f"{options.seed}", "--db"]
        command = [sys.executable, "-m", "proofs.files_crash", *given]
        return max(subprocess.run([*command, kind], check=False).returncode for kind in ("sqlite", "postgres"))
    with tempfile.TemporaryDirectory(prefix="djintegrate-") as folder:
        try:
            with running(options.db, durable=False) as server:
                site.configure(server, Path(folder))
                in_child(site.make_tables)
                return Run(options.kills, random.Random(options.seed)).run(options.db)
        except ServerUnavailable as error:
            print(error)
            return UNAVAILABLE


class Run:
    def __init__(self, kills: int, generator: random.Random) -> None:
        self._kills = kills
        self._random = generator
        self._counts: dict[str, Counter[str]] = {}
        self._wrong: list[str] = []
        self._rows = 0

    def run(self, database: str) -> int:
        from proofs.files_crash.steps import STEPS

        kinds = itertools.cycle([*STEPS, *[RANDOM] * len(STEPS)])
        while sum(count["kills"] for count in self._counts.values()) < self._kills:
            self._round(next(kinds))
        print(f"{database}:{'':<32}{'kills':>10}{'journals':>10}{'completed':>12}{'undone':>10}{'left':>8}")
        for step, count in self._counts.items():
            print(
                f"{step:<40}{count['kills']:>10}{count['journals']:>10}{count['completed']:>12}{count['undone']:>10}{count['left']:>8}"
            )
        print(
            f"{sum(count['kills'] for count in self._counts.values())} kills, {self._rows} rows compared, "
            f"{len(self._wrong)} differences."
        )
        print(*self._wrong, sep="\n")
        return int(bool(self._wrong))

    def _round(self, step: str) -> None:
        """Two processes over the same names are killed, the second while the first is dead already."""
        seeds = [self._random.getrandbits(32) for _ in range(2)]
        times, seconds = self._random.randint(1, 8), [self._random.uniform(0, 0.4) for _ in range(2)]
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(self._victim, step, seeds[0], 0, times, seconds[0])
            second = pool.submit(self._victim, RANDOM, seeds[1], 1, times, seconds[0] + seconds[1])
            kills = sum(each.result() for each in (first, second))
        count = self._counts.setdefault(step, Counter())
        count["kills"] += kills
        from proofs.files_crash import looking

        journals, dangling = json.loads(in_child(looking.dangling)[0])
        count["journals"] += journals
        self._note(step, [f"missing before recovery: {path}" for path in dangling])
        if self._random.random() < 0.3:
            self._kill_recovery(count)
        self._recover(count)
        rows, wrong = json.loads(in_child(looking.compare)[0])
        self._rows += rows
        self._note(step, wrong)

    def _victim(self, step: str, seed: int, part: int, times: int, seconds: float) -> bool:
        def work(report: Report) -> None:
            from proofs.files_crash.playing import Player
            from proofs.files_crash.steps import kill_at

            player = Player(seed, part, 2)
            if step != RANDOM:
                kill_at(step, times)
            report("...")
            for _ in range(LONGEST):
                player.transaction()

        return in_child(work, seconds if step == RANDOM else None)[1]

    def _kill_recovery(self, count: Counter[str]) -> None:
        """Recovery can be killed at any step as well, if it comes to it."""
        from proofs.files_crash.steps import STEPS, kill_at

        step, times = self._random.choice(STEPS), self._random.randint(1, 3)

        def work(report: Report) -> None:
            kill_at(step, times)
            _recover(report)

        said, killed = in_child(work)
        count["kills"] += killed
        _count(said, count)

    def _recover(self, count: Counter[str]) -> None:
        """PostgreSQL may need a while to notice that a client has died: then once more."""
        for _ in range(5):
            left = count["left"]
            _count(in_child(_recover)[0], count)
            if count["left"] == left:
                return

    def _note(self, step: str, wrong: list[str]) -> None:
        for each in wrong:
            print(f"{step}: {each}", flush=True)
        self._wrong += [f"{step}: {each}" for each in wrong]


def _recover(report: Report) -> None:
    out = io.StringIO()
    try:
        call_command("files_recover", stdout=out, stderr=out)
    except CommandError as error:
        out.write(str(error))
    report(out.getvalue())


def _count(said: str, count: Counter[str]) -> None:
    for outcome, words in (("completed", ": completed"), ("undone", ": undone"), ("left", ": left as it is")):
        count[outcome] += said.count(words)


if __name__ == "__main__":
    raise SystemExit(main())
