"""Kills a process with SIGKILL at each step of a two-phase commit over PostgreSQL and MariaDB, and looks what is left.

After each kill `storm_indoubt --all` runs, and the databases are compared: all of them have the row, or none has.
Then the same with crashes of the servers. Uses servers of its own; or those in TEST_POSTGRES_URI and TEST_MYSQL_URI,
which it does not crash.
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
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, Literal
from urllib.parse import urlsplit

from proofs.crash.killing import STEPS, LateVoter, Report, Steps, in_child
from proofs.crash.killing_servers import COMMITTED, CRASHES, crash_at_step
from tools.drivers import driver_of
from tools.servers import Server, ServerUnavailable, running

UNAVAILABLE = 77
MANY = 50
SITE = "crash"
TABLE = "CREATE TABLE IF NOT EXISTS crash_{0} (number INTEGER PRIMARY KEY)"

# What takes part, and whether somebody votes after them, so that the last one has to prepare as well.
SCENARIOS: dict[str, tuple[tuple[str, ...], bool]] = {
    "both shared with Django": (("ledger", "stock"), False),
    "both shared, and a late voter": (("ledger", "stock"), True),
    "both plain": (("plain_ledger", "plain_stock"), False),
    "both plain, and a late voter": (("plain_ledger", "plain_stock"), True),
    "four stores": (("ledger", "plain_ledger", "stock", "plain_stock"), True),
    "both, and a one-phase SQLite store": (("ledger", "stock", "file"), False),
    "two PostgreSQL databases": (("ledger", "plain_ledger"), False),
    "two MariaDB databases, and a late voter": (("stock", "plain_stock"), True),
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.crash.__main__", description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="how many in all (default: 300)")
    parser.add_argument("--crashes", type=int, default=120, help="how many crashes of servers (default: 120)")
    parser.add_argument("--seed", type=int, default=1, help="for the random moments")
    parser.add_argument(
        "--db", choices=["postgres", "psycopg2"], default="postgres", help="PostgreSQL's driver: psycopg 3, or psycopg2"
    )
    options = parser.parse_args(arguments)
    kinds: tuple[Literal["postgres"], Literal["mysql"]] = ("postgres", "mysql")
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="djintegrate-"))
        stack.enter_context(driver_of(options.db))
        given: dict[str, str] = {kind: uri for kind in kinds if (uri := os.environ.get(f"TEST_{kind.upper()}_URI"))}
        crashes = 0 if given else options.crashes
        try:
            servers: dict[str, Server] = {
                kind: stack.enter_context(running(kind, durable=bool(crashes))) for kind in kinds if kind not in given
            }
        except ServerUnavailable as error:
            print(error)
            return UNAVAILABLE
        uris: dict[str, str] = given | {kind: server.uri() for kind, server in servers.items()}
        _configure(uris["postgres"], uris["mysql"], folder)
        # This process itself never connects: what it forks is to have no connection of its parent's.
        in_child(_make_databases)
        in_child(_make_tables)
        try:
            return run(options.kills, crashes, servers, random.Random(options.seed))
        finally:
            in_child(_end_others)
            in_child(_drop_databases)


def write(number: int, names: Sequence[str], late: bool) -> None:
    """One transaction that writes `number` to each of the stores."""
    import transaction
    from django.db import connections

    from djintegrate.storm_backend import get_store

    with transaction.manager:
        for name in names:
            statement = f"INSERT INTO crash_{name} (number) VALUES ({number})"
            if name == "ledger":
                with connections["default"].cursor() as cursor:
                    cursor.execute(statement)
            else:
                get_store(name).execute(statement, noresult=True)
        if late:
            transaction.get().join(LateVoter(transaction.manager))


def kill_at_step(number: int, scenario: str, kill_at: int) -> tuple[str, bool]:
    names, late = SCENARIOS[scenario]

    def work(report: Report) -> None:
        Steps(len(names), late, kill_at).watch(report)
        write(number, names, late)

    return in_child(work)


def kill_at_random(number: int, scenario: str, generator: random.Random) -> int:
    """Transactions one after another, until the kill; how many were begun."""
    names, late = SCENARIOS[scenario]

    def work(report: Report) -> None:
        for current in itertools.count(number):
            report(".")
            write(current, names, late)

    text, _ = in_child(work, generator.uniform(0, 0.05))
    return len(text)


def recover(numbers: Sequence[int], scenario: str) -> dict[str, Any]:
    """Run storm_indoubt, and compare the databases, in a process of its own."""
    names, _ = SCENARIOS[scenario]

    def work(report: Report) -> None:
        from django.core.management import CommandError, call_command

        from djintegrate.storm_backend import get_store
        from djintegrate.storm_backend.two_phase.recovery import survey

        out = io.StringIO()
        try:
            call_command("storm_indoubt", all=True, older_than=0, stdout=out, stderr=out)
        except CommandError as error:
            out.write(str(error))
        doubts = out.getvalue().count("  committed in ") + out.getvalue().count("  rolled back in ")
        with survey() as after:
            left, others = len(after.doubts()), len(after.others)
        wanted = ", ".join(map(str, numbers))
        found = {
            name: {row[0] for row in get_store(name).execute(
                f"SELECT number FROM crash_{name} WHERE number IN ({wanted})"
            ).get_all()}
            for name in names
        }  # fmt: skip
        rows = [sum(number in found[name] for name in names) for number in numbers]
        report(json.dumps({"doubts": doubts, "left": left, "others": others, "rows": rows, "said": out.getvalue()}))

    text, _ = in_child(work)
    result: dict[str, Any] = json.loads(text)
    return result


class Tally:
    """What was found after the kills."""

    def __init__(self, what: str, event: str, rows: Iterable[str]) -> None:
        self.what = what
        self.columns = (event, "in doubt", "committed", "rolled back", "DIFFER")
        self.counts: dict[str, Counter[str]] = {row: Counter() for row in rows}
        self.wrong: list[str] = []

    def add(self, step: str, scenario: str, numbers: Sequence[int], result: dict[str, Any]) -> None:
        counts = self.counts[step]
        counts[self.columns[0]] += 1
        counts["in doubt"] += result["doubts"]
        stores = len(SCENARIOS[scenario][0])
        for number, rows in zip(numbers, result["rows"], strict=True):
            if rows not in (0, stores):
                counts["DIFFER"] += 1
                self.wrong.append(
                    f"{scenario}, {step}: number {number} is in {rows} of {stores} stores\n{result['said']}"
                )
            counts["committed" if rows else "rolled back"] += 1
        if result["left"] or result["others"] != 2:
            self.wrong.append(f"{scenario}, {step}: {result['left']} left, {result['others']} of others")

    def print(self) -> None:
        print(f"{self.what:<26}" + "".join(f"{column:>13}" for column in self.columns))
        total = sum((counts for counts in self.counts.values()), Counter[str]())
        for row, counts in [*self.counts.items(), ("in all", total)]:
            print(f"{row:<26}" + "".join(f"{counts[column]:>13}" for column in self.columns))
        for text in self.wrong:
            print(text)


def kill_processes(kills: int, generator: random.Random) -> Tally:
    """Kill `kills` processes, a fifth of them at random moments."""
    tally = Tally("killed", "kills", STEPS)
    numbers = itertools.count(1)
    steps = _steps(generator)
    for _ in range(kills - kills // 5):
        scenario, kill_at = next(steps)
        number = next(numbers)
        step, killed = kill_at_step(number, scenario, kill_at)
        assert killed, f"{scenario} has no step {kill_at}"
        tally.add(step, scenario, [number], recover([number], scenario))
        if number % MANY == 0:
            print(f"{number} killed", file=sys.stderr, flush=True)
    for scenario, _ in zip(itertools.cycle(SCENARIOS), range(kills // 5)):
        first = next(numbers)
        begun = range(first, first + max(1, kill_at_random(first, scenario, generator)))
        numbers = itertools.count(begun[-1] + 1)
        tally.add(STEPS[5], scenario, begun, recover(begun, scenario))
    return tally


def crash_servers(crashes: int, servers: Mapping[str, Server], generator: random.Random) -> Tally:
    """Have one of the servers, or both, crash so many times. What a process is told is compared as well."""
    tally = Tally("a server crashes", "crashes", STEPS[:5])
    steps = _steps(generator)
    kinds = itertools.cycle(itertools.product(CRASHES, (["postgres"], ["mysql"], ["postgres", "mysql"])))
    for number in range(1_000_000, 1_000_000 + crashes):
        (scenario, step), (crash, names) = next(steps), next(kinds)
        stores, late = SCENARIOS[scenario]
        story = crash_at_step(
            {name: servers[name] for name in names}, crash, Steps(len(stores), late, step),
            partial(write, number, stores, late),
        )  # fmt: skip
        result = recover([number], scenario)
        what = f"{scenario}, {' and '.join(names)} {crash}"
        tally.add(story.step, scenario, [number], result)
        if story.told == COMMITTED and not result["rows"][0]:
            tally.wrong.append(f"{what} {story.step}: number {number} was said to be committed\n{result['said']}")
    return tally


def run(kills: int, crashes: int, servers: Mapping[str, Server], generator: random.Random) -> int:
    """The exit code."""
    if kills + crashes >= MANY:
        print(
            f"{kills} kills and {crashes} crashes of servers, in {len(SCENARIOS)} scenarios, with {_driver()}; this "
            "takes a while.", flush=True,
        )  # fmt: skip
    tallies = [kill_processes(kills, generator)]
    tallies[0].print()
    if crashes:
        tallies.append(crash_servers(crashes, servers, generator))
        print()
        tallies[1].print()
    return 1 if any(tally.wrong for tally in tallies) else 0


def _driver() -> str:
    from django.db import connections

    return str(connections["default"].Database.__name__)


def _steps(generator: random.Random) -> Iterator[tuple[str, int]]:
    """Each step of each scenario, in random order, again and again."""
    counts: dict[str, int] = {}
    for scenario, (names, late) in SCENARIOS.items():

        def count(report: Report, names: Sequence[str] = names, late: bool = late) -> None:
            steps = Steps(len(names), late, 0)
            steps.watch(report)
            write(0, names, late)
            report(str(steps.number))

        text, _ = in_child(count)
        counts[scenario] = int(text)
        in_child(_delete_zero)
    every = [(scenario, step) for scenario, steps in counts.items() for step in range(1, steps + 1)]
    while True:
        generator.shuffle(every)
        yield from every


def _delete_zero(report: Report) -> None:
    import transaction

    from djintegrate.storm_backend import get_store

    for name in {name for names, _ in SCENARIOS.values() for name in names}:
        get_store(name).execute(f"DELETE FROM crash_{name} WHERE number = 0", noresult=True)
    transaction.commit()


def _make_databases(report: Report) -> None:
    from django.db import connections

    for name in ("ledger", "plain_ledger", "stock", "plain_stock"):
        with connections["postgres" if "ledger" in name else "mysql"].cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS crash_{name}")
            cursor.execute(f"CREATE DATABASE crash_{name}")


def _drop_databases(report: Report) -> None:
    from django.db import connections

    for name in ("ledger", "plain_ledger", "stock", "plain_stock"):
        with connections["postgres" if "ledger" in name else "mysql"].cursor() as cursor:
            cursor.execute(f"DROP DATABASE crash_{name}")


def _make_tables(report: Report) -> None:
    """And one prepared transaction of somebody else in each server."""
    import transaction
    from django.db import connections

    from djintegrate.storm_backend import get_store
    from djintegrate.storm_backend.two_phase import branches

    for name in {name for names, _ in SCENARIOS.values() for name in names}:
        get_store(name).execute(TABLE.format(name), noresult=True)
        transaction.commit()
    _delete_zero(report)
    for alias in ("default", "stock"):
        other = connections[alias].copy()
        other.set_autocommit(False)
        branch = branches.branch(other, branches.Xid(branches.new_transaction("other"), "store:1"))
        branch.begin()
        branches.run(other, f"INSERT INTO crash_{'ledger' if alias == 'default' else alias} VALUES (-1)")
        branch.prepare()
        other.close()


def _end_others(report: Report) -> None:
    from django.db import connections

    from djintegrate.storm_backend.two_phase import branches

    for alias in ("default", "stock"):
        for xid in branches.all_prepared(connections[alias]):
            if xid.transaction.startswith("other:"):
                branches.end(connections[alias], xid, commit=False)


def _configure(postgres: str, mysql: str, folder: str) -> None:
    import django
    from django.conf import settings

    def alias(name: str) -> dict[str, Any]:
        return {"ENGINE": "djintegrate.storm_backend", "NAME": name}

    def store(name: str) -> dict[str, Any]:
        server = postgres if "ledger" in name else mysql
        return {"URI": urlsplit(server)._replace(path=f"/crash_{name}").geturl(), "TWO_PHASE": True}

    settings.configure(
        STORM_SITE=SITE,
        STORM_STORES={
            **{name: store(name) for name in ("ledger", "plain_ledger", "stock", "plain_stock")},
            "file": f"sqlite:{folder}/file.sqlite3",
            "postgres": postgres,
            "mysql": mysql,
        },
        DATABASES={"default": alias("ledger"), **{name: alias(name) for name in ("stock", "postgres", "mysql")}},
        INSTALLED_APPS=["djintegrate.storm_backend"],
        LOGGING_CONFIG=None,
    )
    django.setup()


if __name__ == "__main__":
    sys.exit(main())
