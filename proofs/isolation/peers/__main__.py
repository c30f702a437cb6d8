"""`python -m proofs.isolation.peers`: each peer's tests, in a process of its own; what is left out has its reason.

The sources come from the package index, in the versions that `SOURCES` names, into the cache folder.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tarfile
import unittest
from pathlib import Path

from proofs.conformance.process import CACHE, ROOT, cache_folder

from .found import Found

SOURCES = {
    "transaction": "transaction==5.1",
    "pyramid_tm": "pyramid_tm==2.6",
    "zope_sqlalchemy": "zope.sqlalchemy==4.1",
}
NEEDED = {
    "transaction": ["transaction==5.1"],
    "pyramid_tm": ["pyramid>=2", "pyramid_tm==2.6", "webtest>=3"],
    "zope_sqlalchemy": ["zope.sqlalchemy==4.1", "packaging"],
}
"""What the tests import, beside what is here."""


def main() -> int:
    if len(sys.argv) == 3:
        return run(sys.argv[1], Path(sys.argv[2]))
    failed = False
    for peer in SOURCES:
        source, packages = fetch(peer), install(peer)
        command = [sys.executable, "-m", "proofs.isolation.peers", peer, str(source)]
        # Both have a package `tests`: the peer's comes first.
        path = os.pathsep.join(map(str, [source, source / "src", packages, ROOT]))
        failed |= bool(subprocess.run(command, cwd=source, env={**os.environ, "PYTHONPATH": path}).returncode)
    return int(failed)


def run(peer: str, source: Path) -> int:
    """In the process of one peer's tests."""
    adapter = importlib.import_module(f"proofs.isolation.peers.{peer}")
    found = Found()
    with adapter.adapted(source) as tests:
        for test in flat(tests):
            name = test.id().rpartition(".")[2]
            if reason := adapter.LEFT_OUT.get(name) or adapter.LEFT_OUT.get(type(test).__name__):
                found.left_out.append((test.id(), reason))
            else:
                test.run(found)
    return found.report(SOURCES[peer])


def flat(tests: unittest.TestSuite) -> list[unittest.TestCase]:
    return [each for test in tests for each in (flat(test) if isinstance(test, unittest.TestSuite) else [test])]


def fetch(peer: str) -> Path:
    """The folder of the unpacked source."""
    folder = cache_folder("peers", peer)
    if not list(folder.glob("*/PKG-INFO")):
        name = SOURCES[peer].partition("==")[0]
        _pip("download", "--no-binary", name, "--no-deps", "--dest", str(folder), SOURCES[peer])
        [archive] = folder.glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    [info] = folder.glob("*/PKG-INFO")
    return info.parent


def install(peer: str) -> Path:
    """A folder with what the tests import, for PYTHONPATH; the environment itself is not changed."""
    target = CACHE / "peers" / f"{peer}-python{sys.version_info.major}.{sys.version_info.minor}"
    if not target.exists():
        _pip("install", "--target", str(target), *NEEDED[peer])
    return target


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    sys.exit(main())
