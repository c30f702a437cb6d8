"""The server processes behind tools.servers: how PostgreSQL and MariaDB are initialised, started and ended.

Knows nothing of Django or Storm; a daemon works in the folder that it is given and removes nothing.
"""

from __future__ import annotations

import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
SECONDS_TO_START = 60
SECONDS_TO_STOP = 60


class ServerUnavailable(RuntimeError):
    """The server's programs are not installed; the message names the package that has them."""


class Daemon:
    """One server process over one data folder. A subclass says how its kind is initialised, run and asked to stop."""

    accounts: tuple[str, ...]
    shutdown_signal: int
    crash_signal: int

    def __init__(self, folder: Path, account: pwd.struct_passwd | None, durable: bool) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "log"
        self.account = account
        self.durable = durable
        self.max_connections = 300
        self.port = free_port()
        self.user = "tester"
        self.password = secrets.token_hex(12)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("The server is stopped, so it has no process; call start() first.")
        return self._process.pid

    def start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            raise RuntimeError(f"The server runs already, as process {self._process.pid}.")
        with open(self.log, "ab") as log:
            # A session of its own, so that Ctrl-C at the terminal reaches the tests and not the server under them.
            self._process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, **self._as_account(),
                start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + SECONDS_TO_START
        while not self.ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"{type(self).__name__} did not start on port {self.port}:\n{self._log_tail()}")
            time.sleep(0.02)

    def stop(self) -> None:
        self._end(self.shutdown_signal)

    def kill(self) -> None:
        self._end(self.crash_signal)

    def initialise(self) -> None:
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def ready(self) -> bool:
        raise NotImplementedError

    def _end(self, number: int) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _run(self, command: Sequence[str], text: str = "") -> None:
        done = subprocess.run(
            command, check=False, input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            **self._as_account(),
        )  # fmt: skip
        if done.returncode:
            output = done.stdout.decode(errors="replace")
            raise RuntimeError(f"{command[0]} failed with code {done.returncode}:\n{output[-2000:]}")

    def _as_account(self) -> dict[str, Any]:
        options: dict[str, Any] = {"cwd": self.folder, "env": {**os.environ, "LC_ALL": "C", "HOME": str(self.folder)}}
        if self.account is not None:
            options |= {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        return options

    def _log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]


class PostgreSQL(Daemon):
    accounts = ("postgres", "nobody")
    shutdown_signal = signal.SIGINT
    # PostgreSQL's "immediate" shutdown: no checkpoint, recovery at the next start. After SIGKILL its child processes
    # could outlive it and keep the next start from attaching to the same data.
    crash_signal = signal.SIGQUIT
    package = "postgresql"

    def initialise(self) -> None:
        secret = self.folder / "password"
        secret.write_text(self.password)
        secret.chmod(0o644)  # The folder itself is closed to all but the server's account.
        self._run(
            [self._program("initdb"), "-D", str(self.data), "-U", self.user, "--pwfile", str(secret), "-A",
             "scram-sha-256", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"]
        )  # fmt: skip
        self._run([self._program("postgres"), "--single", "-D", str(self.data), "postgres"], "CREATE DATABASE test\n")

    def command(self) -> list[str]:
        options = {
            "listen_addresses": HOST,
            "port": self.port,
            "unix_socket_directories": self.folder,
            "max_connections": self.max_connections,
            "max_prepared_transactions": 100,
        }
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [self._program("postgres"), "-D", str(self.data), *(f"--{k}={v}" for k, v in options.items())]

    def ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().split("\n")
        except OSError:
            return False
        return lines[0] == str(self.pid) and len(lines) > 7 and lines[7].strip() == "ready"

    def initialise_from(self, primary: PostgreSQL) -> None:
        """Be a hot standby of `primary`, which runs: a copy of it that follows by a replication slot."""
        source = f"host={HOST} port={primary.port} user={primary.user} password={primary.password}"
        slot = f"standby_{self.port}"
        self.user, self.password = primary.user, primary.password
        self._run(
            [self._program("pg_basebackup"), "-D", str(self.data), "-d", source, "-R", "-C", "-S", slot, "-X", "stream",
             "-c", "fast", "--no-sync"]
        )  # fmt: skip

    def promote(self) -> None:
        """Make a standby a primary."""
        self._run([self._program("pg_ctl"), "promote", "-D", str(self.data), "-w", "-t", str(SECONDS_TO_START)])

    def _program(self, name: str) -> str:
        debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
        return _program([name], self.package, [str(folder) for folder in reversed(debian)])


class PgBouncer(Daemon):
    """A pooler in transaction mode before a server of ours, with the same user and password."""

    accounts = ("postgres", "nobody")
    # It keeps nothing, and would wait for its clients.
    shutdown_signal = crash_signal = signal.SIGKILL
    package = "pgbouncer"

    def __init__(self, folder: Path, account: pwd.struct_passwd | None, behind: Daemon, **options: object) -> None:
        super().__init__(folder, account, behind.durable)
        self.user, self.password = behind.user, behind.password
        self._options = {
            "listen_addr": HOST,
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256",
            "auth_file": folder / "users",
            "admin_users": behind.user,
            "pool_mode": "transaction",
            "max_client_conn": 1000,
            # Django drops a test database a second after its last connection was closed.
            "server_idle_timeout": 0.4,
            # A server that was restarted is soon asked again.
            "server_login_retry": 0.1,
            "ignore_startup_parameters": "extra_float_digits",
            **options,
        }
        self._server = f"host={HOST} port={behind.port}"

    def initialise(self) -> None:
        (self.folder / "users").write_text(f'"{self.user}" "{self.password}"\n')
        settings = "".join(f"{name} = {value}\n" for name, value in self._options.items())
        (self.folder / "settings.ini").write_text(f"[databases]\n* = {self._server}\n[pgbouncer]\n{settings}")
        for name in ("users", "settings.ini"):
            (self.folder / name).chmod(0o644)  # The folder itself is closed to all but the server's account.

    def command(self) -> list[str]:
        return [_program(["pgbouncer"], self.package, []), str(self.folder / "settings.ini")]

    def ready(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port)) == 0


class MariaDB(Daemon):
    accounts = ("mysql", "nobody")
    shutdown_signal = signal.SIGTERM
    crash_signal = signal.SIGKILL
    package = "mariadb-server"

    def initialise(self) -> None:
        install = self._program("mariadb-install-db", "mysql_install_db")
        self._run([install, *self._options(), "--auth-root-authentication-method=normal", "--skip-test-db"])
        zones = subprocess.run(
            [self._program("mariadb-tzinfo-to-sql", "mysql_tzinfo_to_sql"), _zoneinfo()],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True,
        ).stdout  # fmt: skip
        setup = f"""
            USE mysql;
            {zones}
            FLUSH PRIVILEGES;
            DELETE FROM mysql.global_priv WHERE user IN ('', 'root');
            FLUSH PRIVILEGES;
            CREATE USER {self.user}@'%' IDENTIFIED BY '{self.password}';
            GRANT ALL ON *.* TO {self.user}@'%' WITH GRANT OPTION;
            CREATE DATABASE test;
        """
        self._run([*self.command(), "--bootstrap"], setup)

    def command(self) -> list[str]:
        return [self._program("mariadbd", "mysqld"), *self._options()]

    def ready(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as connection:
                return len(connection.recv(64)) > 4  # The greeting, which comes once connections are served.
        except OSError:
            return False

    def _options(self) -> list[str]:
        options = {
            "datadir": self.data,
            "tmpdir": self.folder,
            "socket": self.folder / "mysql.sock",
            "pid-file": self.folder / "mysql.pid",
            "bind-address": HOST,
            "port": self.port,
            "max-connections": self.max_connections,
            "character-set-server": "utf8mb4",
        }
        if not self.durable:
            options |= {"innodb-flush-log-at-trx-commit": 0, "innodb-flush-method": "nosync", "innodb-doublewrite": 0,
                        "sync-frm": 0}  # fmt: skip
        switches = ["--no-defaults", "--skip-name-resolve", "--skip-log-bin"]
        return [*switches, *(f"--{name}={value}" for name, value in options.items())]

    def _program(self, *names: str) -> str:
        return _program(names, self.package, [])


def _program(names: Sequence[str], package: str, folders: Sequence[str]) -> str:
    path = os.pathsep.join([*folders, os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    raise ServerUnavailable(f"The program {names[0]} is not installed; install the package {package}.")


def _zoneinfo() -> str:
    folder = Path("/usr/share/zoneinfo")
    if not (folder / "UTC").exists():
        raise ServerUnavailable(f"There are no time zones in {folder}; install the package tzdata.")
    return str(folder)


def free_port() -> int:
    # Below the range from which systems pick the ports of outgoing connections, so that a stopped server's port is
    # still free when it starts again.
    while True:
        port = random.randint(15000, 32000)
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)):
                return port
