"""Runs pytest for each database, three processes at a time, and closes with a summary and the totals.

All tests run on SQLite, in three processes. The servers have those of the engine, and of the others where a server
makes a difference; the second of PostgreSQL's drivers has what is near a driver. Visits to sites, in a browser mostly,
are SQLite's alone. A database that is named alone has all.

A database whose server or driver cannot be had is skipped with a line that says so; under CI=true that is a failure.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATABASES = {
    "sqlite": "SQLite",
    "postgres": "PostgreSQL",
    "psycopg2": "psycopg2",
    "pgbouncer": "PgBouncer",
    "mysql": "MariaDB",
}
"""What DB may be. With `postgres` Django finds psycopg 3, with `psycopg2` that older driver of PostgreSQL's alone; with
`pgbouncer` that pooler, in transaction mode, stands before PostgreSQL."""
UNAVAILABLE = 77
"""What pytest exits with when the database cannot be had; tests/conftest.py makes it so, and prints the reason last."""
NO_TESTS = 5
AT_A_TIME = 3
"""More than the two cores of a small machine: each of them waits a good part of its time, for a server or a browser."""
THROUGH_DJANGO = tuple(
    f"tests/{name}" for name in ["acl", "docs", "dojo", "files", "jobs", "jsonrpc", "openid_auth", "project"]
)
"""The tests of what uses databases through Django alone. Beside SQLite, the other databases have a part of them."""
NEAR_THE_DRIVER = (
    "tests/storm_backend/conf/test_drivers.py", "tests/storm_backend/conf/test_uris.py",
    "tests/storm_backend/connection", "tests/storm_backend/mapping", "tests/storm_backend/pooler",
    "tests/storm_backend/seams/test_forked_child.py",
    "tests/storm_backend/seams/test_sessions_of_connections.py",
    "tests/storm_backend/seams/test_what_counts_as_written.py", "tests/storm_backend/sql",
    "tests/storm_backend/sqlalchemy", "tests/storm_backend/stores/test_own_properties.py",
    "tests/storm_backend/stores/test_storm_objects.py", "tests/storm_backend/stores/test_tracing.py",
    "tests/storm_backend/transactions/test_lost_at_begin.py", "tests/storm_backend/transactions/test_requests.py",
    "tests/storm_backend/transactions/test_savepoints.py",
    "tests/storm_backend/transactions/test_transactions_errors.py", "tests/storm_backend/two_phase/test_manager.py",
    "tests/storm_backend/two_phase/test_recovery.py",
)  # fmt: skip
"""What two drivers of one database could do differently: connections, cursors, values, errors, two-phase commit."""
FAR_FROM_DATABASES = (
    "tests/common/test_settings.py", "tests/storm_backend/conf/test_misconfigured.py",
    "tests/storm_backend/isolation/test_checker.py", "tests/storm_backend/transactions/test_lost_at_the_end.py",
)  # fmt: skip
"""What asks no server: SQLite's run has it."""
ON_SERVERS = {
    "tests/acl/test_backends.py", "tests/docs/test_docs.py", "tests/dojo/test_rest.py",
    "tests/files/test_deletion.py", "tests/files/test_recovery.py", "tests/files/test_storage.py",
    "tests/files/test_storm.py", "tests/files/test_verbs.py", "tests/jobs/test_outbox.py",
    "tests/jobs/test_reports.py", "tests/jobs/test_running.py", "tests/jsonrpc/test_instances.py",
    "tests/jsonrpc/test_transactions.py", "tests/openid_auth/test_adoption.py",
    "tests/openid_auth/test_adoption_of_others.py", "tests/openid_auth/test_attacks_on_text.py",
    "tests/openid_auth/test_cleanup.py", "tests/openid_auth/test_connect.py",
    "tests/openid_auth/test_identities.py", "tests/openid_auth/test_sessions.py",
    "tests/openid_auth/test_sign_in.py", "tests/openid_auth/test_store.py", "tests/project/test_asgi.py",
    "tests/project/test_soak.py",
}  # fmt: skip
"""That part: where constraints, types, locks, simultaneous requests or transactions matter."""
ENGINE = (
    "tests/storm_backend",
    # They go by the number of a connection's own session: to see who waits for whom, and to end it.
    "--ignore=tests/storm_backend/isolation",
    "--ignore=tests/storm_backend/connection/test_faults.py",
    # They start servers of their own, and a pooler where it matters.
    "--ignore=tests/storm_backend/replicas",
    "--ignore=tests/storm_backend/two_phase/test_crash.py",
)
BRIEFLY = ("-m", "not at_length")
"""On servers beside all the others. A server that is named has those combinations too, as SQLite always has."""
THROUGH_A_POOLER = (
    "tests/storm_backend/seams/test_sessions_of_connections.py",
    "tests/storm_backend/transactions/test_requests.py",
    "tests/storm_backend/two_phase/test_manager.py",
)
"""What runs through PgBouncer beside all the others. Named, it has all of the engine's tests."""
PARTS = ("sites", "apps", "engine")
"""SQLite's tests are three processes: those that visit a site, mostly in a browser; the apps' others; and the rest."""
WITHOUT_VISITS = (
    *(f"tests/{name}" for name in ["acl", "common", "docs", "files", "project"]),
    *(
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "tests/storm_backend").iterdir())
        if path.is_dir() and path.name not in ("references", "__pycache__")
    ),
)
"""Where no test visits a site, as tests/conftest.py makes sure: the process for those need not look there."""

_printing = threading.Lock()


@dataclass(frozen=True)
class Run:
    """One pytest process to be: its database, the part of its tests if it has one, and pytest's arguments."""

    kind: str
    arguments: tuple[str, ...] = ()
    part: str = ""

    @property
    def title(self) -> str:
        return DATABASES[self.kind] + (f" ({self.part})" if self.part else "")


@dataclass(frozen=True)
class Outcome:
    """What one pytest process came to. `unavailable` is the reason why it could not begin."""

    run: Run
    code: int
    seconds: float
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: tuple[str, ...] = ()
    unavailable: str = ""

    def line(self) -> str:
        name = self.run.title
        if self.unavailable:
            return f"skipped: {name} could not be had: {self.unavailable}"
        counts = f"{self.passed:>5} passed {self.failed:>4} failed {self.skipped:>4} skipped {self.seconds:>7.1f} s"
        # A crash, an interrupt or a usage error need not show in the counts.
        return f"{name:<16}{counts}" + (f"  (pytest ended with {self.code})" if self.code not in (0, 1) else "")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.run_tests", description=__doc__)
    parser.add_argument("--db", default="all", help=f"{', '.join(DATABASES)} or all (the default)")
    parser.add_argument("pytest", nargs="*", metavar="ARG", help="passed on to pytest; put -- before them")
    options = parser.parse_args(arguments)
    kinds = list(DATABASES) if options.db in ("", "all") else options.db.split(",")
    if unknown := set(kinds) - set(DATABASES):
        parser.error(f"DB is {', '.join(unknown)!r}. Make it {', '.join(DATABASES)} or all.")

    try:
        with ThreadPoolExecutor(max_workers=AT_A_TIME) as pool:
            outcomes = list(pool.map(execute, runs(kinds, options.pytest, briefly=options.db in ("", "all"))))
    except KeyboardInterrupt:
        return 130  # Ctrl-C reached the pytest processes too, which have stopped their servers by now.
    return summarise(outcomes, required=os.environ.get("CI", "").lower() in ("1", "true"))


def runs(kinds: Sequence[str], arguments: Sequence[str], briefly: bool = False) -> list[Run]:
    """The processes for these databases, the longest first; `briefly` through the pooler and with psycopg2."""
    found = []
    wanted = BRIEFLY if briefly else ()
    for kind in kinds:
        if kind == "sqlite":
            found += [Run(kind, (*_of_part(part), *arguments), part) for part in PARTS]
        elif kind == "pgbouncer" or (kind == "psycopg2" and briefly):
            paths = (NEAR_THE_DRIVER if kind == "psycopg2" else THROUGH_A_POOLER) if briefly else ENGINE
            found.append(Run(kind, (*wanted, *(() if any(map(_is_path, arguments)) else paths), *arguments)))
        else:
            found.append(Run(kind, (*wanted, *_left_out(kind, kinds), *arguments)))
    return sorted(found, key=lambda run: run.part == "engine" or run.kind == "psycopg2")


def _is_path(argument: str) -> bool:
    return not argument.startswith("-") and (ROOT / argument.partition("::")[0]).exists()


def _of_part(part: str) -> list[str]:
    if part == "sites":
        return ["--visits=only", *(f"--ignore={path}" for path in WITHOUT_VISITS)]
    others = [f"tests/{path.name}" for path in sorted((ROOT / "tests").iterdir()) if path.is_dir()]
    ignored = [path for path in others if (path in THROUGH_DJANGO) == (part == "engine")]
    return ["--visits=none", *(f"--ignore={path}" for path in ignored)]


def _left_out(kind: str, kinds: Sequence[str]) -> list[str]:
    if "sqlite" not in kinds:
        return []
    files = [path.relative_to(ROOT) for folder in THROUGH_DJANGO for path in sorted((ROOT / folder).glob("test_*.py"))]
    left_out = [*FAR_FROM_DATABASES, *(path.as_posix() for path in files if path.as_posix() not in ON_SERVERS)]
    return ["--visits=none", *(f"--ignore={path}" for path in left_out)]


def environment() -> dict[str, str]:
    """That of now, but processes compile each file once between them, whatever the shell says."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def execute(run: Run) -> Outcome:
    """Let pytest run with DB=kind; its output goes to ours, each line with the database's name before it."""
    prefix = f"{run.part or run.kind:<8} | "
    with tempfile.TemporaryDirectory(prefix="djintegrate-") as folder:
        report = Path(folder, "report.xml")
        cache = f"cache_dir=.pytest_cache/{run.kind}{run.part}"
        command = [sys.executable, "-m", "pytest", f"--junit-xml={report}", "-o", cache]
        began = time.monotonic()
        process = subprocess.Popen(
            [*command, *run.arguments], cwd=ROOT, env={**environment(), "DB": run.kind}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )  # fmt: skip
        assert process.stdout is not None
        last = ""
        for line in process.stdout:
            last = line.strip() or last
            with _printing:
                print(prefix + line, end="", flush=True)
        code = process.wait()
        seconds = time.monotonic() - began
        if code == UNAVAILABLE:
            return Outcome(run, code, seconds, unavailable=last.removeprefix("Exit: "))
        return _outcome(run, code, seconds, report)


def summarise(outcomes: Sequence[Outcome], required: bool) -> int:
    """Print a line per database and the totals; the exit code for all of it."""
    print()
    for outcome in outcomes:
        for failure in outcome.failures:
            print(f"FAILED on {outcome.run.title}: {failure}")
    for outcome in outcomes:
        print(outcome.line())
    missing = [outcome for outcome in outcomes if outcome.unavailable]
    if missing and required:
        print("CI is set, so a database that cannot be had is a failure.")
    failed = sum(outcome.failed for outcome in outcomes) + (len(missing) if required else 0)
    passed = sum(outcome.passed for outcome in outcomes)
    skipped = sum(outcome.skipped for outcome in outcomes)
    if not (passed or failed):
        print("No test ran.")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 0 if passed and not failed else 1


def _outcome(run: Run, code: int, seconds: float, report: Path) -> Outcome:
    """What pytest's report says; a process that ended badly without a failing test counts as one failure."""
    cases = list(ElementTree.parse(report).iter("testcase")) if report.exists() else []
    bad = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = sum(case.find("skipped") is not None for case in cases)
    return Outcome(
        run,
        code,
        seconds,
        passed=len(cases) - len(bad) - skipped,
        failed=len(bad) or int(code not in (0, NO_TESTS)),
        skipped=skipped,
        failures=tuple(dict.fromkeys(map(_failure, bad))),
    )


def _failure(case: ElementTree.Element) -> str:
    """The test's name and the first line of its reason: of a long run, often only the end is at hand."""
    reasons = [str(child.get("message")) for child in case if child.tag in ("failure", "error")]
    return f"{case.get('classname')}::{case.get('name')}: {(reasons[0].splitlines() or [''])[0]}"


if __name__ == "__main__":
    sys.exit(main())
