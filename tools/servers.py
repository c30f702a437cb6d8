"""Throwaway database servers for tests, benchmarks and the conformance run.

Runs installed PostgreSQL, PgBouncer and MariaDB binaries in a temporary folder, on a free loopback port, as an
unprivileged user, and removes all of it again. Never installs anything, nor touches a server that it did not start.
"""

from __future__ import annotations

import argparse
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tools.daemons import HOST, Daemon, MariaDB, PgBouncer, PostgreSQL, ServerUnavailable

__all__ = ["Kind", "Server", "ServerUnavailable", "pooled", "running"]

Kind = Literal["sqlite", "postgres", "mysql"]
MEMORY = "/dev/shm"
MEMORY_NEEDED = 4 * 2**30
DAEMONS: dict[str, type[PostgreSQL | MariaDB]] = {"postgres": PostgreSQL, "mysql": MariaDB}


@dataclass(frozen=True)
class Server:
    """A running server, with an empty database named `test`. For SQLite, a folder of files."""

    kind: Kind
    host: str
    port: int
    user: str
    password: str
    folder: Path
    _daemon: Daemon | None = field(default=None, repr=False)

    def uri(self, database: str = "test") -> str:
        """The Storm URI of a database; it need not exist yet, except `test`, which does."""
        if self.kind == "sqlite":
            return f"sqlite:{self._file(database)}"
        return f"{self.kind}://{self.user}:{self.password}@{self.host}:{self.port}/{database}"

    def django(self, database: str = "test") -> dict[str, Any]:
        """The entry of Django's DATABASES that names the same database on Django's native backend."""
        if self.kind == "sqlite":
            return {"ENGINE": "django.db.backends.sqlite3", "NAME": self._file(database)}
        engine = "postgresql" if self.kind == "postgres" else "mysql"
        return {
            "ENGINE": f"django.db.backends.{engine}",
            "NAME": database,
            "USER": self.user,
            "PASSWORD": self.password,
            "HOST": self.host,
            "PORT": self.port,
        }

    @property
    def pid(self) -> int:
        return self._running_daemon().pid

    def start(self) -> None:
        """Starts the server again after stop() or kill(), on the same port with the same data."""
        self._running_daemon().start()

    def stop(self) -> None:
        """Shuts the server down in order, ending its connections. Does nothing when it is down."""
        self._running_daemon().stop()

    def kill(self) -> None:
        """Ends the server at once, as a crash would; the next start() recovers its data."""
        self._running_daemon().kill()

    def promote(self) -> None:
        """Makes a standby a primary, as an operator does after the primary was lost."""
        daemon = self._running_daemon()
        assert isinstance(daemon, PostgreSQL)
        daemon.promote()

    @contextmanager
    def standby(self) -> Iterator[Server]:
        """A hot standby that follows this server by streaming replication, for as long as the block runs."""
        primary = self._running_daemon()
        assert isinstance(primary, PostgreSQL)
        with _temporary_folder(primary.account, primary.durable) as folder:
            daemon = PostgreSQL(folder, primary.account, primary.durable)
            try:
                daemon.initialise_from(primary)
                daemon.start()
                yield Server(self.kind, HOST, daemon.port, daemon.user, daemon.password, folder, daemon)
            finally:
                daemon.stop()

    def _file(self, database: str) -> str:
        return database if os.path.isabs(database) else str(self.folder / f"{database}.sqlite3")

    def _running_daemon(self) -> Daemon:
        if self._daemon is None:
            raise TypeError(f"{self.kind} has no server process to start, stop or name.")
        return self._daemon


@contextmanager
def running(kind: Kind, durable: bool = True, max_connections: int = 300) -> Iterator[Server]:
    """A server for as long as the block runs. With `durable=False` it is faster and forgets data in a power cut."""
    account = _account(*DAEMONS[kind].accounts) if kind != "sqlite" else None
    with _temporary_folder(account, durable) as folder:
        if kind == "sqlite":
            yield Server(kind, "", 0, "", "", folder)
            return
        daemon = DAEMONS[kind](folder, account, durable)
        daemon.max_connections = max_connections
        try:
            daemon.initialise()
            daemon.start()
            yield Server(kind, HOST, daemon.port, daemon.user, daemon.password, folder, daemon)
        finally:
            daemon.stop()


@contextmanager
def pooled(server: Server, **options: object) -> Iterator[Server]:
    """PgBouncer in transaction mode before a PostgreSQL server of ours, for as long as the block runs.

    `options` are PgBouncer's own, `default_pool_size=1` say. What it has is the server's.
    """
    account = _account(*PgBouncer.accounts)
    with _temporary_folder(account, durable=False) as folder:
        daemon = PgBouncer(folder, account, server._running_daemon(), **options)
        daemon.initialise()
        daemon.start()
        try:
            yield Server("postgres", HOST, daemon.port, daemon.user, daemon.password, folder, daemon)
        finally:
            daemon.stop()


def _account(*names: str) -> pwd.struct_passwd | None:
    """The account to run a server as: neither server runs as root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next(known[name] for name in names if name in known)


def _memory() -> str | None:
    """A folder in memory, if there is room: MariaDB waits for a disk at every CREATE TABLE, whatever its options."""
    roomy = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_NEEDED
    return MEMORY if roomy else None


@contextmanager
def _temporary_folder(account: pwd.struct_passwd | None, durable: bool) -> Iterator[Path]:
    parent = None if durable else _memory()
    with tempfile.TemporaryDirectory(prefix="djintegrate-", dir=parent, ignore_cleanup_errors=True) as name:
        if account is not None:
            os.chown(name, account.pw_uid, account.pw_gid)
        yield Path(name)


def _command_line(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.servers", description=__doc__)
    run = parser.add_subparsers(required=True).add_parser("run", help="run a command beside both servers")
    run.add_argument("--fast", action="store_true", help="without durability")
    run.add_argument("command", nargs="+", metavar="CMD")
    options = parser.parse_args(arguments)
    # A plain exit lets the servers be stopped; the default would end this process and leave them running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    environment = dict(os.environ)
    with ExitStack() as stack:
        for kind in ("postgres", "mysql"):
            try:
                server = stack.enter_context(running(kind, durable=not options.fast))
            except ServerUnavailable as error:
                print(f"{kind}: not available. {error}", file=sys.stderr)
            else:
                environment[f"TEST_{kind.upper()}_URI"] = server.uri("test")
        return subprocess.run(options.command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(_command_line())
