"""Kills a process with SIGKILL at each step of a two-phase commit over PostgreSQL and MariaDB, and looks what is left.

After each kill `storm_indoubt --all` runs, and the databases are compared: all of them have the row, or none has.
Stores that commit in one phase take part, too, and are written by statements of every form. Then the same with crashes
of the servers. Uses servers of its own; or those in TEST_POSTGRES_URI and TEST_MYSQL_URI, which it does not crash.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Literal

import transaction
from django.core.management import CommandError, call_command
from django.db import connections

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.stores.registry import connections_of_all_stores
from djintegrate.storm_backend.two_phase.recovery import survey
from proofs.crash import stores
from proofs.crash.killing import STEPS, Report, in_child
from proofs.crash.killing_servers import COMMITTED, CRASHES, crash_at_step
from proofs.crash.scenarios import SCENARIOS, Scenario
from proofs.crash.tally import Found, Results
from tools.drivers import driver_of
from tools.servers import Server, ServerUnavailable, pooled, running

UNAVAILABLE = 77
MANY = 50
Moment = tuple[str, int]
"""A scenario, and the number of a step of its commit."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="how many in all (default: 300)")
    parser.add_argument("--crashes", type=int, default=120, help="how many crashes of servers (default: 120)")
    parser.add_argument("--seed", type=int, default=1, help="for the random moments")
    parser.add_argument(
        "--db",
        choices=["postgres", "psycopg2", "pgbouncer"],
        default="postgres",
        help="PostgreSQL with psycopg 3, with psycopg2, or behind PgBouncer in transaction mode",
    )
    options = parser.parse_args(arguments)
    kinds: tuple[Literal["postgres"], Literal["mysql"]] = ("postgres", "mysql")
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="djintegrate-"))
        stack.enter_context(driver_of(options.db))
        is_pooled = options.db == "pgbouncer"
        given: dict[str, str] = {kind: uri for kind in kinds if (uri := os.environ.get(f"TEST_{kind.upper()}_URI"))}
        if is_pooled:
            # The pooler stands before a server of this run's own.
            given.pop("postgres", None)
        crashes = 0 if given else options.crashes
        try:
            servers: dict[str, Server] = {
                kind: stack.enter_context(running(kind, durable=bool(crashes))) for kind in kinds if kind not in given
            }
            pooler = stack.enter_context(pooled(servers["postgres"])) if is_pooled else None
        except ServerUnavailable as error:
            print(error)
            return UNAVAILABLE
        uris: dict[str, str] = given | {kind: server.uri() for kind, server in servers.items()}
        postgres = uris["postgres"] if pooler is None else pooler.uri()
        stores.configure(postgres, uris["mysql"], folder, "transaction" if pooler else None)
        # This process itself never connects: what it forks is to have no connection of its parent's.
        in_child(stores.make_databases)
        in_child(stores.make_tables)
        in_child(stores.try_every_form)
        try:
            return run(options.kills, crashes, servers, random.Random(options.seed))
        finally:
            in_child(stores.end_transactions_of_others)
            in_child(stores.drop_databases)


def kill_at_step(number: int, scenario: Scenario, kill_at: int) -> str:
    """The name of the step at which the process was killed."""

    def work(report: Report) -> None:
        scenario.steps(kill_at).watch(report)
        scenario.write(number)

    step, killed = in_child(work)
    assert killed, f"{scenario} has no step {kill_at}"
    return step


def kill_at_random(number: int, scenario: Scenario, generator: random.Random) -> int:
    """Transactions one after another, until the kill; how many were begun."""

    def work(report: Report) -> None:
        for current in itertools.count(number):
            report(".")
            scenario.write(current)

    text, _ = in_child(work, generator.uniform(0, 0.05))
    return len(text)


def recover(numbers: Sequence[int], scenario: Scenario) -> Found:
    """Look, run storm_indoubt, and look again, in a process of its own."""

    def work(report: Report) -> None:
        stores.await_servers()
        at_first = _numbers(scenario.names, numbers)
        out = io.StringIO()
        try:
            call_command("storm_indoubt", all=True, older_than=0, stdout=out, stderr=out)
        except CommandError as error:
            out.write(str(error))
        said = out.getvalue()
        with survey(connections_of_all_stores()) as after:
            left, others = len(after.doubts()), len(after.others)
        doubts = said.count("  committed in ") + said.count("  rolled back in ")
        report(json.dumps(Found(at_first, _numbers(scenario.names, numbers), doubts, left, others, said)))

    text, _ = in_child(work)
    return Found(*json.loads(text))


def kill_processes(kills: int, steps: Sequence[Moment], generator: random.Random) -> Results:
    """Kill `kills` processes, a fifth of them at random moments."""
    results = Results("killed", "kills", STEPS)
    numbers = itertools.count(1)
    moments = _shuffled(steps, generator)
    for _ in range(kills - kills // 5):
        scenario, kill_at = next(moments)
        number = next(numbers)
        step = kill_at_step(number, SCENARIOS[scenario], kill_at)
        results.add(step, scenario, [number], recover([number], SCENARIOS[scenario]))
        if number % MANY == 0:
            print(f"{number} killed", file=sys.stderr, flush=True)
    for scenario, _ in zip(itertools.cycle(SCENARIOS), range(kills // 5)):
        first = next(numbers)
        begun = range(first, first + max(1, kill_at_random(first, SCENARIOS[scenario], generator)))
        numbers = itertools.count(begun[-1] + 1)
        results.add(STEPS[5], scenario, begun, recover(begun, SCENARIOS[scenario]))
    return results


def crash_servers(
    crashes: int, servers: Mapping[str, Server], steps: Sequence[Moment], generator: random.Random
) -> Results:
    """Have one of the servers, or both, crash so many times. What a process is told is compared as well."""
    results = Results("a server crashes", "crashes", STEPS[:5])
    moments = _shuffled(steps, generator)
    kinds = itertools.cycle(itertools.product(CRASHES, (["postgres"], ["mysql"], ["postgres", "mysql"])))
    for number in range(1_000_000, 1_000_000 + crashes):
        (scenario, step), (crash, names) = next(moments), next(kinds)
        chosen = SCENARIOS[scenario]
        story = crash_at_step(
            {name: servers[name] for name in names}, crash, chosen.steps(step), partial(chosen.write, number)
        )
        found = recover([number], chosen)
        results.add(story.step, scenario, [number], found)
        if story.told == COMMITTED and not found.stores_with(number):
            what = f"{scenario}, {' and '.join(names)} {crash} {story.step}"
            results.wrong.append(f"{what}: number {number} was said to be committed\n{found.said}")
    return results


def run(kills: int, crashes: int, servers: Mapping[str, Server], generator: random.Random) -> int:
    """The exit code."""
    if kills + crashes >= MANY:
        print(
            f"{kills} kills and {crashes} crashes of servers, in {len(SCENARIOS)} scenarios, with "
            f"{connections['default'].Database.__name__}; this takes a while.", flush=True,
        )  # fmt: skip
    steps = _all_steps()
    results = [kill_processes(kills, steps, generator)]
    results[0].print()
    if crashes:
        results.append(crash_servers(crashes, servers, steps, generator))
        print()
        results[1].print()
    return 1 if any(each.wrong for each in results) else 0


def _numbers(names: Sequence[str], numbers: Sequence[int]) -> dict[str, list[int]]:
    """Which of the numbers each store has."""
    query = f"SELECT number FROM crash_row WHERE number IN ({', '.join(map(str, numbers))}) ORDER BY number"
    found = {name: [row[0] for row in get_store(name).execute(query)] for name in names}
    transaction.abort()
    return found


def _count_steps(number: int, scenario: Scenario) -> int:
    """How many steps its commit has: one that nobody kills is counted."""

    def work(report: Report) -> None:
        steps = scenario.steps(kill_at=0)
        steps.watch(report)
        scenario.write(number)
        report(str(steps.number))

    text, _ = in_child(work)
    return int(text)


def _all_steps() -> list[Moment]:
    """Each step of each scenario; where there are many forms, twice."""
    return [
        (title, step)
        for number, (title, scenario) in enumerate(SCENARIOS.items())
        for step in range(1, _count_steps(-2 - number, scenario) + 1)
        for _ in range(2 if scenario.forms(0) else 1)
    ]


def _shuffled(steps: Sequence[Moment], generator: random.Random) -> Iterator[Moment]:
    """All of them in random order, again and again."""
    while True:
        yield from generator.sample(steps, len(steps))


if __name__ == "__main__":
    sys.exit(main())
