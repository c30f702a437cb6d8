"""Two servers, two processes of the site, browsers, and whoever disturbs the replica; and what none of it may break."""

from __future__ import annotations

import http.client
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from django.db.backends.postgresql.base import Database

from tools.servers import Server, running

from .site import MAX_LAG_SECONDS, STICKY_SECONDS, TABLES

ROOT = Path(__file__).resolve().parents[2]
GRACE = 0.5
"""Seconds that a commit may be on its way to a replica that has replayed all it knows of."""


class Sql:
    """Plain SQL on one of the servers, by the driver alone."""

    def __init__(self, server: Server) -> None:
        self._connection: Any = Database.connect(server.uri())
        self._connection.autocommit = True

    def __call__(self, sql: str) -> list[Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        self._connection.close()


class Process:
    """A process of the site, which may be killed and started again."""

    def __init__(self, kind: str, environment: dict[str, str]) -> None:
        self.kind = kind
        self._environment = environment
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "proofs.replicas.site", self.kind], cwd=ROOT, stdout=subprocess.PIPE, text=True,
            env=self._environment,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class World:
    """What all browsers share: the processes, what was committed when, and what went wrong."""

    def __init__(self, primary: Server, standby: Server) -> None:
        self.primary, self.standby = primary, standby
        environment = {**os.environ, "PRIMARY_URI": primary.uri(), "REPLICA_URI": standby.uri()}
        self.processes = [Process(kind, environment) for kind in ("wsgi", "asgi")]
        self.is_over = threading.Event()
        # Of each browser: its numbers that were committed, each with the time by which that was known.
        self.committed: dict[int, list[tuple[float, int]]] = {}
        self.tally: Counter[str] = Counter()
        self.wrong: list[str] = []

    def close(self) -> None:
        for process in self.processes:
            process.kill()

    def say(self, wrong: str) -> None:
        self.wrong.append(wrong)
        self.is_over.set()


class Browser:
    """One person's: it keeps cookies, knows what it wrote, and goes to either process."""

    def __init__(self, world: World, number: int, seed: int) -> None:
        self.world, self.number = world, number
        self.random = random.Random(seed * 1000 + number)
        self.cookies: SimpleCookie = SimpleCookie()
        self.connections: dict[int, http.client.HTTPConnection] = {}
        self.last = 0
        self.tried = 0
        self.count: int | None = 0
        world.committed[number] = []

    def browse(self) -> None:
        while not self.world.is_over.is_set():
            act = self.random.choice([self.write, self.visit, self.feed, self.rest, self.rest, *[self.read] * 6])
            try:
                act()
            except (OSError, http.client.HTTPException):
                # The process was killed. What the request wrote may be there or not.
                self.world.tally["requests cut off"] += 1
            self.world.is_over.wait(self.random.choice([0, 0.02, 0.1, 0.5]))

    def rest(self) -> None:
        """Come back when the replica is asked again: just then it should have what was written."""
        self.world.is_over.wait(STICKY_SECONDS)

    def write(self) -> None:
        self.tried += 1
        method = self.random.choice(["POST", "POST", "GET"])
        orm = self.random.choice(["django", "storm"])
        number = self.tried
        found = self.send(method, f"/write/?browser={self.number}&number={number}&orm={orm}")
        if found is not None:
            self.last = number
            self.world.committed[self.number].append((time.monotonic(), number))
            self.world.tally[f"written by {method}"] += 1
            if self.random.random() < 0.7:
                # As after a redirect.
                self.read()

    def read(self) -> None:
        path = self.random.choice(["/read/", "/read_async/"])
        began = time.monotonic()
        found = self.send("GET", path)
        if found is not None:
            self.look(path, found, began, own=True)

    def feed(self) -> None:
        began = time.monotonic()
        found = self.send("GET", "/feed/")
        if found is not None:
            self.look("/feed/", found, began, own=False)

    def visit(self) -> None:
        before, self.count = self.count, None
        found = self.send(self.random.choice(["GET", "POST"]), "/count/")
        if found is None:
            return
        self.count = found["count"]
        if before is not None and self.count != before + 1:
            self.world.say(f"Browser {self.number}: its session had {before}, and then {self.count}.")

    def look(self, path: str, found: dict[str, Any], began: float, own: bool) -> None:
        self.world.tally[f"read from the {'replica' if found['is_replica'] else 'primary'}"] += 1
        for orm in ("django", "storm"):
            seen = {int(browser): number for browser, number in found[orm].items()}
            if own and seen.get(self.number, 0) < self.last:
                self.world.say(
                    f"Browser {self.number} wrote {self.last}, and saw {seen.get(self.number)} in {path} by {orm} on "
                    f"the {'replica' if found['is_replica'] else 'primary'}."
                )
            for browser, committed in self.world.committed.items():
                old = [number for at, number in list(committed) if at < began - MAX_LAG_SECONDS - GRACE]
                if old and seen.get(browser, 0) < max(old):
                    self.world.say(
                        f"{path} by {orm}: {max(old)} of browser {browser} was committed long before, and "
                        f"{seen.get(browser)} was seen."
                    )

    def send(self, method: str, path: str) -> dict[str, Any] | None:
        process = self.random.choice(self.world.processes)
        connection = self.connections.get(process.port)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=30)
            self.connections[process.port] = connection
        try:
            cookies = "; ".join(f"{name}={morsel.coded_value}" for name, morsel in self.cookies.items())
            connection.request(method, path, headers={"Cookie": cookies} if cookies else {})
            response = connection.getresponse()
            body = response.read()
            for name, value in response.getheaders():
                if name.lower() == "set-cookie":
                    self.cookies.load(value)
        except (OSError, http.client.HTTPException):
            connection.close()
            del self.connections[process.port]
            raise
        if response.status != 200:
            # The primary is well all the time, so that no request may fail.
            self.world.say(f"{method} {path} was answered by {response.status}.")
            return None
        found: dict[str, Any] = json.loads(body)
        return found


class Trouble:
    """Whoever disturbs the replica, and kills processes of the site."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)

    def make(self) -> None:
        acts = [
            *[self.lag] * 3, *[self.hesitate] * 3, self.cut, self.lose_connections, self.stop, self.crash,
            self.kill_process,
        ]  # fmt: skip
        while not self.world.is_over.wait(self.random.random() * 2):
            act = self.random.choice(acts)
            self.world.tally[f"trouble: {act.__name__.replace('_', ' ')}"] += 1
            act()

    def wait(self, longest: float) -> None:
        self.world.is_over.wait(self.random.random() * longest)

    def on_standby(self, sql: str) -> None:
        ask = Sql(self.world.standby)
        with suppress(Exception):
            ask(sql)
        with suppress(Exception):
            ask.close()

    def lag(self) -> None:
        self.on_standby("SELECT pg_wal_replay_pause()")
        self.wait(4)
        self.on_standby("SELECT pg_wal_replay_resume()")

    def hesitate(self) -> None:
        """Lag that nobody need notice."""
        for _ in range(5):
            self.on_standby("SELECT pg_wal_replay_pause()")
            self.wait(MAX_LAG_SECONDS)
            self.on_standby("SELECT pg_wal_replay_resume()")
            self.wait(0.3)

    def cut(self) -> None:
        """The standby loses its primary, for as long as its user may not log in."""
        ask = Sql(self.world.primary)
        ask("ALTER ROLE follower NOLOGIN")
        ask("SELECT pg_terminate_backend(pid) FROM pg_stat_replication")
        self.wait(3)
        ask("ALTER ROLE follower LOGIN")
        ask.close()
        self.wait(1)

    def lose_connections(self) -> None:
        self.on_standby(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )

    def stop(self) -> None:
        self.world.standby.stop()
        self.wait(2)
        self.world.standby.start()

    def crash(self) -> None:
        self.world.standby.kill()
        self.wait(1)
        self.world.standby.start()

    def kill_process(self) -> None:
        process = self.random.choice(self.world.processes)
        process.kill()
        process.start()


def play(seconds: float, browsers: int, seed: int, least: Mapping[str, int] | None = None) -> World:
    """Let it all happen for so long; the world has what came of it.

    `least` is how often what must have happened: on a machine that has other work, another minute is waited for that.
    """
    with servers() as (primary, standby):
        world = World(primary, standby)
        try:
            people = [Browser(world, number, seed) for number in range(browsers)]
            threads = [threading.Thread(target=_guarded, args=(world, person.browse)) for person in people]
            threads.append(threading.Thread(target=_guarded, args=(world, Trouble(world, seed).make)))
            for thread in threads:
                thread.start()
            world.is_over.wait(seconds)
            until = time.monotonic() + 60
            while any(world.tally[what] < number for what, number in (least or {}).items()):
                if world.is_over.wait(0.2) or time.monotonic() > until:
                    break
            world.is_over.set()
            for thread in threads:
                thread.join()
        finally:
            world.close()
    for what, number in sorted(world.tally.items()):
        print(f"{number:>7} {what}")
    return world


@contextmanager
def servers() -> Iterator[tuple[Server, Server]]:
    """A primary and its standby, which follows by a role of its own."""
    with running("postgres") as primary:
        ask = Sql(primary)
        ask(TABLES)
        ask(f"CREATE ROLE follower REPLICATION LOGIN PASSWORD '{primary.password}'")
        with primary.standby() as standby:
            behind = Sql(standby)
            (info,) = behind("SHOW primary_conninfo")[0]
            by_follower = info.replace(f"user={primary.user}", "user=follower").replace("'", "''")
            behind(f"ALTER SYSTEM SET primary_conninfo = '{by_follower}'")
            behind("ALTER SYSTEM SET wal_retrieve_retry_interval = '200ms'")
            behind("SELECT pg_reload_conf()")
            behind.close()
            yield primary, standby
        ask.close()


def _guarded(world: World, work: Callable[[], None]) -> None:
    try:
        work()
    except Exception as error:
        world.say(f"{type(error).__name__}: {error}")
        raise
