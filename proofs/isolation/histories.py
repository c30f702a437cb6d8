"""Histories of processes with threads, both ORMs in each transaction, and random kills: checked for every anomaly.

`python -m proofs.isolation.histories --db postgres --transactions 2000`, at each level. `--stores 2` commits in two
phases, with `storm_indoubt` after each kill; `--held` reads through objects that the ORMs held before.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tools.drivers import driver_of, kind_of
from tools.servers import ServerUnavailable, running

from .checker import ALWAYS, READ_COMMITTED, SERIALIZABLE, SNAPSHOT, Anomaly, Kind, check
from .history import Append, Fate, Read, Transaction
from .sites import LEVELS, configure, drop_tables, make_tables, native

UNAVAILABLE = 77
PROCESSES = 4
SHOWN, WIDTH = 5, 600
RECHECK = 0.2
BETWEEN_KILLS = (1, 4)
FORBIDDEN = {
    "sqlite": dict.fromkeys(LEVELS["sqlite"], SERIALIZABLE),
    "postgres": {"read-committed": READ_COMMITTED, "repeatable-read": SNAPSHOT, "serializable": SERIALIZABLE},
    # Its writes see what is newest, so that its snapshots keep neither lost updates nor read skew away.
    "mysql": {
        "read-uncommitted": ALWAYS, "read-committed": READ_COMMITTED, "repeatable-read": READ_COMMITTED,
        "serializable": SERIALIZABLE,
    },
}  # fmt: skip
ACROSS = {("mysql", "read-uncommitted"): ALWAYS, ("mysql", "serializable"): SERIALIZABLE}
"""What is forbidden over two stores together, where it is another than READ_COMMITTED.

Two-phase commit makes both parts come about, or none; it makes no common snapshot. A transaction may see another one
in one store and not yet in the other, and snapshots of two stores may be of two moments. MariaDB's serializable is an
exception: there reads lock as well, and all locks of both stores are kept until both have prepared.
"""
EXACT = {("postgres", "repeatable-read"), ("postgres", "serializable"), ("mysql", "serializable"),
         ("mysql", "repeatable-read"), ("sqlite", "rollback journal"), ("sqlite", "write-ahead log")}  # fmt: skip
"""Where what an object says is what the database says in the same moment, for nobody's commit shows in between."""


@dataclass
class Played:
    """A history, and what was done to those who made it."""

    history: list[Transaction] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    stale: list[Any] = field(default_factory=list)

    @property
    def committed(self) -> int:
        return sum(transaction.fate is Fate.COMMITTED for transaction in self.history)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.isolation.histories", description=__doc__)
    parser.add_argument("--db", required=True, help="sqlite, postgres, psycopg2 or mysql")
    parser.add_argument("--transactions", type=int, default=2000, help="committed ones at each level (default: 2000)")
    parser.add_argument("--stores", type=int, choices=[1, 2], default=1)
    parser.add_argument("--held", action="store_true")
    parser.add_argument("--levels", nargs="+", help="some of the levels")
    parser.add_argument("--no-kills", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    kind = kind_of(options.db)
    if kind == "sqlite" and options.stores == 2:
        print("SQLite has no two-phase commit.")
        return 0
    with ExitStack() as stack:
        stack.enter_context(driver_of(options.db))
        try:
            uri = os.environ.get(f"TEST_{kind.upper()}_URI") or stack.enter_context(running(kind, durable=False)).uri()
        except ServerUnavailable as error:
            print(error)
            return UNAVAILABLE
        levels = options.levels or list(LEVELS[kind])
        _set_up(kind, uri, levels, options.stores)
        held = ", through objects that were held" if options.held else ""
        print(f"{options.db}, {options.stores} store{'s in two phases' * (options.stores == 2)}{held}", flush=True)
        try:
            return max(_at_level(kind, level, options) for level in levels)
        finally:
            _clean_up(kind, levels, options.stores)


def _at_level(kind: str, level: str, options: argparse.Namespace) -> int:
    began = time.monotonic()
    played = play(kind, level, options)
    wrong, allowed = judge(kind, level, played, options.stores)
    kills = ", ".join(f"{number} {what} killed" for what, number in sorted(played.kills.items())) or "nothing killed"
    fates = Counter(transaction.fate.value for transaction in played.history)
    print(
        f"  {level}: {fates['committed']:,} committed, {fates['aborted']:,} aborted, {fates['unknown']} unknown;"
        f" {kills}; {time.monotonic() - began:.0f} s"
    )
    print(f"    allowed, and seen: {'; '.join(sorted(allowed)) or 'nothing'}", flush=True)
    if options.held:
        print(
            f"    {len(played.stale)} reads through an object, and then by SQL, had another's write between", flush=True
        )
    for anomaly in wrong[:SHOWN]:
        print(f"    WRONG: {anomaly[:WIDTH]}", flush=True)
    return 1 if wrong else 0


def judge(kind: str, level: str, played: Played, stores: int) -> tuple[list[str], set[str]]:
    """What must not be, and the names of what may be, and is there."""
    names = [f"{kind}{number}" for number in range(stores)]
    forbidden = FORBIDDEN[kind][level]
    wrong: list[Any] = []
    allowed: list[Anomaly] = []
    for name in names:
        history = _of_store(played.history, name) if stores > 1 else played.history
        wrong += check(history, forbidden)
        allowed += _allowed(history, forbidden)
    if stores > 1:
        across = ACROSS.get((kind, level), READ_COMMITTED)
        wrong += [f"across the stores: {anomaly}" for anomaly in check(played.history, across)]
        allowed += _allowed(played.history, across)
    for label, orm, held, fresh in played.stale:
        is_later = Kind.ORDER not in forbidden or fresh[: len(held)] == held
        if (kind, level) in EXACT or not is_later:
            wrong.append(f"{label} through an object of {orm}: {held}, and in the database {fresh}")
    return list(map(str, wrong)), {anomaly.kind.value for anomaly in allowed}


def _allowed(history: Sequence[Transaction], forbidden: frozenset[Kind]) -> list[Anomaly]:
    """One of each kind that is there; those with several anti-dependencies only where one alone is forbidden."""
    kinds = [kind for kind in Kind if kind not in forbidden]
    if Kind.G_SINGLE in kinds and Kind.G2 in kinds:
        kinds.remove(Kind.G2)
    return [anomaly for kind in kinds for anomaly in check(history, frozenset({kind}), enough=1)]


def play(kind: str, level: str, options: argparse.Namespace) -> Played:
    """The processes work, and are killed, until so many transactions have committed."""
    from .worker import LENGTH, WINDOW, Work, run

    random = Random(options.seed)
    played = Played()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stores = {f"{kind}{number}": _alias(kind, number, level) for number in range(options.stores)}
        lists = options.transactions * 2 // LENGTH + 3 * WINDOW
        _in_child(lambda: _fill(stores, lists))
        work = Work(folder, {alias: alias for alias in stores.values()}, lists, options.held, options.seed)
        numbers = iter(range(1, 10_000))

        def start(done: int) -> int:
            number = next(numbers)
            return _fork(lambda: run(work, number, done))

        alive = [start(0) for _ in range(PROCESSES)]
        try:
            while (done := _count(folder)) < options.transactions:
                time.sleep(random.uniform(*BETWEEN_KILLS))
                if options.no_kills:
                    continue
                if kind == "sqlite" or random.random() < 0.5:
                    _kill(alive.pop(random.randrange(len(alive))))
                    played.kills["processes"] += 1
                    alive.append(start(done))
                else:
                    _in_child(lambda: _kill_connection(random.choice([*stores.values()])))
                    played.kills["connections"] += 1
                if options.stores == 2:
                    _in_child(_recover)
            work.stop.touch()
            while alive:
                if os.waitpid(alive[-1], os.WNOHANG) != (0, 0):
                    alive.pop()
                    continue
                # What a kill has left prepared keeps its locks, for which the others would wait long.
                if options.stores == 2:
                    _in_child(_recover)
                time.sleep(RECHECK)
        finally:
            for process in alive:
                _kill(process)
        if options.stores == 2:
            _in_child(_recover)
        _in_child(lambda: (folder / "final.json").write_text(json.dumps(_final(stores))))
        _read_logs(folder, played)
    return played


def _read_logs(folder: Path, played: Played) -> None:
    made: dict[int, Transaction] = {}
    for file in sorted(folder.glob("*.log")):
        for line in file.read_text().splitlines():
            with_name = _line(line)
            if with_name is None:
                continue  # the process was killed while it wrote
            transaction = made.setdefault(with_name["name"], Transaction(with_name["name"], fate=Fate.ABORTED))
            if "plan" in with_name:
                transaction.operations = [Append(_key(label), element) for label, element in with_name["plan"]]
            elif "operations" in with_name:
                transaction.operations = [_operation(*operation) for operation in with_name["operations"]]
                transaction.fate = Fate.UNKNOWN
            elif "fate" in with_name:
                transaction.fate = Fate(with_name["fate"])
            else:
                played.stale.append(with_name["stale"])
    final = json.loads((folder / "final.json").read_text())
    reads = [Read(key, tuple(elements)) for key, elements in final.items()]
    played.history = [*made.values(), Transaction(-1, [*reads])]


def _line(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _operation(label: str, what: Any) -> Append | Read:
    return Append(_key(label), what) if isinstance(what, int) else Read(_key(label), tuple(what))


def _key(label: str) -> str:
    """Without the level, which is part of a store's name."""
    store, _, key = label.partition(":")
    return f"{store.partition(' ')[0]}:{key}"


def _of_store(history: Sequence[Transaction], name: str) -> list[Transaction]:
    return [
        Transaction(each.name, [one for one in each.operations if one.key.startswith(f"{name}:")], each.fate)
        for each in history
    ]


# What the processes share: the stores, whose aliases are called alike.


def _set_up(kind: str, uri: str, levels: Sequence[str], stores: int) -> None:
    from urllib.parse import urlsplit

    made: dict[str, Any] = {"main": uri}
    for level in levels:
        for number in range(stores):
            options = LEVELS[kind][level].replace("timeout=0", "timeout=20")
            place = f"{uri}-{levels.index(level)}" if kind == "sqlite" else uri
            if number:
                place = urlsplit(uri)._replace(path="/isolation_second").geturl()
            made[_alias(kind, number, level)] = {"URI": f"{place}?{options}", "TWO_PHASE": stores == 2}
    configure(made, first="main")
    if stores == 2:
        _in_child(lambda: _second("DROP DATABASE IF EXISTS isolation_second", "CREATE DATABASE isolation_second"))
    for name, store in made.items():
        if name != "main":
            uri = store["URI"]
            _in_child(lambda uri=uri: make_tables(native(uri)))  # type: ignore[misc]


def _clean_up(kind: str, levels: Sequence[str], stores: int) -> None:
    """The server may be somebody's own."""
    from django.conf import settings

    uri = settings.STORM_STORES[_alias(kind, 0, levels[0])]["URI"]
    _in_child(lambda: drop_tables(native(uri)))
    if stores == 2:
        _in_child(lambda: _second("DROP DATABASE isolation_second"))


def _second(*statements: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _alias(kind: str, number: int, level: str) -> str:
    return f"{kind}{number} {level}"


# Each in a process of its own: the one that forks never connects.


def _fill(stores: dict[str, str], lists: int) -> None:
    from .models import Register

    for alias in stores.values():
        Register.objects.using(alias).all().delete()
        Register.objects.using(alias).bulk_create(Register(id=key, elements="") for key in range(lists))


def _final(stores: dict[str, str]) -> dict[str, list[int]]:
    from .models import Register
    from .worker import _numbers

    return {
        f"{name}:{key}": _numbers(elements)
        for name, alias in stores.items()
        for key, elements in Register.objects.using(alias).values_list("id", "elements")
    }


def _recover() -> None:
    from django.core.management import CommandError, call_command
    from django.db import OperationalError

    out = io.StringIO()
    try:
        call_command("storm_indoubt", all=True, older_than=0, stdout=out, stderr=out)
    except CommandError as error:
        print(f"    storm_indoubt: {error}", flush=True)
    except OperationalError as error:
        # What it forgets may be locked by those who go on. It is run again after the next kill, and in the end.
        print(f"    storm_indoubt broke off: {error}", flush=True)


def _kill_connection(alias: str) -> None:
    from django.db import connections

    with connections[alias].cursor() as cursor:
        if connections[alias].vendor == "postgresql":
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1"
            )
            return
        cursor.execute(
            "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
            " ORDER BY rand() LIMIT 1"
        )
        for (key,) in cursor.fetchall():
            cursor.execute(f"KILL {key}")


def _count(folder: Path) -> int:
    return sum(file.read_bytes().count(b'"committed"') for file in folder.glob("*.log"))


def _fork(work: Callable[[], Any]) -> int:
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return child


def _in_child(work: Callable[[], Any]) -> None:
    _, status = os.waitpid(_fork(work), 0)
    if status:
        raise RuntimeError("A process failed; its traceback is above.")


def _kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)


if __name__ == "__main__":
    sys.exit(main())
