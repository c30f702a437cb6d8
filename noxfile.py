"""The version matrix: the tests with every installed Python and every Django that runs on it. `make matrix` calls it.

`nox --list` names the sessions; `nox -s "tests(python='3.12', django='6.0')" -- --db postgres -- -k atomic` is one.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nox

DJANGOS = {
    "3.10": ["5.2"],
    "3.11": ["5.2"],
    "3.12": ["5.2", "6.0", "6.1"],
    "3.13": ["5.2", "6.0", "6.1"],
}
DRIVERS = {
    "postgres": ["psycopg[binary,pool]"],
    "psycopg2": ["psycopg2-binary"],
    "pgbouncer": ["psycopg[binary,pool]"],
    "mysql": ["mysqlclient"],
}

nox.options.sessions = ["tests"]  # `release` wants what tools/release_check.py builds
nox.options.default_venv_backend = "venv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "yes"


@nox.session
@nox.parametrize("python,django", [(python, django) for python in DJANGOS for django in DJANGOS[python]])
def tests(session: nox.Session, django: str) -> None:
    """What comes after `--` goes to tools/run_tests.py."""
    arguments = session.posargs or ["--db", "sqlite"]
    if "all" in arguments:
        # Named one by one, so that each has all of its tests.
        arguments = [",".join(["sqlite", *DRIVERS]) if each == "all" else each for each in arguments]
    drivers = [driver for kind in DRIVERS for driver in DRIVERS[kind] if kind in ",".join(arguments).split(",")]
    session.install("--editable", ".[test]", *drivers, f"Django~={django}.0")
    session.run("python", "-m", "tools.run_tests", *arguments)


@nox.session
@nox.parametrize("python", list(DJANGOS))
def release(session: nox.Session) -> None:
    """What comes after `--` is a wheel and an sdist; tools/release_check.py gives them. Each is installed and used."""
    smoke = str(Path(__file__).parent / "tools" / "release_smoke.py")
    for archive in session.posargs:
        session.install(f"djintegrate[all] @ {Path(archive).as_uri()}")
        session.install("--force-reinstall", "--no-deps", archive)  # not the one that is there already
        session.run("python", "-m", "pip", "check")
        session.run("python", smoke)


def _interpreters() -> Iterator[Path]:
    """The folder of each Python that runs: from PATH, or of those that pyenv keeps aside.

    pyenv puts commands into PATH that fail unless their version is selected; nox would take them for the real thing.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    for python in DJANGOS:
        name = f"python{python}"
        for candidate in (name, *sorted(map(str, pyenv.glob(f"{python}.*/bin/{name}")), reverse=True)):
            try:
                command = [candidate, "-c", "import sys; print(sys.base_prefix)"]
                found = subprocess.check_output(command, stderr=subprocess.DEVNULL, text=True)
            except (OSError, subprocess.CalledProcessError):
                continue
            yield Path(found.strip(), "bin")
            break


os.environ["PATH"] = os.pathsep.join([*map(str, _interpreters()), os.environ["PATH"]])
