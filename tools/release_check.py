"""Is what would be released any good? Builds sdist and wheel, looks at what is in them, and uses both on each Python.

It uploads nothing. What it builds is in dist/ when it ends. `make release-check` calls it.
"""

from __future__ import annotations

import email
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
GENERATED = re.compile(r"PKG-INFO|setup\.cfg|djintegrate\.egg-info/.*")


def main() -> None:
    shutil.rmtree(DIST, ignore_errors=True)
    _run("-m", "build", "--outdir", str(DIST), str(ROOT), quiet=True)
    [wheel], [sdist] = DIST.glob("*.whl"), DIST.glob("*.tar.gz")
    _run("-m", "twine", "check", "--strict", str(wheel), str(sdist))
    if wrong := [*_of_sdist(sdist), *_of_wheel(wheel), *_of_changelog(wheel)]:
        sys.exit("\n".join(wrong))
    print(f"{sdist.name} and {wheel.name} have all that they should.", flush=True)
    if "Project-URL" not in _metadata(wheel):
        print("Nothing says where the project lives: fill in [project.urls] in pyproject.toml.", flush=True)
    # A Python that is not there is a failure here: a release is for all of them.
    _run(
        "-m", "nox", "-s", "release", "--error-on-missing-interpreters", "--reuse-venv=no", "--", str(wheel), str(sdist)
    )


def _of_sdist(sdist: Path) -> Iterator[str]:
    with tarfile.open(sdist) as archive:
        files = {name.partition("/")[2] for name in archive.getnames() if archive.getmember(name).isfile()}
    has = {name for name in files if not GENERATED.fullmatch(name)}
    wanted = _in_git()
    yield from (f"{sdist.name} lacks {name}. Name it in MANIFEST.in." for name in sorted(wanted - has))
    yield from (f"{sdist.name} has {name}, which git has not. Remove it." for name in sorted(has - wanted))


def _of_wheel(wheel: Path) -> Iterator[str]:
    with zipfile.ZipFile(wheel) as archive:
        files = set(archive.namelist())
    has = {name for name in files if ".dist-info/" not in name}
    wanted = {name for name in _in_git() if name.startswith("djintegrate/")}
    yield from (f"{wheel.name} lacks {name}: see package-data in pyproject.toml." for name in sorted(wanted - has))
    yield from (f"{wheel.name} has {name}, which git has not. Remove it." for name in sorted(has - wanted))
    if not any(name.endswith("/licenses/LICENSE") for name in files):
        yield f"{wheel.name} lacks the licence."


def _of_changelog(wheel: Path) -> Iterator[str]:
    version = _metadata(wheel)["Version"]
    changelog = (ROOT / "CHANGELOG.md").read_text()
    if not re.search(rf"^## \[(Unreleased|{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$)", changelog, re.MULTILINE):
        yield f"CHANGELOG.md says nothing of {version}. Give its changes the heading `## [{version}] - YEAR-MONTH-DAY`."


def _metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


def _in_git() -> set[str]:
    listed = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True)
    return {name for name in listed.splitlines() if (ROOT / name).exists()}


def _run(*command: str, quiet: bool = False) -> None:
    """Runs Python, and ends with it if it fails. If it is quiet, only then what it said is shown."""
    print(f"$ python {' '.join(command)}", flush=True)
    stdout, stderr = (subprocess.PIPE, subprocess.STDOUT) if quiet else (None, None)
    done = subprocess.run([sys.executable, *command], cwd=ROOT, stdout=stdout, stderr=stderr, text=True)
    if done.returncode:
        print(done.stdout or "", end="", flush=True)
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
