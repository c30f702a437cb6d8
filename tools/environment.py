"""Prepares `.venv` for the Makefile: makes it, and installs the project with the extras that a task needs.

Runs on a bare Python 3.10 with nothing installed. Quick when there is nothing left to do.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools import system_packages

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMPS = VENV / "installed"
INTERPRETER = VENV / "bin" / "python"
VERSION = "import sys; print('{}.{}'.format(*sys.version_info))"

TASKS = {name: [name] for name in ("test", "dev", "docs", "release", "load")} | {"run": ["acl", "dojo", "jobs", "oidc"]}
"""The extras that a task cannot do without."""
DRIVERS = dict.fromkeys(("postgres", "psycopg2", "pgbouncer"), "postgresql-test") | {"mysql": "mysql"}
"""The extra that has a database's driver."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.environment", description=__doc__)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--db", default="", help="databases to install drivers for, comma-separated, or `all`")
    parser.add_argument("--servers", action="store_true", help="install the databases' servers too")
    parser.add_argument("--browser", action="store_true", help="install the browser of the tests too")
    options = parser.parse_args(arguments)
    kinds = list(DRIVERS) if options.db == "all" else options.db.split(",")
    if options.task == "run":
        kinds.append(os.environ.get("DATABASE_URL", "").partition(":")[0])

    make_virtualenv()
    if options.servers:
        system_packages.ensure(system_packages.for_servers(kinds), "the database servers")
    if options.browser:
        system_packages.ensure(system_packages.for_browser(), "the tests in a browser")
    if options.task == "load":
        system_packages.ensure(system_packages.for_load(), "the clients of the load")
    install(TASKS[options.task], list(dict.fromkeys(DRIVERS[kind] for kind in kinds if kind in DRIVERS)))


def make_virtualenv() -> None:
    """An empty `.venv` of this very Python version, unless it is there already."""
    version = _output(sys.executable, "-c", VERSION)
    if _output(INTERPRETER, "-c", "import pip; " + VERSION) == version:
        return
    system_packages.ensure(system_packages.for_virtualenv(), "a virtualenv")
    if missing := system_packages.for_virtualenv():
        remedy = f"On Debian or Ubuntu, as root: apt-get install {' '.join(missing)}"
        sys.exit(f"{sys.executable} cannot make a virtualenv. {remedy}")
    print(f"Making .venv with Python {version}", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)


def install(extras: Sequence[str], drivers: Sequence[str]) -> None:
    """The project itself, editable, with its extras. Ends the program when pip fails, unless over a driver.

    Without its driver one database cannot be used: that is for the task to say, which may do without.
    """
    missing = [name for name in ("project", *extras, *drivers) if not _stamp(name).exists()]
    if not missing:
        return
    if "mysql" in missing:
        system_packages.ensure(system_packages.for_mysqlclient(), "Storm's and MariaDB's parts in C")
    else:
        system_packages.ensure(system_packages.for_compiling(), "Storm's part in C")
    compiling = not system_packages.for_compiling()
    if compiling and _pip_install([*extras, *drivers]):
        _remember(*missing)
        return
    # Now without the drivers, and then each by itself, so that one that fails leaves the others.
    if (compiling and not drivers) or not _pip_install(extras, compiling):
        sys.exit("pip could not install the project; its message is above.")
    _remember("project", *extras)
    for driver in drivers:
        if _stamp(driver).exists() or _pip_install([driver]):
            _remember(driver)
        else:
            print(f"Going on without djintegrate[{driver}]; pip's message is above.", flush=True)


def _pip_install(extras: Sequence[str], compiling: bool = True) -> bool:
    what = f"[{','.join(extras)}]" if extras else ""
    print(f"Installing djintegrate{what} into .venv", flush=True)
    command = [str(INTERPRETER), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    environment = dict(os.environ)
    if not compiling:
        print("Nothing here compiles C: Storm goes without its part in C, which makes it slower.", flush=True)
        # Storm's setup.py always builds that part, and Storm does without it. A compiler that does nothing leaves it
        # out; pip's cache is not to keep such a build for others.
        command.append("--no-cache-dir")
        environment |= {"CC": "true", "LDSHARED": "true"}
    return subprocess.run([*command, "--editable", f".{what}"], cwd=ROOT, env=environment).returncode == 0


def _stamp(name: str) -> Path:
    """A file that is there once `name` is installed. A changed pyproject.toml or a moved checkout asks for it anew."""
    digest = hashlib.sha256(str(ROOT).encode() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()[:12]
    return STAMPS / f"{name}-{digest}"


def _remember(*names: str) -> None:
    STAMPS.mkdir(exist_ok=True)
    for name in names:
        _stamp(name).touch()


def _output(*command: str | Path) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


if __name__ == "__main__":
    main()
