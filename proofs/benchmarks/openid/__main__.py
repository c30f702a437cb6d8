"""The command behind `make bench-openid`: the SQL statements of whole sign-ins, ours beside the original's.

Both sides sign the same person in at the same provider: SREG details and two mapped teams, sessions in the database,
SQLite, and the two backends that the documentation of both tells a site to have (--alone: the OpenID backend only).
Counted are statements, and statements with what begins and ends each transaction. Django reports only the BEGIN and
COMMIT of its own blocks; a write outside of them is a transaction of its own, and its BEGIN and COMMIT are the
database's. They are counted too, or two writes would seem cheaper apart than in one transaction. If a sign-in takes
more than 70 % of the original's in either count the command fails, and also if team sync takes more for 500 teams than
for two. What Django reports is shown beside.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import venv
from pathlib import Path

from proofs.benchmarks.openid import provider

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = ROOT / ".cache" / "openid-original"
ORIGINAL = ["django-openid-auth==0.17", "Django==4.2.*", "python3-openid==3.2.0", "defusedxml<0.8", "setuptools<81"]
BOUND = 0.7


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.benchmarks.openid", description=__doc__)
    parser.add_argument("--show", action="store_true", help="print the statements too")
    parser.add_argument("--alone", action="store_true", help="without Django's ModelBackend")
    options = parser.parse_args()
    backends = "alone" if options.alone else "both"
    interpreter = original_environment()
    with provider.running() as url:
        original = count(interpreter, "django_openid_auth", url, 2, backends)
        ours = count(Path(sys.executable), "djintegrate.openid_auth", url, 2, backends)
        many = count(Path(sys.executable), "djintegrate.openid_auth", url, 500, backends)
    broken = []
    for title, counted in (
        ("Statements", statements),
        ("With BEGIN and COMMIT of each transaction", with_transactions),
        ("As Django reports them (no bound)", list),
    ):
        print(f"{title:<42}{'original':>10}{'ours':>8}{'ratio':>8}")
        for case in ours:
            theirs, own = len(counted(original[case])), len(counted(ours[case]))
            print(f"  {case:<40}{theirs:>10}{own:>8}{own / theirs:>8.2f}")
            if own > BOUND * theirs and counted is not list:
                broken.append(case)
    for case in ours:
        if len(many[case]) != len(ours[case]):
            broken.append(f"{case} with 500 teams: {len(many[case])} statements instead of {len(ours[case])}")
    print(f"With 500 mapped teams: {', '.join(f'{case} {len(many[case])}' for case in many)}.")
    if options.show:
        for case in ours:
            for side, found in (("original", original[case]), ("ours", ours[case])):
                print(f"\n{case}, {side}:", *found, sep="\n  ")
    for case in broken:
        print(f"Too many statements: {case}")
    return 1 if broken else 0


def original_environment() -> Path:
    """A virtualenv with django-openid-auth, made once."""
    interpreter = ENVIRONMENT / "bin" / "python"
    done = ENVIRONMENT / "installed"
    if not done.exists():
        print("Making an environment for django-openid-auth 0.17", flush=True)
        venv.create(ENVIRONMENT, clear=True, with_pip=True)
        subprocess.run([str(interpreter), "-m", "pip", "install", "--quiet", *ORIGINAL], check=True)
        done.touch()
    return interpreter


def count(interpreter: Path, package: str, url: str, teams: int, backends: str) -> dict[str, list[str]]:
    worker = Path(__file__).with_name("worker.py")
    command = [str(interpreter), "-W", "ignore", str(worker), package, url, str(teams), backends]
    environment = {"PATH": "/usr/bin:/bin"} | ({} if package == "django_openid_auth" else {"PYTHONPATH": str(ROOT)})
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"{package} did not sign in:\n{done.stderr[-2000:]}")
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def statements(found: list[str]) -> list[str]:
    """Without those that only begin or end a transaction."""
    return [sql for sql in found if sql.split()[0] not in ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")]


def with_transactions(found: list[str]) -> list[str]:
    """With the BEGIN and COMMIT that the database adds to a write outside of a transaction."""
    whole, is_open = [], False
    for sql in found:
        verb = sql.split()[0]
        if verb in ("BEGIN", "COMMIT", "ROLLBACK"):
            is_open = verb == "BEGIN"
        alone = not is_open and verb in ("INSERT", "UPDATE", "DELETE")
        whole += ["BEGIN", sql, "COMMIT"] if alone else [sql]
    return whole


if __name__ == "__main__":
    sys.exit(main())
