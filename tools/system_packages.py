"""Which system packages a task needs and the machine lacks; as root on Debian or Ubuntu installs them, else names them.

Never starts the services of the packages it installs: the tests run servers of their own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

POLICY = Path("/usr/sbin/policy-rc.d")
BROWSER = {"chromium": "chromium", "chromedriver": "chromium-driver", "node": "nodejs"}
"""Programs and their packages: Node builds the JavaScript that the browser gets."""


def ensure(packages: Iterable[str], purpose: str) -> None:
    """Install `packages` where that is possible; where it is not, say what is missing."""
    names = list(dict.fromkeys(packages))
    if not names:
        return
    if not can_install():
        print(f"Missing for {purpose}, in Debian's names: {' '.join(names)}", flush=True)
        return
    print(f"Installing for {purpose}: {' '.join(names)}", flush=True)
    with _services_held_back():
        _apt_get("update")
        for name in names:
            if not _apt_get("install", "--yes", "--no-install-recommends", _known(name)):
                print(f"The package {name} could not be installed. Going on without.", flush=True)


def can_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def for_virtualenv() -> list[str]:
    """What the running Python lacks to make a virtualenv: Debian keeps it in a package of its own."""
    return [] if _runs("import ensurepip, venv") else [f"{_python()}-venv"]


def for_compiling() -> list[str]:
    """Storm comes as source with a part in C: it needs a compiler and Python's headers."""
    missing = []
    if not _program("cc", "gcc", "clang"):
        missing += ["gcc", "libc6-dev"]
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        missing.append(f"{_python()}-dev")
    return missing


def for_mysqlclient() -> list[str]:
    """mysqlclient comes as source: beside what every C code needs, it needs MariaDB's client library."""
    missing = for_compiling()
    if not _program("pkg-config", "pkgconf"):
        missing.append("pkg-config")
    if not any(_succeeds("pkg-config", "--exists", name) for name in ("libmariadb", "mariadb", "mysqlclient")):
        missing.append("libmariadb-dev")
    return missing


def for_servers(kinds: Iterable[str]) -> list[str]:
    """The database servers' programs, as tools/servers.py looks for them."""
    missing = []
    postgres = _program("initdb") or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if {"postgres", "psycopg2", "pgbouncer"} & set(kinds):
        if not postgres:
            missing.append("postgresql")
        if not _program("pgbouncer"):
            missing.append("pgbouncer")
    if "mysql" in kinds:
        # These two hold the programs; mariadb-server would add a service on top.
        if not _program("mariadbd", "mysqld"):
            missing.append("mariadb-server-core")
        if not _program("mariadb-tzinfo-to-sql", "mysql_tzinfo_to_sql"):
            missing.append("mariadb-client")
        if not Path("/usr/share/zoneinfo/UTC").exists():
            missing.append("tzdata")
    return missing


def for_browser() -> list[str]:
    """The tests' browser, as tests/support/browser.py looks for it. On Ubuntu that is a snap, and not had here."""
    return [package for program, package in BROWSER.items() if not _program(program)]


def for_load() -> list[str]:
    return [] if _program("wrk") else ["wrk"]


def _known(name: str) -> str:
    """`name`, or its versioned form (mariadb-server-core-10.6), which some releases have alone."""
    if _apt_cache("show", name):
        return name
    versioned = [line.split()[0] for line in _apt_cache("search", "--names-only", rf"^{name}-[0-9.]+$")]
    return max(versioned, default=name)


def _apt_cache(*arguments: str) -> list[str]:
    done = subprocess.run(["apt-cache", *arguments], capture_output=True, text=True)
    return [line for line in done.stdout.splitlines() if line.strip()]


def _apt_get(*arguments: str) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0", *arguments],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    if done.returncode:
        print(done.stdout[-2000:], file=sys.stderr)
    return done.returncode == 0


@contextmanager
def _services_held_back() -> Iterator[None]:
    """Debian asks policy-rc.d before it starts an installed service; 101 means no. An own policy stays as it is."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


def _python() -> str:
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def _program(*names: str) -> bool:
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
    return any(shutil.which(name, path=path) for name in names)


def _runs(code: str) -> bool:
    return _succeeds(sys.executable, "-c", code)


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False
